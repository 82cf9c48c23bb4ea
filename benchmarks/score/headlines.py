"""The few numbers that are watched, each with its goal and with the range that other worlds would give."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from benchmarks.score.classes import by_source, confusion, rates, ways
from benchmarks.score.identity import grouping
from benchmarks.score.naming import naming
from benchmarks.score.probability import arrays, auc, brier, wronged

RESAMPLES = 60
Number = Callable[[pl.DataFrame], float]


def _rate(kind: str, which: int, *, sources: bool) -> Number:
    """Precision (0) or recall (1) of a kind."""

    def number(rows: pl.DataFrame) -> float:
        counted = confusion(by_source(rows), pl.len()) if sources else confusion(rows, pl.col("messages").sum())
        return next(found for name, _, *found in rates(counted) if name == kind)[which]

    return number


NUMBERS: tuple[tuple[str, str, Number], ...] = (
    ("forwarders, precision by sources", ">= 95 %", _rate("forwarded", 0, sources=True)),
    ("forwarders, recall by sources", ">= 95 %", _rate("forwarded", 1, sources=True)),
    ("forwarders, precision by messages", ">= 95 %", _rate("forwarded", 0, sources=False)),
    ("forwarders, recall by messages", ">= 95 %", _rate("forwarded", 1, sources=False)),
    ("passed on as the way tells, precision", ">= 95 %", lambda rows: ways(rows)[0]),
    ("passed on as the way tells, recall", ">= 95 %", lambda rows: ways(rows)[1]),
    ("spoofing, precision by messages", "", _rate("spoofing", 0, sources=False)),
    ("spoofing, recall by messages", "", _rate("spoofing", 1, sources=False)),
    ("legitimate called spoofing, surer than 0.9", "<= 0.1 %", wronged),
    ("AUC by messages", "", lambda rows: auc(*arrays(rows, weighted=True))),
    ("AUC by sources", "", lambda rows: auc(*arrays(by_source(rows), weighted=False))),
    ("Brier score by messages", "<= 3 %", lambda rows: brier(*arrays(rows, weighted=True))),
    ("Brier score by sources", "<= 3 %", lambda rows: brier(*arrays(by_source(rows), weighted=False))),
    ("catalogued services named, by messages", "", lambda rows: naming(rows).catalogued),
    ("grouping, precision", "", lambda rows: grouping(rows).precision),
    ("grouping, recall", "", lambda rows: grouping(rows).recall),
)


def headlines(rows: pl.DataFrame) -> Iterator[tuple[str, str, float, float, float]]:
    """Name, goal, value, and the 5th and 95th percentile of it with worlds drawn anew (bootstrap over worlds)."""
    worlds = [part.drop("seed") for part in rows.partition_by("seed", maintain_order=True)]
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        picks = rng.integers(len(worlds), size=len(worlds))
        # A world drawn twice counts as two.
        drawn.append(
            pl.concat(worlds[pick].with_columns(pl.lit(place).alias("seed")) for place, pick in enumerate(picks))
        )
    for name, goal, number in NUMBERS:
        low, high = np.nanpercentile([number(sample) for sample in drawn], (5, 95))
        yield name, goal, number(rows), float(low), float(high)
