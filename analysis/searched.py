"""Series that were looked at before: a load changes some sources' days, and only those are looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import polars as pl

from analysis.keeping import keep, known
from warehouse.kept import Place

KEY = ["domain", "source_key"]
SEEDS = (1, 2)  # two words of 64 bits

Source = tuple[str, str]
"""A domain and a source_key."""

T = TypeVar("T")


def searched(
    days: pl.DataFrame, place: Place, kind: type[T], search: Callable[[pl.DataFrame], Mapping[Source, T]]
) -> dict[Source, T]:
    """What `search` finds in each source of `days`, in order; an empty one of this kind where it names none.

    It is given those only whose days are not what they were; what it finds in one source must not depend on the
    others. `place` has to be a lasting one. What is kept there of these domains and is not in `days` is given up.
    """
    form: Any = list[tuple[str, str, str, kind]]  # type: ignore[valid-type]
    before = {(domain, key): (digest, value) for domain, key, digest, value in known(place, form) or ()}
    digests = {(domain, key): digest for domain, key, digest in _digests(days).iter_rows()}
    left = [source for source, digest in digests.items() if source not in before or before[source][0] != digest]
    if left:
        found = search(of(days, left))
        before |= {source: (digests[source], found.get(source, kind())) for source in left}
        domains = {domain for domain, _ in digests}
        kept = {source: one for source, one in before.items() if source in digests or source[0] not in domains}
        keep(place, [(*source, *one) for source, one in kept.items()])
    return {source: before[source][1] for source in sorted(digests)}


def of(days: pl.DataFrame, sources: Iterable[Source]) -> pl.DataFrame:
    """The days of some sources."""
    wanted = pl.DataFrame(list(sources), schema=dict.fromkeys(KEY, pl.String), orient="row")
    return days.join(wanted, on=KEY, how="semi")


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
