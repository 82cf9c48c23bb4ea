"""Which selectors came into use, and which fell out of it? By source, while the source goes on sending."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.around import with_own

SETTLED = timedelta(days=14)  # a source must have been seen so long before a selector of it is new
SHARE = 0.1  # of the source's mail that a selector must sign to be one of its own
FEWEST = 20  # messages signed, below which nobody can tell
GONE = timedelta(days=7)  # without it, while the source sends
TOGETHER = timedelta(days=7)  # one came and one went: a rotation
CAME = pl.col("first") > pl.col("opened") + SETTLED
WENT = pl.col("last") < pl.col("closed") - GONE


@dataclass(frozen=True, slots=True)
class Turn:
    """A selector came into use on `day`, or (not `begins`) was last used the day before. `rotated`: both at once.

    `also` is how many smaller sources show the same: forwarders pass on what others sign.
    """

    domain: str
    source_key: str
    selector: str
    day: date
    begins: bool
    messages: int
    rotated: bool = False
    also: int = 0


def turns(signatures: pl.DataFrame, days: pl.DataFrame, newest: date) -> Iterator[Turn]:
    """Selectors of the domain's own that came or went. Arguments are as the reads of those names give them.

    A rotation is told once, as the selector that came.
    """
    if signatures.is_empty():
        return
    spans = (
        days.filter((pl.col("day") <= newest) & (pl.col("messages") > 0))
        .group_by("domain", "source_key")
        .agg(opened=pl.col("day").min(), closed=pl.col("day").max(), total=pl.col("messages").sum())
    )
    mine = with_own(signatures, "signing_domain").filter(
        pl.col("own") & pl.col("selector").is_not_null() & (pl.col("day") <= newest)
    )
    used = (
        mine.group_by("domain", "source_key", "selector", "signing_domain")
        .agg(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"), pl.col("messages").sum())
        .join(spans, on=["domain", "source_key"])
        .filter(pl.col("messages") >= FEWEST)
    )
    # The share is of the mail of its own time, so a selector of one week counts as much as one of a year.
    totals = _while_used(used, days)
    used = used.join(totals, on=["domain", "source_key", "selector", "signing_domain"]).filter(
        pl.col("messages") >= SHARE * pl.col("meanwhile")
    )
    # Most sources' selectors neither came nor went, and need not be looked at one by one.
    turned = used.filter(CAME | WENT).select("domain", "source_key").unique()
    used = used.join(turned, on=["domain", "source_key"], how="semi")
    parts = used.sort("domain", "source_key", "first", "selector").group_by("domain", "source_key", maintain_order=True)
    yield from _together([turn for _, rows in parts for turn in _of_source(rows)])


def _together(found: list[Turn]) -> Iterator[Turn]:
    """One selector that turns at several sources at once is told once, of the source that sends most of it."""
    left = sorted(found, key=lambda turn: -turn.messages)
    while left:
        turn = left[0]
        same = [o for o in left if _alike(turn, o)]
        left = [o for o in left if not _alike(turn, o)]
        yield replace(turn, also=len(same) - 1)


def _alike(one: Turn, other: Turn) -> bool:
    return (one.domain, one.selector, one.begins) == (other.domain, other.selector, other.begins) and (
        abs(one.day - other.day) <= TOGETHER
    )


def _of_source(rows: pl.DataFrame) -> Iterator[Turn]:
    came = rows.filter(CAME)
    went = rows.filter(WENT).with_columns(gone=pl.col("last") + timedelta(days=1))
    ends = went["gone"].to_list()
    begins = came["first"].to_list()
    for row in came.iter_rows(named=True):
        rotated = any(abs(row["first"] - end) <= TOGETHER for end in ends)
        yield Turn(row["domain"], row["source_key"], row["selector"], row["first"], True, row["messages"], rotated)
    for row in went.iter_rows(named=True):
        if not any(abs(row["gone"] - begin) <= TOGETHER for begin in begins):
            yield Turn(row["domain"], row["source_key"], row["selector"], row["gone"], False, row["messages"])


def _while_used(used: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    key = ["domain", "source_key", "selector", "signing_domain"]
    daily = days.group_by("domain", "source_key", "day").agg(pl.col("messages").sum().alias("sent"))
    return (
        used.select(*key, "first", "last")
        .join(daily, on=["domain", "source_key"])
        .filter(pl.col("day").is_between(pl.col("first"), pl.col("last")))
        .group_by(key)
        .agg(meanwhile=pl.col("sent").sum())
    )
