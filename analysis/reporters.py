"""Who tells me about my mail, and has anyone stopped? Each reporter by its own habits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from analysis.numbers import Floats, np

RECENT = 28  # days that decide whether a reporter is usual
FORGOTTEN = 60  # days of absence after which it is not expected any more
FEWEST_GAP = 3  # reports for a day arrive over the next two; before that nobody is silent
MOST_LATE = 14  # days; an old archive that is read at once is no sign of a slow reporter
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A reporter was silent from `started_on` to `ended_on` (None: still is); `missing` messages were due from it."""

    reporter: str
    started_on: date
    ended_on: date | None
    missing: int


def gaps(frame: pl.DataFrame, newest: date, late: Mapping[str, float]) -> list[Gap]:
    """Every silence too long for the reporter's habits, oldest first. `frame` has reporter, day, messages.

    `late` is how many days after a day's beginning each reporter's slower reports are there: a silence that
    is still going on must be longer than that, or it is only late.
    """
    rows = (
        frame.filter((pl.col("day") <= newest) & (pl.col("messages") > 0))
        .group_by("reporter", "day")
        .agg(pl.col("messages").sum())
    )
    first = rows["day"].min()
    if not isinstance(first, date):
        return []
    span = (newest - first).days + 1
    every = _daily(rows.group_by("day").agg(pl.col("messages").sum()), first, span)
    found = list[Gap]()
    for (name,), part in rows.partition_by("reporter", as_dict=True).items():
        mine = _daily(part, first, span)
        known = min(MOST_LATE, max(0, math.ceil(late.get(str(name), 0.0)) - 2))
        found += [
            gap
            for gap in _gaps(str(name), mine, every, first)
            if gap.ended_on or (newest - gap.started_on).days + 1 >= FEWEST_GAP + known
        ]
    return sorted(found, key=lambda gap: (gap.started_on, gap.reporter))


def late_by(lateness: pl.DataFrame) -> dict[str, float]:
    """By reporter how late its slower reports are, in days. `lateness` is as reads_changes.lateness gives it."""
    return dict(lateness.select("reporter", "late").iter_rows())


def _gaps(name: str, mine: Floats, every: Floats, first: date) -> Iterator[Gap]:
    """The silences of one reporter, each judged by the days before it alone, without earlier silences."""
    seen = np.flatnonzero(mine)
    start, past = int(seen[0]), mine > -1
    for end, back in zip(seen, [*map(int, seen[1:]), mine.size], strict=True):
        known = np.count_nonzero(mine[start : end + 1])
        if back - end - 1 < FEWEST_GAP or known < FEWEST_DAYS:
            continue
        days = np.flatnonzero(past[:back])
        days = days[days >= start]
        if _gone(mine[days], (every - mine)[days]):
            others = every - mine
            share = mine[days].sum() / max(1.0, others[days[days <= end]].sum())
            missing = round(float(share * others[end + 1 : back].sum()))
            ended = first + timedelta(days=back - 1) if back < mine.size else None
            yield Gap(name, first + timedelta(days=int(end) + 1), ended, missing)
            past[end + 1 : back] = False


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
