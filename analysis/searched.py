"""Series that were searched before: a load changes some sources' days, and only those are searched again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from analysis.change import Change
from analysis.keeping import keep, known
from warehouse.kept import Place

KEY = ["domain", "source_key"]
SEEDS = (1, 2)  # two words of 64 bits


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found in a source's days, and the `digest` of just these days."""

    domain: str
    source_key: str
    digest: str
    changes: tuple[Change, ...]


def searched(days: pl.DataFrame, place: Place, search: Callable[[pl.DataFrame], Iterable[Change]]) -> list[Change]:
    """What `search` finds in all sources of `days`; it is given those only whose days are not what they were.

    What it finds in one source must not depend on the others. `place` has to be a lasting one; what is kept there of
    the same domains and is not in `days` any more is given up.
    """
    before = {(one.domain, one.source_key): one for one in known(place, list[Searched]) or ()}
    digests = {(domain, key): digest for domain, key, digest in _digests(days).iter_rows()}
    left = [key for key, digest in digests.items() if key not in before or before[key].digest != digest]
    if left:
        wanted = pl.DataFrame(left, schema=dict.fromkeys(KEY, pl.String), orient="row")
        found = defaultdict[tuple[str, str], list[Change]](list)
        for change in search(days.join(wanted, on=KEY, how="semi")):
            found[change.domain, change.source_key].append(change)
        before |= {key: Searched(*key, digests[key], tuple(found[key])) for key in left}
        domains = {domain for domain, _ in digests}
        keep(place, [one for key, one in before.items() if key in digests or key[0] not in domains])
    return [change for key in sorted(digests) for change in before[key].changes]


def _digests(days: pl.DataFrame) -> pl.DataFrame:
    """Each source and the digest of its rows, in whatever order they come."""
    rows = days.select(*KEY, *sorted(set(days.columns) - set(KEY)))
    words = {f"word_{seed}": rows.hash_rows(seed=seed) for seed in SEEDS}
    return (
        rows.select(KEY)
        .with_columns(**words)
        .group_by(KEY)
        .agg(*(pl.col(word).sum().cast(pl.String) for word in words), rows=pl.len().cast(pl.String))
        .select(*KEY, digest=pl.concat_str(*words, "rows", separator=" "))
    )
