"""How much would a policy block in a month like this one? A range, by resampling whole weeks.

Mail comes in bursts: a newsletter is one day's 10,000 messages. So days are not drawn one by one
but in runs of a week, which keeps weekdays and bursts together (moving-block bootstrap, with the
end of the window joined to its beginning so that every day counts equally).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 7
DRAWS = 400
SEED = 7489
CLUMP = 3.0  # messages that come together: what is one of a kind varies as so many times a Poisson count
STEP = 40  # draws at a time, so that memory stays flat whatever the number of sources


@dataclass(frozen=True, slots=True)
class Mail:
    """Failing mail in rows, sorted by `unit` (what a number is wanted of): its day, who reported it, and messages.

    `sure` were refused, and will be again; `open` are in the hands of the reporter's manner. Days and reporters are
    numbers from 0, as are units, each of which has a row.
    """

    unit: NDArray[np.int64]
    day: NDArray[np.int64]
    reporter: NDArray[np.int64]
    sure: NDArray[np.float64]
    open: NDArray[np.float64]


def refusals(
    mail: Mail, days: tuple[int, int], shares: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Messages of each unit (column) that may be refused in days to come, in each draw (row).

    `days` are how many were seen and how many are to come. `shares`: what each reporter (column) may refuse of open
    mail in each draw. `spread`: how much each unit's level may change between then and now, as a standard deviation
    of its logarithm: days drawn again know nothing of senders that grow, and of campaigns yet to come.
    """
    random = np.random.default_rng(SEED)
    weights = _weights(*days, random)
    units = len(spread)
    totals = np.zeros((len(shares), units))
    if not units:
        return totals
    starts = np.searchsorted(mail.unit, np.arange(units))
    for first in range(0, len(shares), STEP):
        part = slice(first, first + STEP)
        each = weights[part][:, mail.day] * (mail.sure + shares[part][:, mail.reporter] * mail.open)
        totals[part] = np.add.reduceat(each, starts, axis=1)
    level = np.exp(spread * random.standard_normal(totals.shape))
    clumps = np.sqrt(CLUMP * totals) * random.standard_normal(totals.shape)
    return np.maximum(totals * level + clumps, 0.0)


def _weights(days: int, ahead: int, random: np.random.Generator) -> NDArray[np.float64]:
    """How often each day (column) was drawn in each of the draws (row), for so many days to come."""
    block = min(BLOCK, days)
    starts = random.integers(0, days, size=(DRAWS, -(-ahead // block)))
    drawn = (starts[:, :, None] + np.arange(block)) % days
    drawn = drawn.reshape(DRAWS, -1)[:, :ahead]
    weights = np.zeros((DRAWS, days))
    np.add.at(weights, (np.arange(DRAWS)[:, None], drawn), 1.0)
    return weights
