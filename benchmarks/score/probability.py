"""How good the probability of spoofing is: order (AUC), size (Brier score, reliability), and what it does at worst."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EDGES = (0.0, 0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.98, 1.0)


def auc(score: Floats, spoof: NDArray[np.bool_], weight: Floats) -> float:
    """Chance that a spoofed message (source) has a higher score than a legitimate one; ties count half."""
    levels, which = np.unique(score, return_inverse=True)
    bad = np.bincount(which, weights=weight * spoof, minlength=len(levels))
    good = np.bincount(which, weights=weight * ~spoof, minlength=len(levels))
    below = np.cumsum(good) - good / 2
    total = bad.sum() * good.sum()
    return float((bad * below).sum() / total) if total else float("nan")


def brier(score: Floats, spoof: NDArray[np.bool_], weight: Floats) -> float:
    """Mean squared error of the probability."""
    return float(np.average((score - spoof) ** 2, weights=weight))


def reliability(score: Floats, spoof: NDArray[np.bool_], weight: Floats) -> list[tuple[str, float, float, float]]:
    """By band of probability: band, weight, mean probability, share that really is spoofing."""
    band = np.clip(np.digitize(score, EDGES) - 1, 0, len(EDGES) - 2)
    found = []
    for number, (low, high) in enumerate(pairwise(EDGES)):
        here = band == number
        if here.any():
            said, is_it = (float(np.average(values[here], weights=weight[here])) for values in (score, spoof))
            found.append((f"{low:.2f} to {high:.2f}", float(weight[here].sum()), said, is_it))
    return found


def arrays(rows: pl.DataFrame, *, weighted: bool) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Probability, truth and weight (messages, or 1) of rows with truth, spoof and messages."""
    weight = rows["messages"].to_numpy().astype(np.float64) if weighted else np.ones(len(rows))
    return rows["spoof"].to_numpy(), (rows["truth"] == "spoofing").to_numpy(), weight


def wronged(rows: pl.DataFrame, above: float = 0.9) -> float:
    """Share of legitimate messages (forwarded ones too) that are called spoofing with more than this probability."""
    ours = rows.filter(pl.col("truth") != "spoofing")
    wrong = ours.filter((pl.col("verdict") == "spoofing") & (pl.col("spoof") > above))
    return int(wrong["messages"].sum()) / max(1, int(ours["messages"].sum()))
