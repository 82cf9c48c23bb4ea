"""Two stretches of days of one source: how far apart their rates are, and how likely that is by chance.

Reporters and weekends are strata: each has a level of its own, and only their common shift counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis import chance
from analysis.numbers import Bools, Floats, np

OUTLYING = 2.5  # distances of the usual size at which a day begins to count less
PLACES = (0.5, 0.7, 0.85)  # parts of the way from the old level to the new
PARAMETERS = 3  # of the fit, by days: two levels, and one for weekends


@dataclass(frozen=True, slots=True)
class Strata:
    """One source's counts by stratum and day: shape (strata, days). `trust` (days) is how much of a day counts."""

    messages: Floats
    aligned: Floats
    trust: Floats


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a stretch that can be compared: by day its share in the mean, its distance from the fit, and its
    messages as trusted. `spread` is the variance of one message."""

    share: Floats
    off: Floats
    messages: Floats
    spread: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Each stratum at a level of its own, all of them moved by a `shift` from one stretch to another, for many pairs.

    `shift` and `valid` (whether any stratum is in both stretches) have one value a pair; the others have a row for each
    first stretch and then one for each second, and but for `spread` a column a day. 0 where a day is not `seen`.
    """

    shift: Floats
    valid: Bools
    seen: Bools
    share: Floats
    off: Floats
    messages: Floats
    spread: Floats

    def days(self, pair: int) -> tuple[Days, Days]:
        """The days of both stretches of a pair."""
        rows = pair, pair + self.shift.size
        found = (
            Days(self.share[row, seen], self.off[row, seen], self.messages[row, seen], float(self.spread[row]))
            for row, seen in ((row, self.seen[row]) for row in rows)
        )
        return next(found), next(found)


def fits(strata: Strata, stretches: Sequence[tuple[slice, slice]]) -> Fit:
    """The fit of each pair of stretches, with days far off the others counting less, as in Huber's estimate (1964)."""
    day = np.arange(strata.trust.size)
    every = [*(early for early, _ in stretches), *(late for _, late in stretches)]
    begins, ends = (np.array(edges)[:, None] for edges in zip(*((one.start, one.stop) for one in every), strict=True))
    trusted = np.where((day >= begins) & (day < ends), strata.trust, 0.0)
    found = _fit(strata, trusted)
    for _ in range(2):
        trusted = _doubted(trusted, found)
        found = _fit(strata, trusted)
    return found


def _fit(strata: Strata, trusted: Floats) -> Fit:
    """The stratified differences of Mantel and Haenszel (1959); `trusted` says by stretch how much of a day counts."""
    pairs = trusted.shape[0] // 2
    total = trusted @ strata.messages.T
    rate = (trusted @ strata.aligned.T) / np.maximum(total, 1e-12)
    one, two = total[:pairs], total[pairs:]
    both = one + two
    weight = np.divide(one * two, both, out=np.zeros_like(both), where=both > 0)
    whole = weight.sum(axis=1, keepdims=True)
    weight /= np.maximum(whole, 1e-12)
    shift = (weight * (rate[pairs:] - rate[:pairs])).sum(axis=1)
    level = (one * rate[:pairs] + two * (rate[pairs:] - shift[:, None])) / np.maximum(both, 1e-12)
    fitted, weight = np.concatenate([level, level + shift[:, None]]), np.concatenate([weight, weight])
    part = weight / np.maximum(total, 1e-12)
    share = (part @ strata.messages) * trusted
    seen = share > 0
    off = (part @ strata.aligned - (part * fitted) @ strata.messages) * trusted
    middle = (weight * rate).sum(axis=1)
    return Fit(
        shift=shift,
        valid=whole[:, 0] > 0,
        seen=seen,
        share=share,
        off=np.divide(off, share, out=np.zeros_like(off), where=seen),
        messages=strata.messages.sum(axis=0) * trusted * seen,
        # Near 0 and 1 a rate seems to have no variance; a hundredth keeps rare failures from looking like news.
        spread=np.maximum(middle * (1 - middle), 0.01),
    )


