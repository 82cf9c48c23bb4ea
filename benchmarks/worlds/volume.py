"""How many messages on which day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

FIRST = date(2026, 6, 1)  # a Monday
WEEKS = {
    "office": (1.1, 1.15, 1.15, 1.1, 1.0, 0.12, 0.08),
    "always": (1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.9),
    "shop": (0.9, 0.9, 0.9, 1.0, 1.1, 1.2, 1.1),
    "newsletter": (0.0, 3.0, 0.03, 0.0, 0.0, 0.0, 0.0),
    "twice": (0.0, 1.8, 0.02, 0.02, 1.8, 0.0, 0.0),
}


def day_of(number: int) -> date:
    """The date of a world's day."""
    return FIRST + timedelta(days=number)


def volume(rng: np.random.Generator, days: int, mean: float, rhythm: str, alive: tuple[int, int]) -> Counts:
    """Messages by day, on average `mean` on a day with mail; none outside `alive` (first day, last day).

    Rhythms are those of WEEKS, monthend (payroll, invoices), quarter and campaign (a few days, then nothing).
    """
    shape = _shape(rng, days, rhythm)
    shape[: alive[0]] = 0.0
    shape[alive[1] + 1 :] = 0.0
    noise = np.exp(rng.normal(0.0, 0.25, days))
    return rng.poisson(mean * shape * noise).astype(np.int64)


def _shape(rng: np.random.Generator, days: int, rhythm: str) -> NDArray[np.float64]:
    if rhythm in WEEKS:
        return np.array([WEEKS[rhythm][day_of(number).weekday()] for number in range(days)])
    if rhythm == "campaign":
        shape = np.zeros(days)
        for start in rng.choice(days, size=max(1, days // 30), replace=False):
            shape[start : start + 3] = (1.0, 0.3, 0.05)[: len(shape[start : start + 3])]
        return shape
    dates = [day_of(number) for number in range(days)]
    last = [(one + timedelta(days=1)).day == 1 for one in dates]
    if rhythm == "quarter":
        return np.array([float(end and one.month % 3 == 0) for end, one in zip(last, dates, strict=True)])
    return np.array([1.0 if end else 0.3 * (one.day == 25) for end, one in zip(last, dates, strict=True)])
