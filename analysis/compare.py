"""Like with like: a source's days before and after, compared within each reporter.

A reporter that falls silent, begins, or sees another share of the mail changes a source's rate without
anything having changed at the source. So every comparison here is made within one reporter (and apart
for weekends, which have mail of their own), and only then put together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from analysis.numbers import Bools, Floats, Ints, np
from analysis.stretch import Days, Strata, error, fits, p_value

MOST = 3.0  # usual days that one day may count for when reporters are heard
ABLE = 10  # messages on each side, below which a reporter's word does not count whatever the change


@dataclass(frozen=True)
class Counts:
    """One source and mechanism by reporter and day: shape (reporters, days), all but `weekend` (days).

    `trust` is between 0 and 1: how much of a day's messages count, so that a day with very many is not
    taken for very many days. `wander` is as changepoint.wander gives it.
    """

    messages: Floats
    aligned: Floats
    trust: Floats
    weekend: Bools
    wander: float = 1.0

    @cached_property
    def strata(self) -> Strata:
        """Each reporter once on working days and once on weekends."""
        messages, aligned = (
            np.concatenate([part * ~self.weekend, part * self.weekend]) for part in (self.messages, self.aligned)
        )
        return Strata(messages, aligned, self.trust)

    def even(self, *stretches: slice) -> Counts:
        """The same with no day of a stretch counting for more than a few usual ones of it."""
        share = np.ones(self.trust.size)
        for days in stretches:
            total = self.messages[:, days].sum(axis=0)
            usual = float(np.median(total[total > 0])) if total.any() else 0.0
            share[days] = np.minimum(1.0, MOST * usual / np.maximum(total, 1.0))
        return replace(self, messages=self.messages * share, aligned=self.aligned * share)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """`able` reporters had enough mail in both stretches, `showing` of them moved with the whole.

    `lone` is the row that alone moved though others could have, `sole_row` the row that alone could tell.
    """

    able: int
    showing: int
    lone: int | None
    sole_row: int | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two stretches of days.

    `before` and `after` are over the reporters seen in both, in the proportions of the later mail; `shift`
    is the same change with no day counting for more than it is worth. `days` are those of the fit. How likely it is and
    who shows it is worked out when it is asked for: most are too small, or chance whoever does.
    """

    counts: Counts
    stretches: tuple[slice, slice]
    days: tuple[Days, Days]
    before: float
    after: float
    shift: float
    messages_before: float
    messages_after: float

    @cached_property
    def p_value(self) -> float:
        """How likely it is for these stretches, as if nobody had searched for them."""
        return p_value(self.shift, self.days, self.counts.wander)

    @cached_property
    def witnesses(self) -> Witnesses:
        """Which reporters show it."""
        able, showing = _witnesses(_sums(self.counts.even(*self.stretches), *self.stretches), self.shift)
        lone = _only(showing) if able.sum() > 1 else None
        return Witnesses(int(able.sum()), int(showing.sum()), lone, _only(able))

    @property
    def before_range(self) -> tuple[float, float]:
        """`before` at 95 %."""
        return _range(self.before, error(self.days[0]))

    @property
    def after_range(self) -> tuple[float, float]:
        """`after` at 95 %."""
        return _range(self.after, error(self.days[1]))

    @property
    def change(self) -> float:
        """After minus before; 0 where it hangs on a few days with very much mail."""
        raw = self.after - self.before
        return math.copysign(min(abs(raw), abs(self.shift)), raw) if raw * self.shift > 0 else 0.0


def by_day(messages: Floats, aligned: Floats, owner: Ints) -> Floats:
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


def compare(counts: Counts, stretches: Sequence[tuple[slice, slice]]) -> list[Comparison | None]:
    """Pairs of stretches of days of one source, all at once; None where no reporter saw both."""
    if not stretches:
        return []
    found = fits(counts.strata, stretches)
    return [
        _comparison(counts, pair, float(found.shift[at]), found.days(at)) if found.valid[at] else None
        for at, pair in enumerate(stretches)
    ]


