"""Precision and recall of each kind, counted by sources and by messages."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from benchmarks.score.product import KINDS

SOURCE = ("seed", "domain", "source_key")


def by_source(rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each source that the product shows: what most of its mail is, and what is said of it."""
    return (
        rows.group_by(*SOURCE, "truth", maintain_order=True)
        .agg(pl.col("messages").sum(), pl.col("verdict", "spoof", "confidence", "name").first())
        .sort("messages", descending=True, maintain_order=True)
        .group_by(SOURCE, maintain_order=True)
        .agg(pl.all().exclude("messages").first(), pl.col("messages").sum())
    )


def confusion(rows: pl.DataFrame, weight: pl.Expr) -> dict[tuple[str, str], float]:
    """Weight by truth and verdict."""
    table = rows.group_by("truth", "verdict").agg(weight.alias("weight"))
    return {(truth, verdict): float(total) for truth, verdict, total in table.iter_rows()}


def rates(table: dict[tuple[str, str], float]) -> Iterator[tuple[str, float, float, float, float]]:
    """For each kind: total, precision, recall, F1. Unknown is an answer that is never right, and never wrong."""
    for kind in KINDS[:-1]:
        right = table.get((kind, kind), 0.0)
        is_it = sum(total for (truth, _), total in table.items() if truth == kind)
        said = sum(total for (_, verdict), total in table.items() if verdict == kind)
        precision, recall = right / said if said else 0.0, right / is_it if is_it else 0.0
        both = precision + recall
        yield kind, is_it, precision, recall, 2 * precision * recall / both if both else 0.0


def ways(rows: pl.DataFrame) -> tuple[float, float]:
    """Precision and recall of what is said to be passed on, by messages: of each source so many, whatever it is called.

    As many of them are right as really were.
    """
    each = rows.group_by(SOURCE).agg(
        pl.col("passed_on").first(), pl.col("messages").filter(pl.col("truth") == "forwarded").sum().alias("true")
    )
    right, said, true = (
        int(each.select(what).item())
        for what in (pl.min_horizontal("passed_on", "true").sum(), pl.col("passed_on").sum(), pl.col("true").sum())
    )
    return right / max(1, said), right / max(1, true)


def styles(rows: pl.DataFrame) -> pl.DataFrame:
    """By what really happens: sources, messages, share of them rightly called, called unknown, called spoofing."""

    def share(verdict: pl.Expr) -> pl.Expr:
        return pl.col("messages").filter(verdict).sum() / pl.col("messages").sum()

    said = pl.col("verdict")
    return (
        rows.group_by("kind", "style", "truth")
        .agg(
            pl.struct(*SOURCE).n_unique().alias("sources"),
            pl.col("messages").sum().alias("mail"),
            share(said == pl.col("truth")).alias("right"),
            share(said == "unknown").alias("unknown"),
            share(said == "spoofing").alias("spoofing"),
        )
        .sort("kind", "truth", "style")
    )
