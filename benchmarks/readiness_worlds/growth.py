"""What the worlds lack: streams that grow or shrink, and senders that lose alignment bit by bit."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

MOVES = 0.6  # share of streams whose level moves at all
WEEKLY = 0.1  # how far a week moves it (standard deviation of the logarithm)
SLIDES = 0.1  # share of the organisation's own streams that lose alignment bit by bit
SLIDE_DAYS = (21, 57)  # how long that takes
SLIDE_TO = (0.3, 1.0)  # share of their mail that fails in the end


def moved(rows: pl.DataFrame, kinds: dict[str, str], rng: np.random.Generator) -> pl.DataFrame:
    """The rows with fewer messages where their stream is below its height, and with aligned ones that fail.

    What is made to fail was sent while no policy asked to block: no receiver has an answer to it yet.
    """
    return _slid(_grown(rows, rng), kinds, rng)


def _grown(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """A stream's level rises or falls by the same factor each week; messages are left out by chance."""
    streams = rows.select("domain", "source_key").unique().sort("domain", "source_key")
    slope = rng.normal(0.0, WEEKLY / 7, streams.height) * (rng.random(streams.height) < MOVES)
    told = rows.join(streams.with_columns(slope=slope), on=["domain", "source_key"], how="left", maintain_order="left")
    days = (told["day"] - told["day"].min()).dt.total_days().to_numpy()
    level = told["slope"].to_numpy() * days
    kept = np.exp(level - np.maximum(told["slope"].to_numpy() * days.max(), 0.0))
    left = rng.binomial(told["messages"].to_numpy(), np.minimum(kept, 1.0))
    return rows.with_columns(messages=pl.Series(left)).filter(pl.col("messages") > 0)


def _slid(rows: pl.DataFrame, kinds: dict[str, str], rng: np.random.Generator) -> pl.DataFrame:
    own = pl.col("source_key").is_in([key for key, kind in kinds.items() if kind == "legitimate"])
    streams = rows.filter(own).select("domain", "source_key").unique().sort("domain", "source_key")
    streams = streams.filter(pl.Series(rng.random(streams.height) < SLIDES))
    first, last = rows["day"].min(), rows["day"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    span = (last - first).days
    streams = streams.with_columns(
        start=rng.integers(0, max(span, 1), streams.height),
        takes=rng.integers(*SLIDE_DAYS, streams.height),
        to=rng.uniform(*SLIDE_TO, streams.height),
    )
    told = rows.join(streams, on=["domain", "source_key"], how="left", maintain_order="left")
    free = (pl.col("p") == "none") & (pl.col("sp") == "none") & (pl.col("dkim_aligned") | pl.col("spf_aligned"))
    along = ((pl.col("day") - first).dt.total_days() - pl.col("start")) / pl.col("takes")
    share = told.select(pl.when(free).then(along.clip(0, 1) * pl.col("to")).fill_null(0.0)).to_series().to_numpy()
    failing = rng.binomial(rows["messages"].to_numpy(), share)
    lost = rows.with_columns(
        messages=pl.Series(failing), dkim_aligned=pl.lit(value=False), spf_aligned=pl.lit(value=False)
    )
    kept = rows.with_columns(messages=pl.col("messages") - pl.Series(failing))
    return pl.concat([kept, lost]).filter(pl.col("messages") > 0)
