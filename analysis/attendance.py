"""Who was there to see? A source is missing only on days on which its reporters would have told of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

import polars as pl

from analysis.genuine import counted
from analysis.grounds import Grounds, told_by
from analysis.keeping import kept
from analysis.numbers import Bools, np
from analysis.reporters import MOST_LATE, Gap, gaps, late_by
from warehouse import reads, reads_changes
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.scope import Scope

Days = Bools

ENOUGH = 0.5  # share of a source's mail whose reporters must be there for its absence to show


@dataclass(frozen=True, slots=True)
class Attendance:
    """For each reporter, from `first` to `newest`, the days on which it would have told of mail.

    It is away before its first report, in its silences, and on the newest days, whose reports are on their way.
    """

    first: date
    newest: date
    there: Mapping[str, Days]

    def seeing(self, shares: Mapping[str, float]) -> Days:
        """The days that count for a source, where reporters told of these shares (or messages) of its mail."""
        total = sum(shares.values())
        seen = np.zeros(self.days)
        for reporter, share in shares.items():
            if reporter in self.there:
                seen += self.there[reporter] * (share / total if total else 0.0)
        days: Days = seen >= ENOUGH
        return days

    def between(self, seeing: Days, after: date, before: date) -> int:
        """How many of the days that count lie after one day and before another."""
        start, end = ((day - self.first).days for day in (after, before))
        return int(np.count_nonzero(seeing[max(0, start + 1) : max(0, end)]))

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.newest - self.first).days + 1


@dataclass(frozen=True, slots=True)
class _Present:
    """For each reporter the stretches of days on which it was there, each from its start up to its end, from `first`.

    `first` is None where there are no reports.
    """

    first: date | None
    there: dict[str, tuple[tuple[int, int], ...]]


def attendance(connection: Connection, newest: date) -> Attendance | None:
    """Who was there up to the newest day, over all domains; None where there are no reports."""
    found = _present(connection, newest)
    if found.first is None:
        return None
    there = dict[str, Days]()
    for reporter, stretches in found.there.items():
        there[reporter] = np.zeros((newest - found.first).days + 1, dtype=np.bool_)
        for start, end in stretches:
            there[reporter][start:end] = True
    return Attendance(found.first, newest, there)


def attending(connection: Connection, scope: Scope, newest: date | None) -> Grounds:
    """The same while those who tell of the scope's domains were there on the same days; without what is in doubt."""
    if not scope.domains or newest is None:
        return ()
    asked = place(connection, "attending beside", scope, newest)
    return kept(asked, tuple[str, ...], lambda: (_attending(connection, scope, newest),))


def _attending(connection: Connection, scope: Scope, newest: date) -> str:
    found = _present(connection, newest)
    mine = told_by(connection, scope)["reporter"].sort().to_list()
    said = repr((found.first, [(one, found.there.get(one)) for one in mine]))
    return blake2b(said.encode(), digest_size=16).hexdigest()


def _present(connection: Connection, newest: date) -> _Present:
    scope = counted(connection, Scope((), None, newest))
    return kept(place(connection, "present", scope), _Present, lambda: _presence(connection, scope, newest))


def _presence(connection: Connection, scope: Scope, newest: date) -> _Present:
    rows = reads.reporter_days(connection, scope).filter(pl.col("messages") > 0)
    late = late_by(reads_changes.lateness(connection, scope))
    first = rows["day"].min()
    if not isinstance(first, date):
        return _Present(None, {})
    span = (newest - first).days + 1
    silent = dict[str, list[Gap]]()
    for gap in gaps(rows, newest, late):
        silent.setdefault(gap.reporter, []).append(gap)
    began = rows.group_by("reporter").agg(pl.col("day").min()).sort("reporter")
    return _Present(
        first,
        {
            name: tuple(
                _stretches(silent.get(name, ()), first, (day - first).days, span - _under_way(late.get(name, 0.0)))
            )
            for name, day in began.iter_rows()
        },
    )


def _stretches(silent: Sequence[Gap], first: date, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What is left of the days from one to before another without the silences, which are in order."""
    for gap in silent:
        if start < (gone := (gap.started_on - first).days):
            yield start, min(gone, end)
        start = (gap.ended_on - first).days + 1 if gap.ended_on else end
    if start < end:
        yield start, end


def _under_way(late: float) -> int:
    """How many of the newest days a reporter may still tell of. `late` is in days after a day's beginning."""
    if late > MOST_LATE:  # an old archive that was read at once
        return 1
    return 1 + max(0, math.ceil(late) - 2)
