"""How far is a reporter's word taken? What one reporter alone says must not turn a verdict.

Anybody may report. A reporter that contradicts all others where they agree, or tells of failures only, says
nothing of how a source fares; and nobody counts for more than all others together.
"""

from __future__ import annotations

import polars as pl

KEY = ["domain", "source_key"]
AGREED = 0.8  # aligned share of a source's mail, as the others see it, from which they agree that it aligns
ENOUGH = 20  # messages on such sources from which a reporter can be held against the others
BELIEVED = 0.5  # share of them that has to align in a reporter's own words
ALONE = 20  # messages that a reporter may claim without anybody else


def credited(told: pl.DataFrame) -> pl.DataFrame:
    """Each domain and source_key, from `reads_traces.told`: how its mail fares in the words of those who are believed.

    Columns: voices (reporters, Int64), heard and heard_aligned, recent_heard and recent_heard_aligned (messages,
    Float64, after nobody counts for more than the others), doubtful (messages of reporters not believed, Int64).
    """
    messages, aligned = pl.col("messages"), pl.col("aligned")
    others = told.with_columns(
        others_n=messages.sum().over(KEY) - messages,
        others_aligned=aligned.sum().over(KEY) - aligned,
        voices=pl.len().over(KEY).cast(pl.Int64),
    )
    good = (pl.col("voices") > 2) & (pl.col("others_n") >= ENOUGH)
    good &= pl.col("others_aligned") >= AGREED * pl.col("others_n")
    believed = (
        others.filter(good)
        .group_by("domain", "reporter")
        .agg(on_good=messages.sum(), well=aligned.sum())
        .select(
            "domain",
            "reporter",
            believed=(pl.col("on_good") < ENOUGH) | (pl.col("well") >= BELIEVED * pl.col("on_good")),
        )
    )
    rows = others.join(believed, on=["domain", "reporter"], how="left").with_columns(pl.col("believed").fill_null(True))
    word = rows.with_columns(said=pl.when("believed").then(messages).otherwise(0))
    share = (word_limit(pl.col("said")) / pl.max_horizontal(messages, 1)).alias("share")
    word = word.with_columns(share)
    return word.group_by(KEY).agg(
        voices=pl.col("voices").first(),
        heard=(messages * pl.col("share")).sum(),
        heard_aligned=(aligned * pl.col("share")).sum(),
        recent_heard=(pl.col("recent_messages") * pl.col("share")).sum(),
        recent_heard_aligned=(pl.col("recent_aligned") * pl.col("share")).sum(),
        doubtful=messages.filter(~pl.col("believed")).sum(),
    )


def word_limit(said: pl.Expr) -> pl.Expr:
    """So many of a reporter's messages count: no more than all others tell of, beyond a few."""
    return pl.min_horizontal(said, said.sum().over(KEY) - said + ALONE)
