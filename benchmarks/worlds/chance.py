"""Drawing one of several things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def pick(rng: np.random.Generator, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """One of the options, each as likely as its weight."""
    if weights is None:
        return options[int(rng.integers(len(options)))]
    shares = np.array(weights) / sum(weights)
    return options[int(rng.choice(len(options), p=shares))]
