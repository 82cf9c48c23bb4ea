"""Who tells me about my mail, and has anyone stopped? Each reporter by its own habits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RECENT = 28  # days that decide whether a reporter is usual
FORGOTTEN = 60  # days of absence after which it is not expected any more
FEWEST_GAP = 3  # reports for a day arrive over the next two; before that nobody is silent
UNLIKELY = 0.001  # chance of so long a gap by habit, below which it is a silence
FEWEST_DAYS = 5  # days with reports from which a habit can be told


@dataclass(frozen=True, slots=True)
class Reporter:
    """One reporter over the days looked at.

    `days` are those with a report, `share` is its part of all messages. `usual`: it reported on at least
    half of the days in its last four weeks, and has not been away for two months. `silent_since` is the first
    day without it, where the gap is too long for its habits and the mail there was to report on.
    """

    reporter: str
    first_day: date
    last_day: date
    days: int
    messages: int
    share: float
    usual: bool
    silent_since: date | None


def reporters(frame: pl.DataFrame, newest: date) -> list[Reporter]:
    """Every reporter up to `newest`, most messages first. `frame` is as reads.reporter_days gives it."""
    rows = (
        frame.filter((pl.col("day") <= newest) & (pl.col("messages") > 0))
        .group_by("reporter", "day")
        .agg(pl.col("messages").sum())
    )
    if rows.is_empty():
        return []
    first = rows["day"].min()
    assert isinstance(first, date)
    span = (newest - first).days + 1
    total = int(rows["messages"].sum())
    every = _daily(rows.group_by("day").agg(pl.col("messages").sum()), first, span)
    found = [
        _reporter(str(name), _daily(part, first, span), every, first, total)
        for (name,), part in rows.partition_by("reporter", as_dict=True).items()
    ]
    return sorted(found, key=lambda r: (-r.messages, r.reporter))


def _daily(rows: pl.DataFrame, first: date, span: int) -> Floats:
    daily = np.zeros(span)
    daily[(rows["day"] - first).dt.total_days().to_numpy()] = rows["messages"].to_numpy()
    return daily


def _reporter(name: str, mine: Floats, every: Floats, first: date, total: int) -> Reporter:
    seen = np.flatnonzero(mine)
    start, end = int(seen[0]), int(seen[-1])
    away = mine.size - 1 - end
    recent = slice(max(0, end - RECENT + 1), end + 1)
    chances = np.count_nonzero(every[recent])
    usual = np.count_nonzero(mine[recent]) >= max(FEWEST_DAYS, chances / 2) and away <= FORGOTTEN
    silent = away >= FEWEST_GAP and seen.size >= FEWEST_DAYS and _gone(mine[start:], (every - mine)[start:])
    return Reporter(
        reporter=name,
        first_day=first + timedelta(days=start),
        last_day=first + timedelta(days=end),
        days=int(seen.size),
        messages=int(mine.sum()),
        share=float(mine.sum() / max(1, total)),
        usual=bool(usual),
        silent_since=first + timedelta(days=end + 1) if silent else None,
    )


def _gone(mine: Floats, others: Floats) -> bool:
    """Whether the days since the last report are too many, given the mail that others reported on them.

    The mail it should have seen on a day is its usual part of the others'. Reports come in clumps, so the
    count is negative binomial, its clumping such that the days without a report before came as often as
    they did. A gap must also be longer than any before.
    """
    end = int(np.flatnonzero(mine)[-1])
    past, gap = slice(0, end + 1), slice(end + 1, mine.size)
    if not others[past].sum():
        return False
    expected = others * mine[past].sum() / others[past].sum()
    quiet = np.diff(np.flatnonzero(mine)) - 1
    longest = int(quiet.max()) if quiet.size else 0
    if mine.size - 1 - end <= 1.5 * longest:
        return False
    clumping = _clumping(expected[past][others[past] > 0], int(np.count_nonzero(mine[past][others[past] > 0])))
    return float(np.log(_none(expected[gap], clumping)).sum()) < math.log(UNLIKELY)


def _none(expected: Floats, clumping: float) -> Floats:
    """The chance of no message on days with so many expected: (1 + m k)^(-1/k), and at least one in a million."""
    return np.maximum(np.exp(-np.log1p(expected * clumping) / clumping), 1e-6)


def _clumping(expected: Floats, reported: int) -> float:
    """The clumping at which so many days as seen have a report, by halving; never none, as chance has it."""
    # One day more without a report than were seen: a clean record so far is no proof of a perfect one.
    wanted = min(reported, expected.size - 1) - 0.5
    low, high = 1e-3, 1e4
    for _ in range(60):
        middle = math.sqrt(low * high)
        if (1 - _none(expected, middle)).sum() > wanted:
            low = middle
        else:
            high = middle
    return low
