"""A change of one source's alignment in dates, rates and messages: what detection finds, without names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from analysis.compare import Counts
from analysis.moves import Move

SAME_TIME = timedelta(days=3)  # within which two steps of a source are one event
SLOW = timedelta(days=14)  # the same where one is a slide, whose beginning is known less well


@dataclass(frozen=True, slots=True)
class Change:
    """One source moved by one mechanism.

    `before` and `after` are rates between 0 and 1 over the reporters that saw both, in the proportions
    of the later mail; `latest` is the rate of the last seven days, None without mail. `messages` lost
    alignment (or won it) from `started_on` to the next change, which is on `until` (None: none yet).
    `ended_on` is the day a slide settled; None for a step, and for a slide that goes on. `reporters`
    show it, `able_reporters` had enough mail to; `sole_reporter` is the one that had, if just one.
    `follows` names the mechanism whose change at that time explains this one. `started_between`, `before_range`
    and `after_range` hold the first day and the rates at 95 %; `per_week` is what `messages` comes to in a week.
    """

    domain: str
    source_key: str
    mechanism: str
    shape: str
    started_on: date
    ended_on: date | None
    until: date | None
    before: float
    after: float
    latest: float | None
    messages: int
    p_value: float
    reporters: int
    able_reporters: int
    sole_reporter: str | None = None
    follows: str | None = None
    started_between: tuple[date, date] | None = None
    before_range: tuple[float, float] | None = None
    after_range: tuple[float, float] | None = None
    per_week: int = 0

    @property
    def loss(self) -> bool:
        """Whether alignment went down."""
        return self.after < self.before

    def meets(self, other: Change) -> bool:
        """Whether the other is of the same source and began at about the same time."""
        slack = SAME_TIME if self.shape == other.shape == "step" else SLOW
        return (self.domain, self.source_key) == (other.domain, other.source_key) and (
            abs(self.started_on - other.started_on) <= slack
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """One source and mechanism from day `first` on, to put moves into dates and messages.

    `reporters` are the names of the rows of `counts`.
    """

    key: tuple[str, str]
    mechanism: str
    first: date
    reporters: list[str]
    counts: Counts

    def day(self, at: int) -> date:
        """The date of a day of the series."""
        return self.first + timedelta(days=at)

    def without(self, rows: set[int]) -> Reading:
        """The same without some reporters."""
        kept = [row for row in range(len(self.reporters)) if row not in rows]
        counts = replace(self.counts, messages=self.counts.messages[kept], aligned=self.counts.aligned[kept])
        return replace(self, reporters=[self.reporters[row] for row in kept], counts=counts)

    def change(self, move: Move, between: tuple[int, int], until: int | None) -> Change:
        """A move that began `between` two days in words and numbers for people; `until` is the day of the next one."""
        found, touched = move.comparison, self._touched(move, until)
        seen = found.witnesses
        return Change(
            domain=self.key[0],
            source_key=self.key[1],
            mechanism=self.mechanism,
            shape=move.shape,
            started_on=self.day(move.first),
            ended_on=self.day(move.arrived) if move.shape == "slide" and move.arrived is not None else None,
            until=None if until is None else self.day(until),
            before=found.before,
            after=found.after,
            latest=self._latest(),
            messages=touched,
            p_value=move.p_value,
            reporters=seen.showing,
            able_reporters=seen.able,
            sole_reporter=None if seen.sole_row is None else self.reporters[seen.sole_row],
            started_between=(self.day(between[0]), self.day(between[1])),
            before_range=found.before_range,
            after_range=found.after_range,
            per_week=round(touched * 7 / max(1, (until or self.counts.trust.size) - move.first)),
        )

    def _latest(self) -> float | None:
        messages = self.counts.messages[:, -7:].sum()
        return float(self.counts.aligned[:, -7:].sum() / messages) if messages else None

    def _touched(self, move: Move, until: int | None) -> int:
        """How many messages fared otherwise than at the rate before: by day, each reporter at its own rate."""
        early, late = slice(move.begin, move.first), slice(move.first, until)
        seen = self.counts.messages[:, early].sum(axis=1)
        aligned = self.counts.aligned[:, early].sum(axis=1)
        rate = np.where(seen > 0, aligned / np.maximum(seen, 1), move.comparison.before)
        expected = rate @ self.counts.messages[:, late]
        observed = self.counts.aligned[:, late].sum(axis=0)
        off = expected - observed if move.comparison.change < 0 else observed - expected
        return round(float(np.maximum(0.0, off).sum()))