def error(days: Days) -> float:
    """The standard error of a stretch's rate by the days' own scatter (White 1980), never below that of counting."""
    count = days.off.size
    own = float(((days.share * days.off) ** 2).sum()) * count / max(1, count - 1)
    return math.sqrt(max(own, days.spread * float((days.share**2 / days.messages).sum())))


def p_value(shift: float, days: tuple[Days, Days], wander: float = 1.0) -> float:
    """How likely so great a shift is between two stretches if nothing changed.

    `wander` is the variance of the source's weeks, in units of what its days' weights allow.
    """
    return max(_student(shift, days, wander), _sides(shift, days))


def below(bound: float, shift: float, days: tuple[Days, Days], wander: float) -> bool:
    """Whether that is less likely than a bound."""
    return _student(shift, days, wander) < bound and _sides(shift, days) < bound


def _doubted(trusted: Floats, found: Fit) -> Floats:
    scaled = np.abs(found.off - _median(found.off, found.seen)) * np.sqrt(found.messages)
    usual = np.maximum(1.5 * _median(scaled, found.seen), np.sqrt(found.spread)[:, None])
    return trusted / np.where(found.seen, np.maximum(1.0, scaled / (OUTLYING * usual)), 1.0)


def _median(values: Floats, seen: Bools) -> Floats:
    """The median of what is seen in each row, as a column; 0 where nothing is."""
    ordered = np.sort(np.where(seen, values, np.inf), axis=1)
    count, row = seen.sum(axis=1), np.arange(seen.shape[0])
    middle = (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, count // 2]) / 2
    return np.where(count > 0, middle, 0.0)[:, None]


def _student(shift: float, stretches: tuple[Days, Days], wander: float) -> float:
    """By the days' own scatter: the shift over its quasi-binomial error (Wedderburn 1974).

    A day that resembles the day before tells less than a day.
    """
    scatter = memory = error = 0.0
    for days in stretches:
        scaled = days.off * np.sqrt(days.messages / days.spread)
        scatter += float(scaled @ scaled)
        memory += float(scaled[1:] @ scaled[:-1])
        error += days.spread * float((days.share**2 / days.messages).sum())
    count = sum(days.off.size for days in stretches)
    freedom = count - PARAMETERS
    if freedom < 1:
        return 1.0
    error *= max(wander, max(1.0, scatter / freedom) * _carried(memory / max(scatter, 1e-12), count))
    return chance.student(shift / math.sqrt(error), freedom)


def _carried(lag_one: float, days: int) -> float:
    """How many days are worth one when each resembles the day before (Bartlett 1946)."""
    # Taking out two means makes neighbours look less alike than they are, by about two over the days.
    memory = min(0.8, max(0.0, lag_one + 2 / days))
    return (1 + memory) / (1 - memory) if memory > 2 / math.sqrt(days) else 1.0


def _sides(shift: float, days: tuple[Days, Days]) -> float:
    """By counting days beyond a place between the two levels, whatever the shape of their scatter.

    Mood's median test (1954), so that a few very bad days cannot pass for a new level; at three places, as a
    restless source has days half-way but none all the way. Where all days lie on their own side of the middle
    it has nothing to object: 0. Asked one way only, as the way is known by then; the shift itself is asked both ways.
    """
    near, far = (one.off * math.copysign(1.0, shift) for one in days)
    tried = [_beyond(near, far, abs(shift), place) for place in PLACES]
    return 0.0 if tried[0] == 0.0 else min(1.0, len(PLACES) * min(tried))


def _beyond(near: Floats, far: Floats, shift: float, place: float) -> float:
    """The chance that so many of the later days lie beyond that part of the way to the new level."""
    crossed, beyond = int((near >= place * shift).sum()), int((far >= (place - 1) * shift).sum())
    if place == PLACES[0] and not crossed and beyond == far.size:
        return 0.0
    return chance.hypergeometric(beyond, far.size, crossed + beyond, far.size + near.size)
