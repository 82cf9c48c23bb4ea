"""How much would a policy block in days to come? A range, by drawing weeks again that were seen.

Mail comes in bursts: a newsletter is one day's 10,000 messages. So days are not drawn one by one but in runs of a
week, which keeps weekdays and bursts together (moving-block bootstrap), for all senders the same runs, since a
campaign goes through all who pass it on. Each sender's runs come from its own present alone, and are
raised or lowered by its growth (`level`).
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.level import CLUMP, WEEK, Level, level
from analysis.numbers import Floats, Ints, np

DRAWS = 400
SEED = 7489
STEP = 40  # draws at a time, so that memory stays flat whatever the number of sources
FEW = 10.0  # messages below which nothing is said of a source's level: the window is one piece
MOST = 1000  # and the largest so many have a level of their own: a botnet's machines are one crowd
FARTHEST = 1.0  # growth carries a level at most so far (in its logarithm): nothing grows for ever


@dataclass(frozen=True, slots=True)
class Mail:
    """Failing mail in rows, sorted by `unit` (what a number is wanted of): its day, who reported it, and messages.

    Of the `failing` messages `sure` were refused, and will be again; `open` are in the hands of the reporter's manner.
    Days and reporters are numbers from 0, as are units, each of which has a row.
    """

    unit: Ints
    day: Ints
    reporter: Ints
    failing: Floats
    sure: Floats
    open: Floats

    @property
    def units(self) -> int:
        """How many units."""
        return int(self.unit[-1]) + 1 if len(self.unit) else 0


def refusals(mail: Mail, days: tuple[int, int], shares: Floats) -> Floats:
    """Messages of each unit (column) that may be refused in days to come, in each draw (row), at its present level.

    `days` are how many were seen and how many are to come. `shares`: what each reporter (column) may refuse of open
    mail in each draw.
    """
    random = np.random.default_rng(SEED)
    totals = np.zeros((len(shares), mail.units))
    if not mail.units:
        return totals
    calendar = _Calendar(*days, random.random((DRAWS, -(-days[1] // WEEK))))
    whole = calendar.weights(np.zeros(DRAWS, np.int64))
    starts = np.searchsorted(mail.unit, np.arange(mail.units))
    for first in range(0, len(shares), STEP):
        part = slice(first, first + STEP)
        each = whole[part][:, mail.day] * (mail.sure + shares[part][:, mail.reporter] * mail.open)
        totals[part] = np.add.reduceat(each, starts, axis=1)
    # What a sender does, whatever receivers made of it: that they refuse more is no turn of its mail.
    by_day = np.zeros((mail.units, days[0]))
    np.add.at(by_day, (mail.unit, mail.day), mail.failing)
    sums = by_day.sum(axis=1)
    some = np.sort(np.argsort(-sums, kind="stable")[:MOST])
    some = some[sums[some] >= FEW]
    found = level(by_day[some])
    ends = np.append(starts, len(mail.unit))
    for at, unit in enumerate(some.tolist()):
        rows = slice(ends[unit], ends[unit + 1])
        weights = _own(calendar, found, at, random)
        refused = mail.sure[rows] + shares[:, mail.reporter[rows]] * mail.open[rows]
        totals[:, unit] = (weights[:, mail.day[rows]] * refused).sum(axis=1)
    return totals


def strayed(totals: Floats, spread: Floats) -> Floats:
    """The totals of units with what nothing seen can tell: levels that change between then and now, and chance.

    `spread` of each unit is the standard deviation of the logarithm of its level.
    """
    random = np.random.default_rng(SEED)
    levels = np.exp(spread * random.standard_normal(totals.shape))
    clumps = np.sqrt(CLUMP * totals) * random.standard_normal(totals.shape)
    return np.asarray(np.maximum(totals * levels + clumps, 0.0), np.float64)


def _own(calendar: _Calendar, found: Level, at: int, random: np.random.Generator) -> Floats:
    """How much each day (column) counts for one unit in each draw (row): drawn from its present, and grown."""
    began = np.searchsorted(found.began[at].cumsum(), random.random(DRAWS))
    slope = found.slope[at] + found.doubt[at] * random.standard_normal(DRAWS)
    return calendar.weights(np.minimum(began, calendar.seen - 1), slope)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The runs that each draw takes its days to come from. `luck` is where each of them begins, between 0 and 1."""

    seen: int
    ahead: int
    luck: Floats

    def weights(self, began: Ints, slope: Floats | None = None) -> Floats:
        """How much each day seen (column) counts in each draw (row), of units that began on some day of the window.

        The end of the window is joined to its beginning, so that every day is as likely as another.
        """
        long = self.seen - began[:, None]
        first = np.floor(self.luck * long).astype(np.int64)
        run = np.arange(WEEK) % np.minimum(long[:, :, None], WEEK)
        drawn = (began[:, None, None] + (first[:, :, None] + run) % long[:, :, None]).reshape(DRAWS, -1)
        drawn = drawn[:, : self.ahead]
        grown = np.ones(drawn.shape)
        if slope is not None:
            ahead = self.seen + np.arange(self.ahead) - drawn
            grown = np.exp(np.clip(slope[:, None] * ahead, -FARTHEST, FARTHEST))
        weights = np.zeros((DRAWS, self.seen))
        np.add.at(weights, (np.arange(DRAWS)[:, None], drawn), grown)
        return weights
