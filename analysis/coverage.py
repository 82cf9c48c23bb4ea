"""Who usually reports, and who fell silent? A silent reporter's mail is not gone, only unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

REGULAR = 0.6  # share of the days between its first and last report on which a usual reporter wrote
ENOUGH = 14  # fewest days with reports before a reporter counts as usual
SILENT = 7  # days without a report after which a usual reporter counts as silent


@dataclass(frozen=True, slots=True)
class Coverage:
    """Usual reporters by name, those of them that are silent, and how many wrote in the last week."""

    usual: tuple[str, ...]
    silent: tuple[str, ...]
    heard: int


def coverage(reporter_days: pl.DataFrame, newest: date | None) -> Coverage:
    """From the rows of `reads.reporter_days`, over about four months, as of the day `newest`."""
    if reporter_days.is_empty() or newest is None:
        return Coverage((), (), 0)
    since = newest - timedelta(days=SILENT - 1)
    rows = (
        reporter_days.group_by("reporter")
        .agg(days=pl.col("day").n_unique(), first=pl.col("day").min(), last=pl.col("day").max())
        .with_columns(span=(pl.col("last") - pl.col("first")).dt.total_days() + 1)
        .sort("reporter")
    )
    usual = rows.filter((pl.col("days") >= ENOUGH) & (pl.col("days") >= REGULAR * pl.col("span")))
    silent = usual.filter(pl.col("last") < since)
    return Coverage(
        tuple(usual["reporter"].to_list()),
        tuple(silent["reporter"].to_list()),
        rows.filter(pl.col("last") >= since).height,
    )
