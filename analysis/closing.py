"""What the new days bring: a source's books are closed every few weeks, and what was quiet then is not searched again.

To search a source goes to and fro over all its days, and in most sources there is nothing to be found, day after day.
So each is looked at on its last *closing day*. Where nothing stirred up to then, it is searched only if something
stirs in the days since, or shortly before. Sources close on different days, so that every day brings its share of them.

The days that count begin so long before the closing day, and so move with it alone. What is found in a source then
depends on its own reports and on its closing day: where no day of a source has changed since it was looked at, neither
has what is found, whatever day it is now. Closing days are days of the calendar: what is found depends on the reports
up to the day asked about and on that day alone, in whatever order they came and whatever was asked before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zlib import crc32

import polars as pl

from analysis.change import Change
from analysis.screening import screened
from analysis.search import search, stirring
from analysis.searched import KEY, Source, of
from analysis.settings import DriftSettings

EVERY = 14  # days from one closing of a source to the next
SETTLED = 8  # days until the reports on a day are there, those of a week too, but for stragglers
OPEN = 21  # days before a closing: what began then may be told from chance only by the days that follow


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a source found: its changes, some of them perhaps chance.

    `past` is the state that its closed days were in, and `restless` whether something stirred in them; None where
    nobody had to know.
    """

    past: str
    restless: bool | None
    changes: tuple[Change, ...]


def opened(sources: pl.DataFrame, settings: DriftSettings, newest: date) -> pl.DataFrame:
    """Sources (domain, source_key), with the last day on which the books of each were closed, `closed_on`.

    And with `first`, from which on its days count.
    """
    last = newest - timedelta(days=SETTLED)
    # Any number will do that is the same tomorrow, and another one for most sources.
    turns = (crc32("\n".join(source).encode()) for source in sources.select(KEY).iter_rows())
    closed = [last - timedelta(days=(last.toordinal() + turn) % EVERY) for turn in turns]
    return sources.select(
        *KEY,
        closed_on=pl.Series(closed, dtype=pl.Date),
        first=pl.Series([day - timedelta(days=settings.days - 1) for day in closed], dtype=pl.Date),
    )


def first_day(settings: DriftSettings, newest: date) -> date:
    """The first day that may count."""
    return newest - timedelta(days=size(settings) - 1)


def size(settings: DriftSettings) -> int:
    """The days from a source's first one that counts to the newest there may be before the books are closed again."""
    return settings.days + SETTLED + EVERY - 1


def spanned(days: pl.DataFrame, settings: DriftSettings, newest: date) -> pl.DataFrame:
    """The days up to `newest` (as reads_changes.told_days gives them), with `first`."""
    books = opened(days.select(KEY).unique(), settings, newest)
    return days.filter(pl.col("day") <= newest).join(books.drop("closed_on"), on=KEY)


def look(
    days: pl.DataFrame,
    settings: DriftSettings,
    past: Mapping[Source, str],
    before: Callable[[Source], Iterable[Looked]] = lambda _: (),
) -> dict[Source, Looked]:
    """What there is in each of the sources that `past` gives the state of, each for itself.

    `days` are theirs, as `spanned` gives them. `before` is what was found in a source at other times.
    """
    sources = screened(days, settings, size(settings))
    near, some = days.join(sources, on=KEY, how="semi"), set(sources.iter_rows())
    known = {
        source: found.restless
        for source in some
        for found in before(source)
        if found.past == past[source] and found.restless is not None
    }
    restless = {source for source, found in known.items() if found}
    restless |= stirring(of(near, some - known.keys()), settings, settings.days)
    moved = stirring(of(near, some - restless), settings, size(settings), settings.days - 1 - OPEN)
    changes = defaultdict[Source, list[Change]](list)
    for change in search(of(near, restless | moved), settings, size(settings)):
        changes[change.domain, change.source_key].append(change)
    return {
        source: Looked(state, source in restless if source in some else None, tuple(changes[source]))
        for source, state in past.items()
    }