def plainly(counts: Counts, stretches: Sequence[tuple[slice, slice]]) -> tuple[Floats, Floats]:
    """Of each pair what `compare` finds, but for what a few days are worth: how far the second rate is above the first.

    And the fewer messages of the two.
    """
    edges = np.array([(early.start, early.stop, late.start, late.stop) for early, late in stretches]).reshape(-1, 4).T
    told = np.stack([counts.messages, counts.aligned])
    sums = np.pad(np.cumsum(told, axis=2), ((0, 0), (0, 0), (1, 0)))
    begin, first, settled, end = np.moveaxis(sums[..., edges], 2, 0)
    (early, early_aligned), (late, late_aligned) = first - begin, end - settled
    both = (early > 0) & (late > 0)
    weight = late * both / np.maximum((late * both).sum(axis=0), 1)
    apart = late_aligned / np.maximum(late, 1) - early_aligned / np.maximum(early, 1)
    fewest = np.minimum((early * both).sum(axis=0), (late * both).sum(axis=0))
    return (weight * apart).sum(axis=0), fewest


def _comparison(
    counts: Counts, stretches: tuple[slice, slice], shift: float, days: tuple[Days, Days]
) -> Comparison | None:
    early, early_aligned, late, late_aligned = _sums(counts, *stretches)
    both = (early > 0) & (late > 0)
    if not both.any():
        return None
    return Comparison(
        counts=counts,
        stretches=stretches,
        days=days,
        before=float(late[both] @ (early_aligned[both] / early[both]) / late[both].sum()),
        after=float(late_aligned[both].sum() / late[both].sum()),
        shift=shift,
        messages_before=float(early[both].sum()),
        messages_after=float(late[both].sum()),
    )


def _range(rate: float, error: float) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) around a rate, as if from as many messages as its error is worth."""
    z = 1.96
    worth = max(1.0, max(rate * (1 - rate), 0.01) / max(error, 1e-9) ** 2)
    middle = (rate + z * z / (2 * worth)) / (1 + z * z / worth)
    half = z * math.sqrt(rate * (1 - rate) / worth + z * z / (4 * worth * worth)) / (1 + z * z / worth)
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))


def _sums(counts: Counts, before: slice, after: slice) -> Floats:
    """By reporter: messages and aligned before, messages and aligned after; shape (4, reporters)."""
    parts = (counts.messages, counts.aligned)
    return np.stack([part[:, days].sum(axis=1) for days in (before, after) for part in parts])


def _only(rows: Bools) -> int | None:
    """The one row that is marked, unless it is the last, which stands for many small reporters."""
    marked = np.flatnonzero(rows)
    return int(marked[0]) if marked.size == 1 and marked[0] < rows.size - 1 else None


def _witnesses(sums: Floats, shift: float) -> tuple[Bools, Bools]:
    """Which reporters had enough mail on both sides to tell, and which of them saw half the change or more.

    Enough is when counting alone puts half the change two standard errors away. The last place is for all
    the reporters together that had too little.
    """
    both = (sums[0] > 0) & (sums[2] > 0)
    rate = sums[1, both].sum() / sums[0, both].sum(), sums[3, both].sum() / sums[2, both].sum()
    spread = max(0.01, float(np.mean([part * (1 - part) for part in rate])))

    def able(early: Floats, late: Floats) -> Bools:
        error = spread * (1 / np.maximum(early, 1e-9) + 1 / np.maximum(late, 1e-9))
        return (early >= ABLE) & (late >= ABLE) & (4 * np.sqrt(error) <= abs(shift))

    small = both & ~able(sums[0], sums[2])
    early, early_aligned, late, late_aligned = np.append(sums, sums[:, small].sum(axis=1, keepdims=True), axis=1)
    moved = late_aligned / np.maximum(late, 1) - early_aligned / np.maximum(early, 1)
    could = able(early, late)
    return could, could & (moved * math.copysign(1.0, shift) >= abs(shift) / 2)
