"""Who reports in a world, how much, when, how late, and how wrongly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAYS = 120


@dataclass(frozen=True, slots=True)
class Reporters:
    """All by reporter, most by day: shape (reporters) or (reporters, days).

    `size` is a reporter's part of the mail, `moving` how that part changes, `present` whether there is a report
    for the day, `fault` the share of passes that its own checks get wrong, `odd` how differently it judges at all
    times (logit), `period` the days that one report spans, `arrived` the day on which the report is there.
    """

    size: Floats
    moving: Floats
    present: Floats
    fault: Floats
    odd: Floats
    period: Ints
    arrived: Ints

    @classmethod
    def of(cls, rng: np.random.Generator) -> Reporters:
        """Four to eleven of them; in every world one falls silent, and in most another begins, shifts or fails."""
        count = int(rng.integers(4, 12))
        present, fault, odd = np.ones((count, DAYS)), np.zeros((count, DAYS)), np.zeros(count)
        moving = np.ones((count, DAYS))
        gone, new, other, wrong = rng.permutation(count)[:4]
        present[gone, rng.integers(20, 115) :] = 0
        if rng.random() < 0.5:
            present[new, : rng.integers(10, 110)] = 0
            odd[new] = rng.normal(-1, 0.7)
        if rng.random() < 0.5:
            # More mail goes where it is judged otherwise: the whole moves, and nobody has changed anything.
            odd[other] = rng.normal(0, 1.2)
            start = int(rng.integers(10, 110))
            moving[other, start:] = rng.uniform(2, 8)
        if rng.random() < 0.4:
            start = int(rng.integers(10, 115))
            fault[wrong, start : start + int(rng.integers(3, 60))] = rng.uniform(0.3, 1)
        # Reports get lost, now and then.
        present *= rng.random((count, DAYS)) > 0.01
        period = rng.choice([1, 2, 3, 7], count, p=[0.9, 0.04, 0.03, 0.03]).astype(np.int64)
        size = rng.lognormal(0, 1.3, count)
        return cls(size, moving, present, fault, odd, period, _arrivals(period, rng))

    def spread(self, counts: Ints) -> Ints:
        """Counts by reporter and day as the warehouse has them: a report of several days is spread over them."""
        found = counts.copy()
        for row in np.flatnonzero(self.period > 1):
            days = int(self.period[row])
            for start in range(0, DAYS, days):
                part = found[row, start : start + days]
                part[:] = (part.sum() + np.arange(part.size)[::-1]) // part.size
        return found


def _arrivals(period: Ints, rng: np.random.Generator) -> Ints:
    """Most reports are there the day after; some reporters are slow, and some reports days late."""
    slow = rng.choice([0, 1, 2], period.size, p=[0.8, 0.15, 0.05])
    late = rng.choice([0, 1, 2, 5, 9], (period.size, DAYS), p=[0.9, 0.05, 0.02, 0.02, 0.01])
    day = np.arange(DAYS)
    last = np.minimum(DAYS - 1, (day // period[:, None] + 1) * period[:, None] - 1)
    # One report has one lateness, whichever of its days is asked about.
    arrived: Ints = last + 1 + slow[:, None] + np.take_along_axis(late, last, axis=1)
    return arrived
