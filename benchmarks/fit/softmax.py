"""Multinomial logistic regression with soft labels, weights for rows, a penalty, and signs that may be held."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 450  # after which no weight moves by more than is written


def probabilities(amounts: Floats, weights: Floats, prior: Floats) -> Floats:
    """Of each kind for each row: softmax of prior + amounts · weights."""
    scores = amounts @ weights + prior
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def fit(
    amounts: Floats, shares: Floats, weight: Floats, penalty: float, bounds: tuple[Floats, Floats]
) -> tuple[Floats, Floats, float]:
    """Weights (terms × kinds), prior (kinds) and the mean log-loss.

    `shares` is what of each row's mail is of each kind. `bounds` are the least and the greatest weights.
    Accelerated projected gradient with restarts; the loss is convex, so that the start does not matter.
    """
    weight = weight / weight.sum()
    design = np.hstack([amounts, np.ones((len(amounts), 1))])
    low, high = bounds
    least = np.vstack([low, np.full((1, low.shape[1]), -20.0)])
    most = np.vstack([high, np.full((1, high.shape[1]), 20.0)])
    ridge = np.full(least.shape, penalty)
    ridge[-1] = penalty / 10
    rate = 1 / (0.5 * float(np.linalg.eigvalsh((design * weight[:, None]).T @ design)[-1]) + penalty)
    point = ahead = np.zeros(least.shape)
    momentum, last = 1.0, np.inf
    for _ in range(STEPS):
        scores = design @ ahead
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        told = odds / odds.sum(axis=1, keepdims=True)
        slope = design.T @ ((told - shares) * weight[:, None]) + ridge * ahead
        after = np.clip(ahead - rate * slope, least, most)
        now = loss(told, shares, weight)
        if float(((ahead - after) * (after - point)).sum()) > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = after + (momentum - 1) / following * (after - point)
        point, momentum, last = after, following, now
    return point[:-1], point[-1], float(last)


def loss(told: Floats, shares: Floats, weight: Floats) -> float:
    """Mean log-loss of what is told where these shares are true."""
    weight = weight / weight.sum()
    return float(-(weight[:, None] * shares * np.log(np.maximum(told, 1e-12))).sum())
