"""Like with like: a source's days before and after, compared within each reporter.

A reporter that falls silent, begins, or sees another share of the mail changes a source's rate without
anything having changed at the source. So every comparison here is made within one reporter (and apart
for weekends, which have mail of their own), and only then put together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import chance

Floats = NDArray[np.float64]

ABLE = 10  # messages on each side from which a reporter's word counts


@dataclass(frozen=True, slots=True)
class Counts:
    """One source and mechanism by reporter and day: shape (reporters, days), all but `weekend` (days).

    `trust` is between 0 and 1: how much of a day's messages count, so that a day with very many is not
    taken for very many days.
    """

    messages: Floats
    aligned: Floats
    trust: Floats
    weekend: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two stretches of days.

    `before` and `after` are over the reporters seen in both, in the proportions of the later mail; `shift`
    is the same change with no day counting for more than it is worth. `p_value` is for these stretches as
    if nobody had searched for them. `able` reporters had enough mail in both, `showing` of them moved with
    the whole. `lone` is the row that alone moved though others could have, `sole_row` the row that alone
    could tell.
    """

    before: float
    after: float
    shift: float
    messages_before: float
    messages_after: float
    p_value: float
    able: int
    showing: int
    lone: int | None
    sole_row: int | None

    @property
    def change(self) -> float:
        """After minus before; 0 where it hangs on a few days with very much mail."""
        raw = self.after - self.before
        return math.copysign(min(abs(raw), abs(self.shift)), raw) if raw * self.shift > 0 else 0.0


def by_day(messages: Floats, aligned: Floats, owner: NDArray[np.int64]) -> Floats:
    """The rate of each source on each day, freed of who reported: shape (sources, days).

    `owner` gives each row its source, ascending. Reporters that always see more or less of the trouble
    have an offset of their own, found by alternating least squares (rate = source's day + reporter).
    """
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    of_day = np.maximum(np.add.reduceat(messages, starts), 1e-9)
    of_row = np.maximum(messages.sum(axis=1), 1e-9)
    offset = aligned.sum(axis=1) / of_row
    level = np.add.reduceat(aligned.sum(axis=1), starts) / np.add.reduceat(of_row, starts)
    offset -= level[owner]
    several = np.diff(starts, append=owner.size) > 1
    day = (np.add.reduceat(aligned - messages * offset[:, None], starts)) / of_day
    if several.any():
        rows = several[owner]
        for _ in range(4):
            offset[rows] = ((aligned[rows] - messages[rows] * day[owner[rows]]).sum(axis=1)) / of_row[rows]
            day = np.add.reduceat(aligned - messages * offset[:, None], starts) / of_day
    return day


