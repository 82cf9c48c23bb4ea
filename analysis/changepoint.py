"""When did it change? Steps and slides in many daily series at once.

A series is one row: `rate` (between 0 and 1) and `weight` (one over the variance of that day's rate; 0
on days without mail), both of shape (series, days). Nothing here knows of mail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from analysis.numbers import Bools, Floats, Ints, np

Spans = tuple[Ints, Ints, Floats]
"""By slide its first day, the day on which it has settled, and its length."""


FEWEST_DAYS = 3  # days with mail on each side: one or two odd days are an outage, not a new state
PRICE = 14.0  # what one more change must explain, in variances: three times the logarithm of 120 days
STILL = 0.01  # a day's rate is never trusted to less than one point, however much mail it had
PLAIN = 6.0  # variances by which one account of some days must be better than another to be preferred
LIKELY, LIKELY_SLIDE = 3.84, 12.8  # chi-squared at 95 %, one degree of freedom; and six: no slide is straight
DAYS_A_WEEK = 7
FEWEST_WEEKS = 8  # neighbouring pairs from which their usual difference can be told
SLIDE_DAYS = 6  # a change that takes fewer days is a step that a few days blur


@dataclass(frozen=True, slots=True)
class Slide:
    """A rate that moves in a straight line from `first` (the first day off the old level) to `settled`.

    `before` and `after` are the levels on either side; `cost` is the weighted sum of squares left over.
    """

    first: int
    settled: int
    before: float
    after: float
    cost: float


def weights(rate: Floats, messages: Floats, level: Floats) -> Floats:
    """One over the variance of each day's rate: that of counting, and the series' own restlessness.

    The day-to-day variance is taken from the differences of neighbouring days (Rice 1984), the largest
    left out, so that a change of level does not pass for noise. It bounds what one day with a great
    deal of mail can say, as the beta-binomial does (Williams 1982). `level` has one rate a series.
    """
    counting = np.divide(_spread(level)[:, None], messages, out=np.zeros_like(messages), where=messages > 0)
    restless = _restless(rate, counting, messages > 0)
    variance = counting + np.maximum(restless, STILL**2)[:, None]
    return np.where(messages > 0, 1 / variance, 0.0)


def wander(rate: Floats, weight: Floats) -> float:
    """How much more the weeks of one series differ than its days' weights allow, in variances; at least 1.

    Over a source that drifts to and fro for weeks, days are no independent witnesses. A week stands for itself by
    its median, as a source may have bad days and not wander. Of the differences between neighbouring weeks the
    largest are left out: a step is in one of them, a slide in a few.
    """
    whole = rate.size // DAYS_A_WEEK * DAYS_A_WEEK
    weeks = weight[-whole:].reshape(-1, DAYS_A_WEEK)
    total = weeks.sum(axis=1)
    kept = (weeks > 0).sum(axis=1) >= FEWEST_DAYS
    both = kept[1:] & kept[:-1]
    if both.sum() < FEWEST_WEEKS:
        return 1.0
    middle = _medians(rate[-whole:].reshape(-1, DAYS_A_WEEK), weeks)
    variance = math.pi / 2 * (1 / total[1:][both] + 1 / total[:-1][both])  # of a median of normal variables
    apart = np.sort(np.diff(middle)[both] ** 2 / variance)
    # The smallest seven tenths of squared normal variables average to a third; three times as much is rare by chance.
    found = float(apart[: int(0.7 * apart.size)].mean()) / 0.33
    return found if found > 3 else 1.0


def _medians(values: Floats, weight: Floats) -> Floats:
    """The weighted median of each row."""
    order = np.argsort(values, axis=1)
    mass = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    at = (mass < mass[:, -1:] / 2).sum(axis=1)
    found: Floats = np.take_along_axis(values, np.take_along_axis(order, at[:, None], axis=1), axis=1)[:, 0]
    return found


def trust(weight: Floats, messages: Floats, level: Floats) -> Floats:
    """How much of each day's messages count, between 0 and 1: as many as its weight is worth."""
    worth = weight * _spread(level)[:, None]
    return np.minimum(1.0, worth / np.maximum(messages, 1))


def _spread(level: Floats) -> Floats:
    # Near 0 and 1 a rate seems to have no variance; a hundredth keeps rare failures from looking like news.
    return np.maximum(level * (1 - level), 0.01)


