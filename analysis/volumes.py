"""More or less mail than usual, source by source: freed of weekdays, holidays and of who reported.

What is usual is the median of the same weekday in the weeks before. A day counts by the reporters that reported
on it at all, so that a silent one is no drop; a spell in which all sources of the same rhythm send less is a
holiday, and no drop of any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from analysis.bursts import median
from analysis.numbers import Bools, Floats, Ints, np

WEEK = 7
WEEKS = 6  # before a day, whose same weekday tells what is usual
FEWEST_WEEKS = 3
BEST_WEEKS = 13  # before a day, whose best days tell what a source sends when nothing holds it back
ABOVE = 1.5  # times what it was seen to send on two days of the last weeks: holidays end, and that is no spike
COVERED = 0.1  # share of a source's mail whose reporters must have reported
UNLIKELY = 4.3  # deviations of the usual size: one day in fifty thousand, were they normal
SURE = 6.0  # the same for a drop, whose days hang together: whoever rests today will tomorrow
TIMES = 2.5  # so many times the usual mail, or one part of so many, before it is worth a word
MORE = 3.0  # the same for more mail: a day of two or three times the usual is no rarity
DATED = 0.3  # share of a day's mail that reports of one day must tell of; others cannot say which day had more
WORTH = 50  # messages more or fewer than usual, below which nobody has to know
RESTLESS = 0.15  # no source is steadier than this (in logarithms), however steady it was
DROP_DAYS = 3  # days in a row with mail due: one or two are a pause
FEWEST_DUE = 5  # messages due on a day, below which it says nothing of a drop
EDGE = 0.2  # part of its largest day's mail, by reports of one day, below which a spell has not begun or is over
PAUSE = 3  # usual days between two unusual ones that part them
RESTING = 0.7  # logarithm: half of the usual mail, on holidays
TOGETHER = 2  # sources of one rhythm that must rest together, and half of all of it
ROWS = 256  # sources that are looked at together where each day stands beside many
BUSINESS = 0.65  # weekend days with mail as a part of the others, below which a source rests on weekends


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
    """A domain's sources by day: `sent` and `covered` (share of its mail whose reporters reported).

    `exact` is what of it is told by reports of one day: those of several days say too early, and too long.
    """

    domain: str
    first: date
    keys: list[str]
    sent: Floats
    covered: Floats
    exact: Floats


def spells(days: pl.DataFrame, reports: pl.DataFrame, newest: date) -> list[Spell]:
    """Every spell of unusual volume up to `newest`, oldest first. `days` is as reads.source_days gives it."""
    found = [spell for volumes in by_domain(days, reports, newest) for spell in unusual(volumes)]
    return sorted(found, key=lambda s: (s.started_on, s.domain, s.source_key))


def by_domain(days: pl.DataFrame, reports: pl.DataFrame, newest: date) -> Iterator[Volumes]:
    """The daily volumes of each domain. A reporter counts as there when it reported on any mail of the day.

    `reports` (reporter, day, messages) is all that the reporters of `days` told.
    """
    days, reports = (part.filter((pl.col("day") <= newest) & (pl.col("messages") > 0)) for part in (days, reports))
    first = reports["day"].min()
    if not isinstance(first, date):
        return
    size = (newest - first).days + 1
    # Whoever tells of none of the sources says nothing of them.
    reports = reports.join(days.select("reporter").unique(), on="reporter", how="semi")
    names = reports["reporter"].unique().sort()
    seen = np.zeros((len(names), size))
    reported = reports.select("reporter", "day").unique()
    seen[_places(reported, names), _at(reported, first)] = 1.0
    steady = _steady(seen)
    for (domain,), part in days.partition_by("domain", as_dict=True).items():
        keys = part["source_key"].unique().sort().to_list()
        rows = (part["source_key"].rank("dense").cast(pl.Int64) - 1).to_numpy()
        messages, at = part["messages"].to_numpy(), rows * size + _at(part, first)
        sent = np.bincount(at, messages, len(keys) * size).reshape(len(keys), size)
        spread = np.bincount(at, part["estimated"].to_numpy(), len(keys) * size).reshape(len(keys), size)
        at = rows * len(names) + _places(part, names)
        usual = np.bincount(at, messages, len(keys) * len(names)).reshape(len(keys), -1) * steady
        whole = usual.sum(axis=1, keepdims=True)
        covered = np.where(whole > 0, (usual @ seen) / np.maximum(whole, 1e-9), 1.0)
        yield Volumes(str(domain), first, keys, sent.astype(np.float64), covered, (sent - spread).astype(np.float64))


def unusual(volumes: Volumes) -> Iterator[Spell]:
    """The spells of one domain's sources."""
    volumes = _weighty(volumes)
    if not volumes.keys:
        return
    sent = volumes.sent
    due, off, scale = deviations(volumes)
    told = np.isfinite(off)
    # On holidays nobody can tell who would have sent less all the same.
    working = told & ~_holidays(sent, off, due)
    dated = volumes.exact >= DATED * sent
    high = told & dated & (off > np.log(MORE))
    some = np.flatnonzero(high.any(axis=1))
    whole = sent[some] / np.maximum(volumes.covered[some], COVERED)
    high[some] &= whole > ABOVE * _best(whole)
    ground_of_drops = working & (due >= FEWEST_DUE)
    low = ground_of_drops & (off < -np.log(TIMES))
    for row in map(int, np.flatnonzero(high.any(axis=1) | low.any(axis=1))):
        for up, marked, ground, limit in (
            (True, high, told, UNLIKELY),
            (False, low, ground_of_drops, SURE),
        ):
            for begin, end in _runs(marked[row], ground[row]):
                inside = np.flatnonzero(marked[row, begin : end + 1]) + begin
                sure = abs(float((off[row, inside] / scale[row, inside]).sum())) > limit * np.sqrt(inside.size)
                apart = abs(float((sent[row, inside] - due[row, inside]).sum()))
                if sure and apart >= WORTH and (up or inside.size >= DROP_DAYS):
                    yield _spell(volumes, due, (row, begin, end), up=up)


