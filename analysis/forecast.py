"""How much would a policy block in a month like this one? A range, by resampling whole weeks.

Mail comes in bursts: a newsletter is one day's 10,000 messages. So days are not drawn one by one
but in runs of a week, which keeps weekdays and bursts together (moving-block bootstrap, with the
end of the window joined to its beginning so that every day counts equally).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 7
DRAWS = 400
SEED = 7489
CHUNK = 2000  # sources at a time, so that memory stays flat whatever the number of sources


def ranges(daily: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The 5 % and 95 % points of each column's total, over resampled days.

    `daily` has a row for each day, in order, and a column for each source; both results have one
    number for each column. The same input gives the same result.
    """
    days, columns = daily.shape
    low, high = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
    if not days:
        return low, high
    weights = _weights(days)
    for start in range(0, columns, CHUNK):
        totals = weights @ daily[:, start : start + CHUNK]
        low[start : start + CHUNK], high[start : start + CHUNK] = np.rint(
            np.quantile(totals, [0.05, 0.95], axis=0, method="nearest")
        ).astype(np.int64)
    return low, high


def _weights(days: int) -> NDArray[np.float64]:
    """How often each day (column) was drawn in each of the draws (row)."""
    random = np.random.default_rng(SEED)
    block = min(BLOCK, days)
    starts = random.integers(0, days, size=(DRAWS, -(-days // block)))
    drawn = (starts[:, :, None] + np.arange(block)) % days
    drawn = drawn.reshape(DRAWS, -1)[:, :days]
    weights = np.zeros((DRAWS, days))
    np.add.at(weights, (np.arange(DRAWS)[:, None], drawn), 1.0)
    return weights
