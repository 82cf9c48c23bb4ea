"""What the new days bring: a source's books are closed every few weeks, and what was quiet then is not searched again.

To search a source goes to and fro over all its days, and in most sources there is nothing to be found, day after day.
So each is looked at on its last *closing day*. Where nothing stirred up to then, it is searched only if something
stirs in the days since, or shortly before. Sources close on different days, so that every day brings its share of them.
What is found depends on the reports and the newest day alone, whatever was looked at before; what is kept only saves
looking at closed days again, for as long as no late report changes them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from zlib import crc32

import polars as pl

from analysis.change import Change
from analysis.search import search, stirring
from analysis.searched import KEY, Source, of, searched
from analysis.settings import DriftSettings
from warehouse.kept import NOWHERE, Place

EVERY = 14  # days from one closing of a source to the next
SETTLED = 8  # days until the reports on a day are there, those of a week too, but for stragglers
OPEN = 21  # days before a closing: what began then may be told from chance only by the days that follow


def find(days: pl.DataFrame, settings: DriftSettings, newest: date, place: Place = NOWHERE) -> list[Change]:
    """The changes of the sources in `days` up to `newest`, each source for itself; some may be chance.

    `days` is as reads_changes.told_days gives it, from `first_day` on. `place` is a lasting one for these settings.
    """
    closed = closings(days, newest)
    since = pl.col("closed_on") - timedelta(days=settings.days - 1)
    past = days.join(closed, on=KEY).filter(pl.col("day").is_between(since, pl.col("closed_on")))
    restless = {source for source, found in searched(past, place, bool, partial(_restless, settings)).items() if found}
    began = {
        (domain, key): day - timedelta(days=OPEN)
        for domain, key, day in closed.iter_rows()
        if (domain, key) not in restless
    }
    return search(of(days, restless | stirring(of(days, began), settings, newest, began)), settings, newest)


def first_day(settings: DriftSettings, newest: date) -> date:
    """The first day that may count."""
    return newest - timedelta(days=settings.days - 1 + SETTLED + EVERY - 1)


def closings(days: pl.DataFrame, newest: date) -> pl.DataFrame:
    """Each source (domain, source_key) of some days, and the last day on which its books were closed (`closed_on`)."""
    sources = days.select(KEY).unique()
    last = newest - timedelta(days=SETTLED)
    # Any number will do that is the same tomorrow, and another one for most sources.
    turns = (crc32("\n".join(source).encode()) for source in sources.iter_rows())
    closed = [last - timedelta(days=(last.toordinal() + turn) % EVERY) for turn in turns]
    return sources.with_columns(closed_on=pl.Series(closed, dtype=pl.Date))


def _restless(settings: DriftSettings, past: pl.DataFrame) -> dict[Source, bool]:
    """The sources in which something stirred when their books were closed. `past` are the closed days of each."""
    found = dict[Source, bool]()
    for (closed_on,), part in past.partition_by("closed_on", as_dict=True, include_key=False).items():
        assert isinstance(closed_on, date)
        found |= dict.fromkeys(stirring(part, settings, closed_on, None), True)
    return found