def _weighty(volumes: Volumes) -> Volumes:
    """Without the sources that so little came from that no spell of theirs is worth a word.

    Nothing is told of the others by them: what is never due has no part in a holiday either.
    """
    due = (volumes.sent / np.maximum(volumes.covered, COVERED)).max(axis=1, initial=0.0) >= FEWEST_DUE
    rows = np.flatnonzero(due | (volumes.sent.sum(axis=1) >= WORTH))
    parts = (part[rows] for part in (volumes.sent, volumes.covered, volumes.exact))
    return Volumes(volumes.domain, volumes.first, [volumes.keys[row] for row in rows], *parts)


def waves(volumes: Volumes, key: str, fewest: int) -> Iterator[Spell]:
    """Spells in which far more came than usual from one key of a domain, where often nothing comes at all."""
    if key not in volumes.keys:
        return
    row = volumes.keys.index(key)
    sent = volumes.sent[row]
    high = np.zeros(sent.size, dtype=np.bool_)
    usual = np.zeros(sent.size)
    for day in range(WEEK, sent.size):
        # Days of a wave are not what is usual. Forged mail may rest on weekends and holidays, and then be as before.
        weeks = slice(max(0, day - WEEKS * WEEK), day)
        before = sent[weeks][~high[weeks]]
        late = before[-4 * WEEK :]
        usual[day] = float(np.median(late)) if late.size else 0.0
        scatter = 1.48 * float(np.median(np.abs(late - usual[day]))) if late.size else 0.0
        best = float(np.partition(before, -2)[-2]) if before.size > 1 else 0.0
        unlikely = usual[day] + UNLIKELY * max(scatter, np.sqrt(usual[day]), 1.0)
        limit = max(TIMES * usual[day], unlikely, ABOVE * best)
        high[day] = sent[day] > limit and sent[day] - usual[day] >= fewest / 5
    for begin, end in _runs(high, np.ones(sent.size, dtype=np.bool_)):
        if sent[begin : end + 1].sum() - usual[begin : end + 1].sum() >= fewest:
            yield _spell(volumes, np.broadcast_to(usual, volumes.sent.shape), (row, begin, end), up=True)


def deviations(volumes: Volumes) -> tuple[Floats, Floats, Floats]:
    """By source and day: messages due, the logarithm of what came over what was due, and its usual size.

    NaN where it cannot be told: too few weeks, or too few of the reporters that matter.
    """
    sent, covered = volumes.sent, volumes.covered
    whole = np.where(covered >= COVERED, sent / np.maximum(covered, COVERED), np.nan)
    started = np.cumsum(sent, axis=1) > 0
    whole[~started] = np.nan
    off, due = np.zeros_like(sent), np.zeros_like(sent)
    for _ in range(2):
        # Holidays are not what is usual, so the days after them are not compared with them.
        whole[_holidays(sent, off, due)] = np.nan
        due = _due(whole) * covered
        due[covered < COVERED] = np.nan
        off = np.log((sent + 1) / (due + 1))
    usual = 1.48 * median(np.abs(off - median(off.T)[:, None]).T)[:, None]
    scale = np.sqrt(np.maximum(usual, RESTLESS) ** 2 + 1 / (np.nan_to_num(due) + 1))
    return due, off, scale


