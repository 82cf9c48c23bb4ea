"""A change of one source's alignment in dates, rates and messages: what detection finds, without names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from analysis.compare import Counts
from analysis.moves import Move
from analysis.numbers import np

SAME_TIME = timedelta(days=3)  # within which two steps of a source are one event
WEEK = 7
SLOW = timedelta(days=14)  # the same where one is a slide, whose beginning is known less well


@dataclass(frozen=True, slots=True)
class Change:
    """One source moved by one mechanism.

    `before` and `after` are rates between 0 and 1 over the reporters that saw both, in the proportions
    of the later mail. `messages` lost alignment (or won it) from `started_on` to the next change, which is on
    `until` (None: none yet). `lately` are the messages and those aligned on the last days with mail, a week at most.
    `ended_on` is the day a slide settled; None for a step, and for a slide that goes on. `reporters`
    show it, `able_reporters` had enough mail to; `sole_reporter` is the one that had, if just one.
    `follows` names the mechanism whose change at that time explains this one. `started_between`, `before_range`
    and `after_range` hold the first day and the rates at 95 %.
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
    messages: int
    p_value: float
    reporters: int
    able_reporters: int
    sole_reporter: str | None = None
    follows: str | None = None
    started_between: tuple[date, date] | None = None
    before_range: tuple[float, float] | None = None
    after_range: tuple[float, float] | None = None
    lately: tuple[tuple[date, int, int], ...] = ()

    @property
    def loss(self) -> bool:
        """Whether alignment went down."""
        return self.after < self.before

    def latest(self, newest: date) -> float | None:
        """The rate of the seven days up to the newest one; None without mail."""
        last = [(messages, aligned) for day, messages, aligned in self.lately if (newest - day).days < WEEK]
        messages = sum(each for each, _ in last)
        return sum(each for _, each in last) / messages if messages else None

    def per_week(self, newest: date) -> int:
        """What `messages` comes to in a week."""
        days = ((self.until or newest + timedelta(days=1)) - self.started_on).days
        return round(self.messages * WEEK / max(1, days))

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
            messages=touched,
            p_value=move.p_value,
            reporters=seen.showing,
            able_reporters=seen.able,
            sole_reporter=None if seen.sole_row is None else self.reporters[seen.sole_row],
            started_between=(self.day(between[0]), self.day(between[1])),
            before_range=found.before_range,
            after_range=found.after_range,
            lately=self._lately(),
        )

    def _lately(self) -> tuple[tuple[date, int, int], ...]:
        messages, aligned = self.counts.messages.sum(axis=0), self.counts.aligned.sum(axis=0)
        days = range(max(0, messages.size - WEEK), messages.size)
        return tuple((self.day(at), int(messages[at]), int(aligned[at])) for at in days if messages[at])

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
