"""Two stretches of days of one source: how far apart their rates are, and how likely that is by chance.

Reporters and weekends are strata: each has a level of its own, and only their common shift counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import chance

Floats = NDArray[np.float64]

OUTLYING = 2.5  # distances of the usual size at which a day begins to count less
PLACES = (0.5, 0.7, 0.85)  # parts of the way from the old level to the new
PARAMETERS = 3  # of the fit, by days: two levels, and one for weekends


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some days' counts by stratum: shape (strata, days). `trust` (days) is how much of a day counts."""

    messages: Floats
    aligned: Floats
    trust: Floats

    def sums(self) -> tuple[Floats, Floats]:
        """Messages by stratum, as trusted, and their aligned share; 0 without messages."""
        total = self.messages @ self.trust
        return total, (self.aligned @ self.trust) / np.maximum(total, 1e-12)


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a stretch that can be compared (`seen` says which): by day its share in the mean, its
    distance from the fit, and its messages as trusted. `spread` is the variance of one message."""

    seen: NDArray[np.bool_]
    share: Floats
    off: Floats
    messages: Floats
    spread: float

    @classmethod
    def of(cls, stretch: Stretch, weight: Floats, sums: tuple[Floats, Floats], fitted: Floats) -> Days:
        """The days around a fit that gives each stratum a rate. `sums` are the stretch's."""
        total, rate = sums
        part = weight / np.maximum(total, 1e-12)
        share = (part @ stretch.messages) * stretch.trust
        seen = share > 0
        off = (part @ (stretch.aligned - stretch.messages * fitted[:, None])) * stretch.trust
        messages = (stretch.messages.sum(axis=0) * stretch.trust)[seen]
        return cls(seen, share[seen], off[seen] / share[seen], messages, _spread(float(weight @ rate)))


@dataclass(frozen=True, slots=True)
class Fit:
    """Each stratum at a level of its own, all of them moved by `shift` from the first stretch to the second."""

    shift: float
    days: tuple[Days, Days]

    @classmethod
    def of(cls, early: Stretch, late: Stretch) -> Fit | None:
        """The stratified difference of Mantel and Haenszel (1959); None where no stratum is in both stretches."""
        sums = early.sums(), late.sums()
        (one, rate), (two, late_rate) = sums
        total = one + two
        weight = np.divide(one * two, total, out=np.zeros_like(total), where=total > 0)
        if not weight.sum() > 0:
            return None
        weight /= weight.sum()
        shift = float(weight @ (late_rate - rate))
        level = (one * rate + two * (late_rate - shift)) / np.maximum(total, 1e-12)
        return cls(shift, (Days.of(early, weight, sums[0], level), Days.of(late, weight, sums[1], level + shift)))


def fit(early: Stretch, late: Stretch) -> Fit | None:
    """The fit with days far off the others counting less, as in Huber's estimate (1964)."""
    found = Fit.of(early, late)
    for _ in range(2):
        if found is None:
            return None
        early, late = (_doubted(part, days) for part, days in zip((early, late), found.days, strict=True))
        found = Fit.of(early, late)
    return found


def error(days: Days) -> float:
    """The standard error of a stretch's rate by the days' own scatter (White 1980), never below that of counting."""
    count = days.off.size
    own = float(((days.share * days.off) ** 2).sum()) * count / max(1, count - 1)
    return math.sqrt(max(own, days.spread * float((days.share**2 / days.messages).sum())))


def p_value(found: Fit, wander: float = 1.0) -> float:
    """How likely so great a shift is between these two stretches if nothing changed.

    `wander` is the variance of the source's weeks, in units of what its days' weights allow.
    """
    return max(_student(found, wander), _sides(found))


def _doubted(stretch: Stretch, days: Days) -> Stretch:
    scaled = np.abs(days.off - _median(days.off)) * np.sqrt(days.messages)
    usual = max(1.5 * _median(scaled), math.sqrt(days.spread))
    trust = stretch.trust.copy()
    trust[days.seen] /= np.maximum(1.0, scaled / (OUTLYING * usual))
    return Stretch(stretch.messages, stretch.aligned, trust)


def _median(values: Floats) -> float:
    """As np.median finds it, several times as fast for the few values there are."""
    ordered = np.sort(values)
    return float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2


def _student(found: Fit, wander: float) -> float:
    """By the days' own scatter: the shift over its quasi-binomial error (Wedderburn 1974).

    A day that resembles the day before tells less than a day.
    """
    scatter = memory = error = 0.0
    for days in found.days:
        scaled = days.off * np.sqrt(days.messages / days.spread)
        scatter += float(scaled @ scaled)
        memory += float(scaled[1:] @ scaled[:-1])
        error += days.spread * float((days.share**2 / days.messages).sum())
    count = sum(days.off.size for days in found.days)
    freedom = count - PARAMETERS
    if freedom < 1:
        return 1.0
    error *= max(wander, max(1.0, scatter / freedom) * _carried(memory / max(scatter, 1e-12), count))
    return chance.student(found.shift / math.sqrt(error), freedom)


def _carried(lag_one: float, days: int) -> float:
    """How many days are worth one when each resembles the day before (Bartlett 1946)."""
    # Taking out two means makes neighbours look less alike than they are, by about two over the days.
    memory = min(0.8, max(0.0, lag_one + 2 / days))
    return (1 + memory) / (1 - memory) if memory > 2 / math.sqrt(days) else 1.0


def _sides(found: Fit) -> float:
    """By counting days beyond a place between the two levels, whatever the shape of their scatter.

    Mood's median test (1954), so that a few very bad days cannot pass for a new level; at three places, as a
    restless source has days half-way but none all the way. Where all days lie on their own side of the middle
    it has nothing to object: 0. Asked one way only, as the way is known by then; the shift itself is asked both ways.
    """
    near, far = (days.off * math.copysign(1.0, found.shift) for days in found.days)
    tried = [_beyond(near, far, abs(found.shift), place) for place in PLACES]
    return 0.0 if tried[0] == 0.0 else min(1.0, len(PLACES) * min(tried))


def _beyond(near: Floats, far: Floats, shift: float, place: float) -> float:
    """The chance that so many of the later days lie beyond that part of the way to the new level."""
    crossed, beyond = int((near >= place * shift).sum()), int((far >= (place - 1) * shift).sum())
    if place == PLACES[0] and not crossed and beyond == far.size:
        return 0.0
    return chance.hypergeometric(beyond, far.size, crossed + beyond, far.size + near.size)


def _spread(rate: float) -> float:
    # Near 0 and 1 a rate seems to have no variance; a hundredth keeps rare failures from looking like news.
    return max(rate * (1 - rate), 0.01)
