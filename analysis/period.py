"""Which day is the newest? And which days are a week?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from analysis.genuine import counted
from analysis.keeping import kept
from ingest.errors import UsageError
from warehouse import reads
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.scope import Scope

AGREEING = 3
"""Reporters that it takes to contradict this machine's clock: a broken clock elsewhere is one reporter's."""

FIRST = 1970  # year before which no week is asked for
WEEK = re.compile(r"(\d{4})-?W(\d{2})", re.IGNORECASE)


def newest_day(connection: Connection, today: date, until: date | None = None) -> date | None:
    """The newest day with reports in the whole warehouse, up to `until`; None where there is none.

    A report dated in the future (a reporter's broken clock) does not make all other data old: days
    after the horizon count only where there are no others.
    """
    asked = place(connection, "newest_day", today, until)
    return kept(asked, tuple[date | None], lambda: (_newest_day(connection, today, until),))[0]


def up_to_newest(connection: Connection, today: date) -> Scope:
    """All that counts, up to the newest day: what "lately" is reckoned from."""
    return counted(connection, Scope(until=newest_day(connection, today)))


def _newest_day(connection: Connection, today: date, until: date | None) -> date | None:
    scope = counted(connection, Scope((), None, until))
    tomorrow = today + timedelta(days=1)
    last = _last(connection, scope)
    if last is None or last <= tomorrow:
        return last
    return _last(connection, replace(scope, until=horizon(connection, scope, today))) or last


def last_days(connection: Connection, today: date) -> dict[str, date]:
    """Each domain with reports, and its newest day; a reporter's clock that runs ahead does not count."""
    found, newest = reads.last_days(connection, Scope()), newest_day(connection, today)
    return {domain: min(last, newest) if newest else last for domain, last in found.iter_rows()}


def judged_over(domains: tuple[str, ...], newest: date | None, days: int) -> Scope:
    """The last `days` up to the newest day, over which domains are judged; all of their days where there is none."""
    return Scope(domains, newest - timedelta(days=days - 1) if newest else None, newest)


def horizon(connection: Connection, scope: Scope, today: date) -> date:
    """The last day that can have come: tomorrow (UTC) by this machine's clock, unless that clock was set back.

    It was where several reporters of the scope tell of days after tomorrow; then the horizon is the last day
    that as many of them have reached. Give a scope without what is in doubt.
    """
    tomorrow = today + timedelta(days=1)
    ahead = reads.last_told(connection, replace(scope, since=tomorrow + timedelta(days=1)))["last_day"]
    return ahead[AGREEING - 1] if len(ahead) >= AGREEING else tomorrow


def believed(connection: Connection, last_days: dict[str, date], today: date) -> dict[str, date]:
    """The same newest days, none after the horizon: a reporter whose clock is ahead makes no other data old."""
    if max(last_days.values(), default=today) <= today + timedelta(days=1):
        return last_days
    end = horizon(connection, counted(connection, Scope()), today)
    return {domain: min(day, end) for domain, day in last_days.items()}


def _last(connection: Connection, scope: Scope) -> date | None:
    last = reads.last_days(connection, scope)["last_day"].max()
    return last if isinstance(last, date) else None


def iso_week(text: str) -> tuple[date, date]:
    """Monday and Sunday of an ISO week written like 2026-W47. Raises UsageError for anything else."""
    match = WEEK.fullmatch(text.strip())
    if match and int(match[1]) >= FIRST:
        try:
            first = date.fromisocalendar(int(match[1]), int(match[2]), 1)
            return first, first + timedelta(days=6)
        except (ValueError, OverflowError):
            pass
    raise UsageError("This is not an ISO week.", "Write the week like 2026-W47; a year has 52 or 53 of them.")


def last_complete_week(today: date) -> str:
    """The last ISO week that is over, as text."""
    year, week, _ = (today - timedelta(days=today.isoweekday())).isocalendar()
    return f"{year}-W{week:02d}"