def _restless(rate: Floats, counting: Floats, active: Bools) -> Floats:
    """The day-to-day variance of each series beyond counting; 1 where there are too few days to tell."""
    order = np.argsort(~active, axis=1, kind="stable")  # days with mail side by side
    rate, counting = np.take_along_axis(rate, order, axis=1), np.take_along_axis(counting, order, axis=1)
    pairs = active.sum(axis=1) - 1
    inside = np.arange(rate.shape[1] - 1) < pairs[:, None]
    squares = np.sort(np.where(inside, np.diff(rate, axis=1) ** 2 / 2, np.inf), axis=1)
    kept = np.maximum(2, (0.9 * pairs).astype(np.int64))
    smallest = np.where(np.arange(squares.shape[1]) < np.minimum(kept, pairs)[:, None], squares, 0.0).sum(axis=1) / kept
    expected = np.where(inside, (counting[:, 1:] + counting[:, :-1]) / 2, 0.0).sum(axis=1) / np.maximum(pairs, 1)
    # The smallest nine tenths of squared normal differences average to 0.6 of all of them.
    return np.where(pairs >= 3, np.maximum(0.0, smallest / 0.6 - expected), 1.0)


def steps(rate: Floats, weight: Floats) -> list[list[int]]:
    """For each series the days on which a new level begins, oldest first.

    Least squares with a price for every change, solved exactly by optimal partitioning (Jackson et al.
    2005). Each level has at least FEWEST_DAYS days with mail.
    """
    series, days = rate.shape
    sums = np.zeros((3, series, days + 1))
    for into, values in zip(sums, (weight, weight * rate, weight > 0), strict=True):
        np.cumsum(values, axis=1, out=into[:, 1:])
    total, moment, active = sums
    best = np.zeros((series, days + 1))
    origin = np.zeros((series, days + 1), dtype=np.int64)
    for end in range(1, days + 1):
        # The squares themselves add up to the same for every cut, so only the means matter.
        part = total[:, end, None] - total[:, :end]
        mean = moment[:, end, None] - moment[:, :end]
        gain = np.divide(mean**2, part, out=np.zeros_like(part), where=part > 0)
        value = best[:, :end] - gain + PRICE
        short = active[:, end, None] - active[:, :end] < FEWEST_DAYS
        # A series with too few days altogether is one level.
        short[:, 0] &= end < days
        value[short] = np.inf
        origin[:, end] = np.argmin(value, axis=1)
        best[:, end] = np.take_along_axis(value, origin[:, end, None], axis=1)[:, 0]
    return [_walk(row, gone) for row, gone in zip(origin, active, strict=True)]


def _walk(origin: Ints, active: Floats) -> list[int]:
    found, end = [], origin.size - 1
    while (start := int(origin[end])) > 0:
        # The level begins on its first day with mail.
        found.append(int(np.searchsorted(active, active[start], side="right")) - 1)
        end = start
    return found[::-1]


def levels(rate: Floats, weight: Floats, changes: list[int]) -> Floats:
    """The level on each day of one series, given its changes."""
    fitted = np.empty_like(rate)
    edges = [0, *changes, rate.size]
    for start, end in pairwise(edges):
        part = weight[start:end]
        fitted[start:end] = (rate[start:end] @ part) / max(part.sum(), 1e-12)
    return fitted


def start_between(rate: Floats, weight: Floats, days: tuple[int, int, int, int]) -> tuple[int, int]:
    """The first and the last day on which a change of one series can have begun, at 95 %.

    `days` are begin, first, settled and end: those of the profile of the squares left over, settled held, within
    a chi-squared quantile of its lowest (Cox and Hinkley 1974). Days without mail before the first bad one count in.
    """
    begin, first, settled, end = days
    part, mass = rate[begin:end], weight[begin:end]
    last = end - 1 if settled == first else settled - 1
    tried = np.array([at for at in range(begin + 1, last + 1) if mass[: at - begin].sum() and mass[at - begin :].sum()])
    if not tried.size:
        return first, first
    since = np.arange(begin, end)[None, :] - tried[:, None] + 1
    length = np.ones_like(tried) if settled == first else np.maximum(1, settled - tried + 1)
    gone = np.clip(since / length[:, None], 0.0, 1.0)
    left = _left_over(part, mass, gone)
    scale = max(1.0, float(left.min()) / max(1, int((mass > 0).sum()) - 3))
    held = tried[left <= left.min() + (LIKELY if settled == first else LIKELY_SLIDE) * scale]
    return min(first, int(held.min())), max(first, int(held.max()))


