"""Truth beside verdict: one row for each stream's mail from each address as each domain."""

from __future__ import annotations

import polars as pl

from benchmarks.score.product import LATE, Answers
from benchmarks.worlds.volume import day_of
from benchmarks.worlds.world import World

RECENT = 14  # last days with mail of a stream that say whether it aligns now


def judged(world: World, answers: Answers) -> pl.DataFrame:
    """Columns: seed; domain, source_ip, stream, messages, first (the first day told of), since (the stream's);
    kind, style, operator, service, catalogued, grouped, truth (aligned, misaligned, forwarded, spoofing, never sent);
    source_key, name, verdict, confidence, spoof, first_seen, evidence; late (the stream appeared in the last days),
    unseen_low, unseen_high (how many of the domain's were expected to; null where that was not said).

    Raises RuntimeError where the product has no verdict on an address.
    """
    rows = truths(world).with_columns(pl.col("source_ip").replace_strict(answers.sources).alias("source_key"))
    verdicts = pl.DataFrame([*answers.verdicts], infer_schema_length=None).rename({"kind": "verdict"})
    found = rows.join(verdicts, on=["domain", "source_key"], how="left").sort("domain", "source_ip", "stream")
    if found["verdict"].has_nulls():
        lost = found.filter(pl.col("verdict").is_null()).row(0, named=True)
        raise RuntimeError(f"World {world.seed}: no verdict on {lost['source_ip']} as {lost['domain']}.")
    dates = {number: day_of(number) for number in range(world.days)}
    return found.with_columns(
        pl.lit(world.seed).alias("seed"),
        (pl.col("start") > world.days - LATE).alias("late"),
        _bound(answers, 0).alias("unseen_low"),
        _bound(answers, 1).alias("unseen_high"),
        pl.col("day").replace_strict(dates, return_dtype=pl.Date).alias("first"),
        pl.col("start").replace_strict(dates, return_dtype=pl.Date).alias("since"),
    ).drop("day", "start")


def truths(world: World) -> pl.DataFrame:
    """What is true of each stream's mail from each address as each domain, whatever the product says."""
    streams = pl.DataFrame([*world.streams.values()], infer_schema_length=None).rename({"key": "stream"})
    return (
        world.truth.group_by("domain", "source_ip", "stream")
        .agg(pl.col("messages").sum(), pl.col("day").min())
        .join(_now(world.truth), on=["domain", "stream"])
        .join(streams, on="stream")
        .with_columns(_truth())
    )


def _bound(answers: Answers, which: int) -> pl.Expr:
    bounds = {domain: ends[which] for domain, ends in answers.unseen.items()}
    return pl.col("domain").replace_strict(bounds, default=None, return_dtype=pl.Float64)


def _now(truth: pl.DataFrame) -> pl.DataFrame:
    """By domain and stream: its first day, and the aligned share of its last days with mail."""
    recent = pl.col("day") > pl.col("day").max() - RECENT
    return truth.group_by("domain", "stream").agg(
        pl.col("day").min().alias("start"),
        (pl.col("messages").filter(recent & pl.col("aligned")).sum() / pl.col("messages").filter(recent).sum()).alias(
            "aligns"
        ),
    )


def _truth() -> pl.Expr:
    return (
        pl.when(pl.col("kind") == "spoof")
        .then(pl.lit("spoofing"))
        .when(pl.col("kind") == "lie")
        .then(pl.lit("never sent"))
        .when(pl.col("kind").is_in(["forwarder", "list"]))
        .then(pl.lit("forwarded"))
        .when(pl.col("aligns") >= 0.5)
        .then(pl.lit("aligned"))
        .otherwise(pl.lit("misaligned"))
        .alias("truth")
    )
