"""New senders: are they seen as new on the day of their first report, and are old ones taken for new?

And, once the product says how many senders are still to appear: how many did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from benchmarks.worlds.volume import FIRST

WARMUP = 14  # days from which on a first day is an appearance
FEWEST = 10  # messages below which nobody is told of a sender
SLACK = 1  # days: a reporter's day need not be ours


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Streams that appear on the way; those seen on their first day; old streams; those shown as new once more."""

    appeared: int
    found: int
    old: int
    renewed: int


def newcomers(rows: pl.DataFrame) -> Newcomers:
    """Score the streams that can be told apart and have enough mail; botnets cannot."""
    stream = ["seed", "domain", "stream"]
    told = (
        rows.filter(pl.col("grouped"))
        .group_by(*stream, "source_key", "since", "first_seen")
        .agg(pl.col("messages").sum(), pl.col("first").min())
        .filter(pl.col("messages").sum().over(stream) >= FEWEST)
    )
    fresh = pl.col("since") >= FIRST + timedelta(days=WARMUP)
    # The source that the stream's first messages are shown in.
    first = told.filter(fresh).sort("first", "messages", descending=[False, True]).group_by(stream).first()
    apart = (pl.col("first_seen") - pl.col("since")).dt.total_days()
    found = first.filter(apart.abs() <= SLACK)
    old = told.filter(~fresh).group_by(stream).agg(pl.col("first_seen").max(), pl.col("since").first())
    return Newcomers(
        len(first), len(found), len(old),
        len(old.filter(pl.col("first_seen") >= pl.col("since") + timedelta(days=WARMUP))),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unseen:
    """Domains with an estimate of the senders still to appear, those where it held, and how many did in all domains."""

    domains: int
    held: int
    appeared: int


def unseen(rows: pl.DataFrame) -> Unseen:
    """Compare what was expected of the last 30 days with the legitimate senders that appeared in them."""
    ours = pl.col("kind").is_in(["server", "service"]) & pl.col("late")
    domains = rows.group_by("seed", "domain").agg(
        pl.col("stream").filter(ours).n_unique().alias("appeared"), pl.col("unseen_low", "unseen_high").first()
    )
    held = pl.col("appeared").is_between("unseen_low", "unseen_high")
    return Unseen(domains["unseen_low"].drop_nulls().len(), domains.filter(held).height, int(domains["appeared"].sum()))