def _best(sent: Floats) -> Floats:
    """What a source was seen to send twice before: the second highest of the same weekday.

    While it is not known for as many weeks, the second highest of all days: the first weeks may be holidays.
    """
    # Each day is looked at with all days before it: some sources at a time, whose numbers fit into memory.
    return np.concatenate([_best_of(sent[at : at + ROWS]) for at in range(0, len(sent) or 1, ROWS)])


def _best_of(sent: Floats) -> Floats:
    padded = np.pad(sent, ((0, 0), (BEST_WEEKS * WEEK, 0)))
    before = np.lib.stride_tricks.sliding_window_view(padded, BEST_WEEKS * WEEK, axis=1)[:, : sent.shape[1]]
    late = before[:, :, -WEEKS * WEEK :]
    every = np.partition(late, WEEKS * WEEK - 2, axis=2)[:, :, -2]
    # Longer ago, as after weeks of little mail what was usual before is no spike.
    weekday = np.partition(before[:, :, ::WEEK], BEST_WEEKS - 2, axis=2)[:, :, -2]
    known = np.pad(np.cumsum(sent, axis=1) > 0, ((0, 0), (WEEKS * WEEK, 0)))[:, : sent.shape[1]]
    return np.where(known, weekday, every)


def _due(whole: Floats) -> Floats:
    """The median of the same weekday in the weeks before; NaN where there are too few of them."""
    before = np.full((WEEKS, *whole.shape), np.nan)
    for week in range(1, min(WEEKS, (whole.shape[1] - 1) // WEEK) + 1):
        before[week - 1, :, week * WEEK :] = whole[:, : -week * WEEK]
    enough = (~np.isnan(before)).sum(axis=0) >= FEWEST_WEEKS
    return np.where(enough, median(before), np.nan)


def _holidays(sent: Floats, off: Floats, due: Floats) -> Bools:
    """By source and day: whether half of the sources of one rhythm, and two at least, send half or less.

    Where next to nothing is due, next to nothing comes on holidays too, and that is no vote against them.
    """
    found = np.zeros(off.shape, dtype=np.bool_)
    if sent.shape[1] < WEEK:
        return found
    weekly = sent[:, -(sent.shape[1] // WEEK * WEEK) :].reshape(sent.shape[0], -1, WEEK).sum(axis=1)
    ordered = np.sort(weekly, axis=1)
    rests = ordered[:, :2].mean(axis=1) < BUSINESS * ordered[:, 2:].mean(axis=1)
    for kind in (rests, ~rests):
        asked = np.isfinite(off[kind]) & (due[kind] >= FEWEST_DUE)
        told, less = asked.sum(axis=0), (asked & (off[kind] < -RESTING)).sum(axis=0)
        found[kind] = (less >= TOGETHER) & (2 * less >= told)
    return found


def _runs(marked: Bools, told: Bools, through: Bools | None = None) -> list[tuple[int, int]]:
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
    begin, end = _exactly(volumes.exact[row], begin, end) if up else (begin, end)
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


def _exactly(exact: Floats, begin: int, end: int) -> tuple[int, int]:
    """The days of more mail without those at both ends that only a report of several days adds to it."""
    inside = exact[begin : end + 1]
    told = np.flatnonzero(inside >= EDGE * inside.max()) if inside.max() > 0 else np.arange(inside.size)
    return begin + int(told[0]), begin + int(told[-1])


def _at(frame: pl.DataFrame, first: date) -> Ints:
    found: Ints = (frame["day"] - first).dt.total_days().to_numpy()
    return found


def _places(frame: pl.DataFrame, names: pl.Series) -> Ints:
    """The place of each row's reporter among `names`."""
    return frame["reporter"].cast(pl.Enum(names)).to_physical().cast(pl.Int64).to_numpy()


def _steady(seen: Floats) -> Floats:
    """By reporter, what turns its messages into those of a day it reports on: 0 where it reports but now and then.

    Such a one is absent because there was nothing to tell; of the others, an absence means that mail is unseen.
    """
    count = seen.sum(axis=1)
    first, last = seen.argmax(axis=1), seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    steady: Floats = np.where(count >= (last - first + 1) / 2, 1 / np.maximum(count, 1), 0.0)
    return steady
