"""Frames as the charts take them: days summed over domains, and mail that did not align by what its source is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

import polars as pl

from analysis.sources import Source

# Mail of a known sender that fell out of alignment is the sender's loss, however well the rest fares.
CLASS_OF: Final = {"aligned": "misaligned"}
OWN: Final = ("aligned", "misaligned")  # kinds of the domain's own senders
OUTCOME_OF: Final = {
    "aligned": "legitimate",
    "misaligned": "legitimate",
    "forwarded": "forwarded",
    "unknown": "undecided",
    "spoofing": "spoofing",
}
COLUMN_OF: Final = {"dmarc": "aligned", "dkim": "dkim_aligned", "spf": "spf_aligned"}


def rates(days: pl.DataFrame, mechanism: str = "dmarc") -> pl.DataFrame:
    """day, messages, aligned, rate: summed over whatever else the frame tells apart."""
    aligned = pl.col(COLUMN_OF[mechanism]).sum()
    return (
        days.group_by("day")
        .agg(pl.col("messages").sum(), aligned=aligned)
        .filter(pl.col("messages") > 0)
        .with_columns(rate=pl.col("aligned") / pl.col("messages"))
        .sort("day")
    )


def failing(days: pl.DataFrame) -> pl.DataFrame:
    """day, class, messages: what did not align; `days` are as `analysis.kinds.by_kind` has them."""
    lost = days.with_columns(messages=pl.col("messages") - pl.col("aligned")).filter(pl.col("messages") > 0)
    return (
        lost.with_columns(pl.col("kind").replace(CLASS_OF).alias("class"))
        .group_by("day", "class")
        .agg(pl.col("messages").sum())
        .sort("day", "class")
    )


def outcomes(blockable: pl.DataFrame, found: Iterable[Source], since: date, until: date) -> pl.DataFrame:
    """week, class, messages: what a stricter policy would have stopped.

    Weeks are seven days up to `until`, named by their days; the first one may be shorter.
    """
    back = (pl.lit(until) - pl.col("day")).dt.total_days() // 7
    sums = (
        blockable.join(_kinds(found, OUTCOME_OF), on=["domain", "source_key"])
        .group_by(back=back, what="class")
        .agg(pl.col("messages").sum())
        .sort("back", "what", descending=[True, False])
    )
    names = [_week(until - timedelta(days=7 * n), since) for n in sums["back"]]
    return sums.select(pl.Series("week", names, dtype=pl.String), pl.col("what").alias("class"), "messages")


def _week(last: date, since: date) -> str:
    first = max(last - timedelta(days=6), since)
    return f"{first.day} {first:%b}" + (f" – {last.day} {last:%b}" if first < last else "")


def daily(days: pl.DataFrame, since: date, until: date, classes: Iterable[str]) -> list[int]:
    """Messages of these classes on each day, days without any included: for a sparkline."""
    sums = days.filter(pl.col("class").is_in(list(classes))).group_by("day").agg(pl.col("messages").sum())
    known = dict(sums.iter_rows())
    return [known.get(since + timedelta(days=n), 0) for n in range((until - since).days + 1)]


def own(days: pl.DataFrame, found: Iterable[Source]) -> pl.DataFrame:
    """The rates of known senders alone: no wave of forged mail moves this line."""
    mine = _kinds(found, {}).filter(pl.col("class").is_in(OWN))
    return rates(days.join(mine, on=["domain", "source_key"], how="semi"))


def own_kinds(days: pl.DataFrame) -> pl.DataFrame:
    """The same from days as `analysis.kinds.by_kind` has them."""
    return rates(days.filter(pl.col("kind").is_in(OWN)))


def _kinds(found: Iterable[Source], names: dict[str, str]) -> pl.DataFrame:
    rows = [(source.domain, source.source_key, names.get(source.kind, source.kind)) for source in found]
    return pl.DataFrame(rows, schema={"domain": pl.String, "source_key": pl.String, "class": pl.String}, orient="row")
