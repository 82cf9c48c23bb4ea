"""Three ways to raise alarms: the product's, and two usual ones to compare it with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis.drift import detect
from analysis.settings import DriftSettings
from benchmarks.drift_worlds.reporters import DAYS
from benchmarks.drift_worlds.world import FIRST

COLUMNS = {"dkim": "dkim_aligned", "spf": "spf_aligned", "dmarc": "aligned"}
POINTS, FEWEST = 0.05, 50


@dataclass(frozen=True, slots=True)
class Alarm:
    """A claim that a source's rate moved up or down on a day."""

    source_key: str
    mechanism: str
    start: int
    up: bool
    shape: str = "step"
    between: tuple[int, int] | None = None


def product(frame: pl.DataFrame, morning: int = DAYS) -> list[Alarm]:
    """What whosends says on a morning."""
    newest = FIRST + timedelta(days=morning - 1)
    return [
        Alarm(c.source_key, c.mechanism, _day(c.started_on), not c.loss, c.shape, _span(c.started_between))
        for c in detect(frame, DriftSettings(), newest)
    ]


def _day(day: date) -> int:
    return (day - FIRST).days


def _span(days: tuple[date, date] | None) -> tuple[int, int] | None:
    return (_day(days[0]), _day(days[1])) if days else None


def week_over_week(frame: pl.DataFrame, morning: int = DAYS) -> list[Alarm]:
    """Two points: this week's rate is five points off last week's."""
    found = []
    for key, mechanism, messages, aligned in _series(frame):
        weeks = [slice(at, at + 7) for at in range(morning % 7, morning - 6, 7)]
        rates = [_rate(messages, aligned, week) for week in weeks]
        for at in range(1, len(weeks)):
            before, after = rates[at - 1], rates[at]
            if before is not None and after is not None and abs(after - before) >= POINTS:
                found.append(Alarm(key, mechanism, weeks[at].start, after > before))
    return found


def fixed_windows(frame: pl.DataFrame, morning: int = DAYS) -> list[Alarm]:
    """A z-test of proportions, the last 7 days against the 28 before, each day; p < 0.001 and five points."""
    found = []
    for key, mechanism, messages, aligned in _series(frame):
        ringing = False
        for day in range(35, morning + 1):
            late, early = slice(day - 7, day), slice(day - 35, day - 7)
            before, after = _rate(messages, aligned, early), _rate(messages, aligned, late)
            rings = before is not None and after is not None and _differ(messages, aligned, early, late)
            if rings and not ringing and before is not None and after is not None:
                found.append(Alarm(key, mechanism, day - 7, after > before))
            ringing = rings
    return found


Counts = NDArray[np.int64]


def _series(frame: pl.DataFrame) -> list[tuple[str, str, Counts, Counts]]:
    found = []
    for (key,), rows in frame.partition_by("source_key", as_dict=True).items():
        at = (rows["day"] - FIRST).dt.total_days().to_numpy()
        messages = np.bincount(at, rows["messages"].to_numpy(), DAYS).astype(np.int64)
        for mechanism, column in COLUMNS.items():
            found.append(
                (str(key), mechanism, messages, np.bincount(at, rows[column].to_numpy(), DAYS).astype(np.int64))
            )
    return found


def _rate(messages: Counts, aligned: Counts, days: slice) -> float | None:
    total = messages[days].sum()
    return float(aligned[days].sum() / total) if total >= FEWEST else None


def _differ(messages: Counts, aligned: Counts, early: slice, late: slice) -> bool:
    one, two = messages[early].sum(), messages[late].sum()
    before, after = aligned[early].sum() / one, aligned[late].sum() / two
    pooled = aligned[early.start : late.stop].sum() / (one + two)
    error = np.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / one + 1 / two))
    return bool(abs(after - before) / error > 3.29 and abs(after - before) >= POINTS)
