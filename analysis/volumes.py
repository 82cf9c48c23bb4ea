"""More or less mail than usual, source by source: freed of weekdays, holidays and of who reported.

What is usual is the median of the same weekday in the weeks before. A day counts by the reporters that reported
on it at all, so that a silent one is no drop; a spell in which all sources of the same rhythm send less is a
holiday, and no drop of any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEEK = 7
WEEKS = 6  # before a day, whose same weekday tells what is usual
FEWEST_WEEKS = 3
COVERED = 0.5  # share of a source's mail whose reporters must have reported
UNLIKELY = 4.5  # deviations of the usual size: one day in a hundred thousand, were they normal
TIMES = 2.5  # so many times the usual mail, or one part of so many, before it is worth a word
WORTH = 50  # messages more or fewer than usual, below which nobody has to know
RESTLESS = 0.15  # no source is steadier than this (in logarithms), however steady it was
DROP_DAYS = 3  # days in a row with mail due: one or two are a pause
PAUSE = 3  # usual days between two unusual ones that part them
LIKE = 3  # sources of one rhythm from which a holiday can be told
BUSINESS = 0.4  # weekend days with mail as a part of the others, below which a source rests on weekends


@dataclass(frozen=True, slots=True)
class Spell:
    """Days of unusual volume: `messages` were sent, `usual` expected. `ended_on` is None while it goes on."""

    domain: str
    source_key: str
    up: bool
    started_on: date
    ended_on: date | None
    messages: int
    usual: int


@dataclass(frozen=True, slots=True)
class Volumes:
    """A domain's sources by day: `sent` and `covered` (share of its mail whose reporters reported)."""

    domain: str
    first: date
    keys: list[str]
    sent: Floats
    covered: Floats


def spells(days: pl.DataFrame, newest: date) -> list[Spell]:
    """Every spell of unusual volume up to `newest`, oldest first. `days` is as reads.source_days gives it."""
    found = [spell for volumes in by_domain(days, newest) for spell in unusual(volumes)]
    return sorted(found, key=lambda s: (s.started_on, s.domain, s.source_key))


def by_domain(days: pl.DataFrame, newest: date) -> Iterator[Volumes]:
    """The daily volumes of each domain. A reporter counts as there when it reported on any mail of the day."""
    days = days.filter((pl.col("day") <= newest) & (pl.col("messages") > 0))
    first = days["day"].min()
    if not isinstance(first, date):
        return
    size = (newest - first).days + 1
    names = days["reporter"].unique().sort()
    seen = np.zeros((len(names), size))
    column = {name: at for at, name in enumerate(names)}
    reported = days.select("reporter", "day").unique()
    seen[[column[name] for name in reported["reporter"]], _at(reported, first)] = 1.0
    for (domain,), part in days.partition_by("domain", as_dict=True).items():
        keys = part["source_key"].unique().sort().to_list()
        place = {key: at for at, key in enumerate(keys)}
        rows = np.array([place[key] for key in part["source_key"]])
        messages = part["messages"].to_numpy()
        sent = np.bincount(rows * size + _at(part, first), messages, len(keys) * size).reshape(len(keys), size)
        who = np.array([column[name] for name in part["reporter"]])
        share = np.bincount(rows * len(names) + who, messages, len(keys) * len(names)).reshape(len(keys), -1)
        covered = (share @ seen) / np.maximum(share @ _there(seen), 1.0)
        yield Volumes(str(domain), first, keys, sent.astype(np.float64), np.minimum(covered, 1.0))


def unusual(volumes: Volumes) -> Iterator[Spell]:
    """The spells of one domain's sources."""
    due, off, scale = deviations(volumes)
    calm = off - _holidays(volumes.sent, off)
    told = np.isfinite(off)
    more = volumes.sent - due
    high = told & (off > UNLIKELY * scale) & (volumes.sent > TIMES * due) & (more >= WORTH)
    low = told & (calm < -np.log(TIMES)) & (due >= 5)
    for row in map(int, np.flatnonzero(high.any(axis=1) | low.any(axis=1))):
        for begin, end in _runs(high[row], told[row]):
            yield _spell(volumes, due, (row, begin, end), up=True)
        for begin, end in _runs(low[row], told[row] & (due[row] >= 5)):
            inside = np.flatnonzero(low[row, begin : end + 1]) + begin
            sure = float((calm[row, inside] / scale[row, inside]).sum()) < -UNLIKELY * np.sqrt(inside.size)
            if inside.size >= DROP_DAYS and sure and -more[row, inside].sum() >= WORTH:
                yield _spell(volumes, due, (row, begin, end), up=False)


