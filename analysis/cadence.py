"""How often does it send? A source's own rhythm, learned from its days, and how long it may be away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median, quantiles

from analysis.attendance import Attendance, Days

FEWEST = 3  # intervals below which nobody can tell a rhythm
WHOLE = 0.8  # of an interval's days must have been seen, or mail within it may have been missed
TENTHS = 10  # intervals from which one in ten may be an exception
STEADY = 1.5  # times the middle interval, and two days, that nine in ten may not exceed: weekdays do not, chance does
# Days without mail that each declared cadence allows: its longest interval and a grace for holidays.
ALLOWED = {"daily": 4, "weekly": 10, "monthly": 38, "quarterly": 106}
WORDS = ((1, 1.5, "daily"), (6, 8, "weekly"), (13, 15, "every two weeks"), (27, 33, "monthly"), (85, 96, "quarterly"))


@dataclass(frozen=True, slots=True)
class Cadence:
    """A rhythm: its word, its middle interval in days, how many intervals say so.

    `allowed` is after how many days it is late; None where it has no rhythm, or too few intervals to tell.
    """

    word: str
    days: float
    intervals: int
    allowed: int | None


def cadence(days: Sequence[date], seen: Attendance, seeing: Days) -> Cadence:
    """The rhythm of a source with mail on `days` (in order), from the intervals that were seen whole.

    Mail of one occasion trails over some days. So where single days show no rhythm, days that lie close together
    are taken for one occasion.
    """
    found = Cadence("unknown", 0, 0, None)
    sparse = bool(days) and 2 * len(days) <= (days[-1] - days[0]).days
    for close in (0, 1, 3) if sparse else (0,):
        starts = _occasions(days, close)
        gone = [(b - a).days for a, b in pairwise(starts) if _whole(a, b, seen, seeing)]
        if len(gone) < FEWEST:
            continue
        tried = _of(gone)
        if tried.allowed is not None:
            return tried
        found = tried
    return found


def _whole(start: date, end: date, seen: Attendance, seeing: Days) -> bool:
    between = (end - start).days - 1
    return seen.between(seeing, start, end) >= WHOLE * between


def _of(gone: Sequence[int]) -> Cadence:
    middle = float(median(gone))
    most = quantiles(gone, n=10, method="inclusive")[-1] if len(gone) >= TENTHS else max(gone)
    if most > STEADY * middle + 2:
        return Cadence("irregular", middle, len(gone), None)
    word = next((word for low, high, word in WORDS if low <= middle <= high), f"every {middle:.0f} days")
    # A quarter more than its longest usual interval, and two days for a holiday.
    usual = quantiles(gone, n=20, method="inclusive")[-1]
    return Cadence(word, middle, len(gone), math.ceil(1.25 * usual) + 2)


def _occasions(days: Sequence[date], close: int) -> list[date]:
    """The first days of runs in which no day is further than `close` from the one before."""
    return [day for before, day in zip([None, *days], days, strict=False) if not before or (day - before).days > close]
