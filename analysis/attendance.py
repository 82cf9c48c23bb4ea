"""Who was there to see? A source is missing only on days on which its reporters would have told of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from analysis.genuine import counted
from analysis.numbers import Bools, np
from analysis.reporters import MOST_LATE, Gap, gaps, late_by
from warehouse import reads, reads_changes
from warehouse.connect import Connection
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


def attendance(connection: Connection, newest: date) -> Attendance | None:
    """Who was there up to the newest day, over all domains; None where there are no reports."""
    scope = counted(connection, Scope((), None, newest))
    rows = reads.reporter_days(connection, scope).filter(pl.col("messages") > 0)
    late = late_by(reads_changes.lateness(connection, scope))
    first = rows["day"].min()
    if not isinstance(first, date):
        return None
    span = (newest - first).days + 1
    silent = dict[str, list[Gap]]()
    for gap in gaps(rows, newest, late):
        silent.setdefault(gap.reporter, []).append(gap)
    there = dict[str, Days]()
    for (name,), part in rows.partition_by("reporter", as_dict=True).items():
        own = np.zeros(span, dtype=np.bool_)
        began = part["day"].min()
        assert isinstance(began, date)
        own[(began - first).days : span - _under_way(late.get(str(name), 0.0))] = True
        for gap in silent.get(str(name), ()):
            end = gap.ended_on or newest
            own[(gap.started_on - first).days : (end - first).days + 1] = False
        there[str(name)] = own
    return Attendance(first, newest, there)


def _under_way(late: float) -> int:
    """How many of the newest days a reporter may still tell of. `late` is in days after a day's beginning."""
    if late > MOST_LATE:  # an old archive that was read at once
        return 1
    return 1 + max(0, math.ceil(late) - 2)
