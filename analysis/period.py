"""Which day is the newest? And which days are a week?"""

from __future__ import annotations

import re
from datetime import date, timedelta

import polars as pl

from analysis.genuine import counted
from ingest.errors import UsageError
from warehouse import reads
from warehouse.connect import Connection
from warehouse.scope import Scope

WEEK = re.compile(r"(\d{4})-?W(\d{2})", re.IGNORECASE)


def newest_day(connection: Connection, today: date, until: date | None = None) -> date | None:
    """The newest day with reports in the whole warehouse, up to `until`; None where there is none.

    A report dated in the future (a reporter's broken clock) does not make all other data old: days
    after tomorrow count only where there are no others.
    """
    scope = counted(connection, Scope((), None, until))
    last = reads.domains(connection, scope)["last_day"].max()
    if not isinstance(last, date) or last <= today + timedelta(days=1):
        return last if isinstance(last, date) else None
    days = reads.daily_alignment(connection, scope)["day"]
    past = days.filter(days <= today + timedelta(days=1)).max() if days.len() else None
    return past if isinstance(past, date) else last


def iso_week(text: str) -> tuple[date, date]:
    """Monday and Sunday of an ISO week written like 2026-W47. Raises UsageError for anything else."""
    match = WEEK.fullmatch(text.strip())
    if match:
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


def days_of(rows: pl.DataFrame) -> int:
    """How many distinct days a frame with a column `day` covers."""
    return int(rows["day"].n_unique())
