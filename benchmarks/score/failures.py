"""Where it fails: the costliest confusions, each with its largest example."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from benchmarks.score.classes import SOURCE


def worst(rows: pl.DataFrame, most: int = 15) -> Iterator[tuple[str, int, str]]:
    """Confusions by truth, style and verdict, those with most sources and messages first.

    Of each a line, the world of its example, and the example.
    Mail that loses its way in a larger source of another stream is told apart ("hidden"), since no verdict on the
    source can be right for both.
    """
    stream = pl.col("messages").sum().over(*SOURCE, "stream")
    wrong = rows.with_columns((stream == stream.max().over(SOURCE)).alias("main")).filter(
        pl.col("truth") != pl.col("verdict")
    )
    cost = pl.col("messages").log1p().sum()
    groups = (
        wrong.group_by("truth", "kind", "style", "verdict")
        .agg(
            cost.alias("cost"),
            pl.col("messages").sum().alias("mail"),
            pl.struct(SOURCE).n_unique().alias("sources"),
            (pl.col("messages").filter(~pl.col("main")).sum() / pl.col("messages").sum()).alias("hidden"),
            pl.all().exclude("truth", "kind", "style", "verdict").sort_by("messages").last().name.prefix("x_"),
        )
        .sort("cost", descending=True)
        .head(most)
    )
    for one in groups.iter_rows(named=True):
        yield (
            f"{one['truth']} ({one['kind']}: {one['style']}) called {one['verdict']}: {one['sources']} sources, "
            f"{one['mail']:,} messages, {one['hidden']:.0%} of them hidden in a larger stream's source",
            one["x_seed"],
            f"world {one['x_seed']}, {one['x_domain']}, {one['x_source_ip']} in {one['x_source_key']} "
            f"({one['x_name']}), {one['x_messages']:,} of “{one['x_stream']}”, sure {one['x_confidence']:.2f}: "
            f"{', '.join(one['x_evidence']) or 'no evidence given'}",
        )
