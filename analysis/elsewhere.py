"""What a domain's sources send for the other domains here: it tells a service from somebody's rented server.

That changes with every report about any of them. A judgement needs to know it roughly, and is the same for long
where it is told in steps: else reports about one domain would have all others judged again.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analysis.keeping import kept
from analysis.numbers import np
from warehouse import reads_sources
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.scope import Scope

KEY = ["domain", "source_key"]
EXACT: Final = 20  # messages up to which each counts
STEPS: Final = (*range(EXACT), *(times * 10**power for power in range(1, 16) for times in (2, 5, 10)))


def elsewhere(connection: Connection, history: Scope) -> pl.DataFrame:
    """Each domain of the scope and source_key: elsewhere_spf, messages for other domains that their SPF allowed.

    In steps: one of STEPS, and as many at least. `history` is without what is in doubt.
    """
    everybody = Scope((), history.since, history.until, history.without)
    total = kept(
        place(connection, "everywhere", everybody),
        pl.DataFrame,
        lambda: reads_sources.spf_sums(connection, everybody, "source_key"),
    )
    if history.domains:
        total = total.join(_keys(connection, history.domains), on="source_key", how="semi")
    own = kept(
        place(connection, "own spf", history, domains=history.domains),
        pl.DataFrame,
        lambda: reads_sources.spf_sums(connection, history, "domain, source_key"),
    )
    others = pl.col("spf_aligned") - pl.col("own_spf").fill_null(0)
    return (
        _keys(connection, history.domains)
        .join(total, on="source_key")
        .join(own.rename({"spf_aligned": "own_spf"}), on=KEY, how="left")
        .select(*KEY, elsewhere_spf=others.map_batches(_stepped, return_dtype=pl.Int64))
        .filter(pl.col("elsewhere_spf") > 0)
        .sort(KEY)
    )


def _keys(connection: Connection, domains: tuple[str, ...]) -> pl.DataFrame:
    """Each domain and source_key that it ever had."""
    asked = place(connection, "keys", domains=domains)
    return kept(asked, pl.DataFrame, lambda: reads_sources.keys(connection, Scope(domains)))


def keys(connection: Connection, domains: tuple[str, ...]) -> pl.DataFrame:
    """Each source_key that any of some domains ever had."""
    return _keys(connection, domains).select("source_key").unique()


def _stepped(messages: pl.Series) -> pl.Series:
    steps = np.array(STEPS)
    at = np.searchsorted(steps, messages.clip(0).to_numpy(), side="right") - 1
    return pl.Series(messages.name, steps[at], dtype=pl.Int64)
