"""Who appeared, and who is gone, in a stretch of days: sources, and names that stand in From. The one rule for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from analysis.settings import SourceSettings

SETTLED = timedelta(days=7)  # a reporter so fresh may know what others never saw
STEADY = 10  # days with mail from which a silence can be told
PAUSES = 3.0  # times its longest pause so far, below which a silence is a pause
# A report of several days says a day too early, so what a report of one day says comes first.
EXACT = pl.col("day").filter(pl.col("estimated") < pl.col("messages")).min()
FIRST_DAY = pl.when(pl.col("day").min() + SETTLED >= EXACT).then(EXACT).otherwise(pl.col("day").min()).alias("first")
SEEN = pl.col("day").filter(pl.col("estimated") < pl.col("messages")).max()
LAST_DAY = pl.when(pl.col("day").max() - SETTLED <= SEEN).then(SEEN).otherwise(pl.col("day").max()).alias("last")
KNOWN = 0.5  # share of its mail whose reporters must be there still


@dataclass(frozen=True, slots=True)
class Arrival:
    """A source (or a name in From) first seen on `day`, with what it sent since."""

    domain: str
    source_key: str
    day: date
    days: int
    messages: int
    aligned: int


@dataclass(frozen=True, slots=True)
class Departure:
    """A source is gone since `day`; `pause` is its longest before (days), `messages` what a usual fortnight had.

    `usual_pause` is the mean number of days from one day with mail to the next.
    """

    domain: str
    source_key: str
    day: date
    days: int
    pause: int
    messages: int
    usual_pause: float


def coming(
    days: pl.DataFrame, spans: pl.DataFrame, first: pl.DataFrame, newest: date, settings: SourceSettings
) -> Iterator[Arrival]:
    """Sources that were never there before. `days` is as reads_changes.told_days gives it.

    `spans` (reporter, first_day, last_day) is when each reporter reported on anything, `first` (domain, source_key,
    first_seen, domain_first_day) what reads_sources.first_seen gives. What only a reporter that has just begun can
    see is no arrival, but better sight; and after a domain's first report everything is first seen.
    """
    warm = pl.col("first") >= pl.col("domain_first_day") + timedelta(days=settings.warmup_days)
    known = pl.col("old") * 2 >= pl.col("messages").clip(upper_bound=2 * settings.new_messages)
    rows = (
        days.filter((pl.col("day") <= newest) & (pl.col("messages") > 0))
        .join(spans, on="reporter")
        .group_by("domain", "source_key")
        .agg(
            FIRST_DAY,
            pl.col("day").n_unique().alias("days"),
            pl.col("messages", "aligned").sum(),
            opened=pl.col("day").min(),
            old=pl.col("messages").filter(pl.col("first_day") <= pl.col("day").min() - SETTLED).sum(),
        )
        .join(first, on=["domain", "source_key"])
        .filter((pl.col("first_seen") >= pl.col("opened")) & warm)
        .filter((pl.col("messages") >= settings.new_messages) & known)
        .sort("first", "domain", "source_key")
    )
    for row in rows.iter_rows(named=True):
        yield Arrival(row["domain"], row["source_key"], row["first"], row["days"], row["messages"], row["aligned"])


def going(days: pl.DataFrame, spans: pl.DataFrame, newest: date, settings: SourceSettings) -> Iterator[Departure]:
    """Steady sources that fell silent though most of the reporters that saw them still report."""
    fortnight = settings.vanished_days
    still = pl.col("last_day") > pl.col("day").max() + timedelta(days=fortnight // 2)
    sums = (
        days.filter((pl.col("day") <= newest) & (pl.col("messages") > 0))
        .join(spans, on="reporter")
        .group_by("domain", "source_key")
        .agg(
            LAST_DAY,
            pl.col("day").n_unique().alias("days"),
            pl.col("reporter").n_unique().alias("reporters"),
            pl.col("messages").sum(),
            first=pl.col("day").min(),
            pause=pl.col("day").unique().sort().diff().dt.total_days().max(),
            still=pl.col("messages").filter(still).sum(),
        )
        .filter((pl.col("days") >= STEADY) & (pl.col("reporters") >= 2))
        .with_columns(silent=(pl.lit(newest) - pl.col("last")).dt.total_days())
        .filter((pl.col("silent") >= fortnight) & (pl.col("silent") >= PAUSES * pl.col("pause")))
        .filter(pl.col("still") >= KNOWN * pl.col("messages"))
        .sort("last", "domain", "source_key")
    )
    for row in sums.iter_rows(named=True):
        span = (row["last"] - row["first"]).days + 1
        usual = round(row["messages"] * fortnight / max(span, fortnight))
        gone, pause = row["last"] + timedelta(days=1), span / row["days"]
        yield Departure(row["domain"], row["source_key"], gone, row["days"], row["pause"], usual, pause)


def appearing(days: pl.DataFrame, settings: SourceSettings) -> Iterator[Arrival]:
    """Names below a domain that had not stood in From before. `days` is as reads_changes.from_days gives it."""
    days = days.filter(pl.col("messages") > 0)
    first = days.group_by("domain").agg(opened=pl.col("day").min())
    rows = (
        days.group_by("domain", "header_from")
        .agg(
            FIRST_DAY,
            pl.col("day").n_unique().alias("days"),
            pl.col("messages", "aligned").sum(),
        )
        .join(first, on="domain")
        .filter(pl.col("first") >= pl.col("opened") + timedelta(days=settings.warmup_days))
        .filter(pl.col("messages") >= settings.new_messages)
        .filter(pl.col("header_from") != pl.col("domain"))
        .sort("first", "domain", "header_from")
    )
    for row in rows.iter_rows(named=True):
        yield Arrival(row["domain"], row["header_from"], row["first"], row["days"], row["messages"], row["aligned"])