def deviations(volumes: Volumes) -> tuple[Floats, Floats, Floats]:
    """By source and day: messages due, the logarithm of what came over what was due, and its usual size.

    NaN where it cannot be told: too few weeks, or too few of the reporters that matter.
    """
    sent, covered = volumes.sent, volumes.covered
    whole = np.where(covered >= COVERED, sent / np.maximum(covered, COVERED), np.nan)
    started = np.cumsum(sent, axis=1) > 0
    whole[~started] = np.nan
    before = np.full((WEEKS, *sent.shape), np.nan)
    for week in range(1, WEEKS + 1):
        if week * WEEK < sent.shape[1]:
            before[week - 1, :, week * WEEK :] = whole[:, : -week * WEEK]
    enough = (~np.isnan(before)).sum(axis=0) >= FEWEST_WEEKS
    due = median(before) * covered
    due[~enough | (covered < COVERED)] = np.nan
    off = np.log((sent + 1) / (due + 1))
    usual = 1.48 * median(np.abs(off - median(off.T)[:, None]).T)[:, None]
    scale = np.sqrt(np.maximum(usual, RESTLESS) ** 2 + 1 / (np.nan_to_num(due) + 1))
    return due, off, scale


def median(values: Floats) -> Floats:
    """The median along the first axis of what is not NaN; 0 where nothing is left."""
    ordered = np.sort(values, axis=0)
    count = (~np.isnan(ordered)).sum(axis=0)
    low, high = np.maximum(0, (count - 1) // 2), np.maximum(0, count // 2)
    middle = (np.take_along_axis(ordered, low[None], 0) + np.take_along_axis(ordered, high[None], 0))[0] / 2
    return np.where(count > 0, middle, 0.0)


def _holidays(sent: Floats, off: Floats) -> Floats:
    """By source and day: how much less sources of the same rhythm send together; 0 or below."""
    found = np.zeros_like(off)
    weekly = sent[:, -(sent.shape[1] // WEEK * WEEK) :].reshape(sent.shape[0], -1, WEEK).sum(axis=1)
    rests = np.sort(weekly, axis=1)[:, :2].mean(axis=1) < BUSINESS * np.sort(weekly, axis=1)[:, 2:].mean(axis=1)
    for kind in (rests, ~rests):
        told = np.isfinite(off[kind]).sum(axis=0)
        if kind.sum() > LIKE:
            found[kind] = np.where(told > LIKE, np.minimum(0.0, median(off[kind])), 0.0)
    return found


def _runs(
    marked: NDArray[np.bool_], told: NDArray[np.bool_], through: NDArray[np.bool_] | None = None
) -> list[tuple[int, int]]:
    """First and last day of each spell: marked days with few days between (where `through` says so, none told)."""
    runs = list[tuple[int, int]]()
    for day in np.flatnonzero(marked):
        if runs:
            between = slice(runs[-1][1] + 1, day)
            joined = not told[between].any() if through is not None else day - runs[-1][1] <= PAUSE
            if joined or (through is not None and day - runs[-1][1] <= 2):
                runs[-1] = (runs[-1][0], int(day))
                continue
        runs.append((int(day), int(day)))
    return runs


def _spell(volumes: Volumes, due: Floats, where: tuple[int, int, int], *, up: bool) -> Spell:
    row, begin, end = where
    inside = slice(begin, end + 1)
    last = volumes.sent.shape[1] - 1
    return Spell(
        volumes.domain,
        volumes.keys[row],
        up,
        volumes.first + timedelta(days=begin),
        None if end >= last - 1 else volumes.first + timedelta(days=end),
        int(volumes.sent[row, inside].sum()),
        round(float(np.nansum(due[row, inside]))),
    )


def _at(frame: pl.DataFrame, first: date) -> NDArray[np.int64]:
    found: NDArray[np.int64] = (frame["day"] - first).dt.total_days().to_numpy()
    return found


def _there(seen: Floats) -> Floats:
    """What a usual day has of each reporter: 1 for those that report on most days, less for the others."""
    days: Floats = np.minimum(1.0, 1.25 * seen.mean(axis=1, keepdims=True))
    return days