def _left_over(rate: Floats, weight: Floats, gone: Floats) -> Floats:
    """Weighted squares left over by two levels, for each row of how far the way between them is gone."""
    total, ahead, square = weight.sum(), gone @ weight, gone**2 @ weight
    up, up_ahead = float(weight @ rate), gone @ (weight * rate)
    change = (total * up_ahead - ahead * up) / np.maximum(total * square - ahead**2, 1e-9)
    before = (up - change * ahead) / total
    left: Floats = float(weight @ rate**2) - before * up - change * up_ahead
    return left


def cost(rate: Floats, weight: Floats, changes: list[int]) -> float:
    """The weighted sum of squares that some changes leave unexplained in one series."""
    return float(weight @ (rate - levels(rate, weight, changes)) ** 2)


def slide(rate: Floats, weight: Floats) -> Slide | None:
    """The best straight slide between two levels in one series; None where there is no room for one.

    Every pair of days is tried; the two levels follow by weighted least squares.
    """
    first, settled, length = _spans(rate.size)
    # The first days with mail are the old level.
    since = int(np.searchsorted(np.cumsum(weight > 0), FEWEST_DAYS)) + 1
    part = slice(int(np.searchsorted(first, since)), None)
    first, settled, length = first[part], settled[part], length[part]
    if not first.size:
        return None
    total, up = float(weight.sum()), float(weight @ rate)
    gone, square, up_gone = _slanted(rate, weight, (first, settled, length))
    # What the change between the levels explains: the squares of what it goes with, over its own.
    with_change = total * up_gone - up * gone
    own = np.maximum(total * square - gone**2, 1e-9)
    at = int(np.argmax(with_change**2 / own))
    change = float(with_change[at] / own[at])
    before = float(up - change * gone[at]) / total
    left = float(weight @ rate**2) - before * up - change * float(up_gone[at])
    return Slide(int(first[at]), int(settled[at]), before, before + change, left)


@cache
def _spans(days: int) -> Spans:
    """Every pair of days between which a slide can be among so many, the first ones ascending, and its length."""
    first, settled = np.triu_indices(days, SLIDE_DAYS)
    first, settled = first[first > 0], settled[first > 0]
    return first, settled, (settled - first + 1).astype(np.float64)


def departure(rate: Floats, weight: Floats, slide: Slide) -> int:
    """The first day from which the rate keeps off the old level by a point, in the slide's earlier half.

    A straight line through an uneven slide may begin long before it; the lowest place of the cumulative
    sum of what is missing (Page 1954) does not. It counts where the days before it plainly speak for the
    old level and against the line.
    """
    sign = 1.0 if slide.after < slide.before else -1.0
    half = slice(slide.first, (slide.first + slide.settled) // 2 + 1)
    gone = np.arange(1, half.stop - half.start + 1) / (slide.settled - slide.first + 1)
    off = rate[half] - slide.before
    missing = weight[half] * (-sign * off - STILL)
    against = weight[half] * ((off - gone * (slide.after - slide.before)) ** 2 - off**2)
    days = int(np.argmin(np.concatenate([[0.0], np.cumsum(missing)[:-1]])))
    return slide.first + days if against[:days].sum() > PLAIN else slide.first


def _slanted(rate: Floats, weight: Floats, spans: Spans) -> tuple[Floats, Floats, Floats]:
    """By slide, over the days: the sums of weights times how far it has gone, times its square, and with the rate.

    How far it has gone by a day: one step on its first day, all of it on `settled`.
    """
    first, settled, length = spans
    day, begin = np.arange(1.0, rate.size + 1), np.arange(0.0, rate.size + 1)
    values = np.stack([weight, weight * day, weight * day**2, weight * rate, weight * rate * day])
    flat, line, square, up, up_line = sums = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    # What is to be taken off for the days before the first one, by that day.
    off = line - begin * flat, square - 2 * begin * line + begin**2 * flat, up_line - begin * up
    off_line, off_square, off_up = (values.take(first) for values in off)
    flat, line, square, up, up_line = sums.take(settled + 1, axis=1)
    steps = first.astype(np.float64)
    rest, up_rest = sums[0, -1] - flat, sums[3, -1] - up
    flat *= steps
    gone = (line - flat - off_line) / length + rest
    gone_square = (square - steps * (2 * line - flat) - off_square) / length**2 + rest
    return gone, gone_square, (up_line - steps * up - off_up) / length + up_rest