def compare(counts: Counts, before: slice, after: slice) -> Comparison | None:
    """Two stretches of days of one source; None where no reporter saw both."""
    early, late = _Side.of(counts, before), _Side.of(counts, after)
    weight = np.divide(
        early.total * late.total, early.total + late.total, out=np.zeros_like(early.total), where=early.total > 0
    )
    both = (early.raw > 0) & (late.raw > 0)
    if not both.any() or not weight.sum():
        return None
    weight /= weight.sum()
    shift = float(weight @ (late.rate - early.rate))
    share = late.raw * both / (late.raw * both).sum()
    p_value = max(_student(early, late, weight, shift), _ranks(early, late, weight, shift))
    able, showing = _witnesses(counts, before, after, shift)
    return Comparison(
        before=float(share @ early.rate_raw),
        after=float(share @ late.rate_raw),
        shift=shift,
        messages_before=float((early.raw * both).sum()),
        messages_after=float((late.raw * both).sum()),
        p_value=p_value,
        able=int(able.sum()),
        showing=int(showing.sum()),
        lone=_only(showing) if able.sum() > 1 else None,
        sole_row=_only(able),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One stretch, by stratum (reporter on working days, then on weekends) and day."""

    messages: Floats
    aligned: Floats
    total: Floats
    rate: Floats
    raw: Floats
    rate_raw: Floats

    @classmethod
    def of(cls, counts: Counts, days: slice) -> _Side:
        weekend = counts.weekend[days]
        apart = np.concatenate([counts.messages[:, days] * ~weekend, counts.messages[:, days] * weekend])
        aligned = np.concatenate([counts.aligned[:, days] * ~weekend, counts.aligned[:, days] * weekend])
        trust = counts.trust[days]
        messages, trusted = apart * trust, aligned * trust
        total, raw = messages.sum(axis=1), apart.sum(axis=1)
        return cls(
            messages,
            trusted,
            total,
            trusted.sum(axis=1) / np.maximum(total, 1e-12),
            raw,
            aligned.sum(axis=1) / np.maximum(raw, 1e-12),
        )

    def influence(self, weight: Floats) -> tuple[Floats, Floats, Floats]:
        """By day with mail: its part in the mean, its distance from it, and its messages."""
        part = weight / np.maximum(self.total, 1e-12)
        share, messages = part @ self.messages, self.messages.sum(axis=0)
        off = part @ (self.aligned - self.messages * self.rate[:, None])
        seen = share > 0
        return share[seen], off[seen] / share[seen], messages[seen]


def _student(early: _Side, late: _Side, weight: Floats, change: float) -> float:
    """How likely so great a change is, days being drawn at random from a state that never changed.

    The stratified difference of Mantel and Haenszel (1959) over its quasi-binomial error (Wedderburn
    1974): the days' own scatter, with what one day takes over from the day before.
    """
    scatter, error, days = 0.0, 0.0, 0
    memory = [0.0, 1e-12]
    parts = [side.influence(weight) for side in (early, late)]
    spreads = [_spread(float(weight @ side.rate)) for side in (early, late)]
    for (share, off, messages), spread in zip(parts, spreads, strict=True):
        scaled = off * np.sqrt(messages / spread)
        scatter += float(scaled @ scaled)
        memory[0] += float(scaled[1:] @ scaled[:-1])
        memory[1] += float(scaled @ scaled)
        error += float(spread * (share**2 / messages).sum())
        days += share.size
    freedom = days - 2
    if freedom < 1:
        return 1.0
    error *= max(1.0, scatter / freedom) * _carried(memory[0] / memory[1], days)
    return chance.student(change / math.sqrt(error), freedom)


def _carried(lag_one: float, days: int) -> float:
    """How many days are worth one when each resembles the day before (Bartlett 1946)."""
    # Taking out two means makes neighbours look less alike than they are, by about two over the days.
    memory = min(0.8, max(0.0, lag_one + 2 / days))
    return (1 + memory) / (1 - memory) if memory > 2 / math.sqrt(days) else 1.0


def _spread(rate: float) -> float:
    return max(rate * (1 - rate), 0.01)


def _ranks(early: _Side, late: _Side, weight: Floats, change: float) -> float:
    """How likely it is that so many of the later days lie beyond the middle, whatever their scatter's shape.

    Mood's median test (1954) cut halfway between the two levels: a few very bad days cannot carry it.
    """
    half = abs(change) / 2
    sign = math.copysign(1.0, change)
    near = early.influence(weight)[1] * sign >= half
    far = late.influence(weight)[1] * sign >= -half
    marked = int(near.sum() + far.sum())
    return min(1.0, 2 * chance.hypergeometric(int(far.sum()), far.size, marked, far.size + near.size))


def _only(rows: NDArray[np.bool_]) -> int | None:
    """The one row that is marked, unless it is the last, which stands for many small reporters."""
    marked = np.flatnonzero(rows)
    return int(marked[0]) if marked.size == 1 and marked[0] < rows.size - 1 else None


def _witnesses(
    counts: Counts, before: slice, after: slice, change: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which reporters had enough mail on both sides to tell, and which of them saw half the change or more.

    The last place is for all the small reporters together.
    """
    sums = np.stack(
        [part[:, days].sum(axis=1) for days in (before, after) for part in (counts.messages, counts.aligned)]
    )
    both = (sums[0] > 0) & (sums[2] > 0)
    able = both & (sums[0] >= ABLE) & (sums[2] >= ABLE)
    sums = np.concatenate([sums, sums[:, both & ~able].sum(axis=1, keepdims=True)], axis=1)
    early, early_aligned, late, late_aligned = sums
    able = np.append(able, (early[-1] >= ABLE) & (late[-1] >= ABLE))
    moved = late_aligned / np.maximum(late, 1) - early_aligned / np.maximum(early, 1)
    return able, able & (moved * math.copysign(1.0, change) >= abs(change) / 2)
