"""Who is new, and who is gone? One rule for both, for every answer that speaks of it; it stands in arrivals.

A source that was first seen lately, or that fell silent, may be no more than a reporter that came or went. So what
the sources themselves say only picks the few that may be meant, and what each reporter told of those decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.arrivals import STEADY, coming, going
from analysis.genuine import counted
from analysis.grounds import heard, spans_of
from analysis.settings import SourceSettings
from analysis.sources import Source, sources
from warehouse import reads_changes, reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.scope import Scope


@dataclass(frozen=True, slots=True)
class Vanished:
    """A source of the domain's own that used to send and no longer does.

    `usual_pause` is the mean number of days from one day with mail to the next.
    """

    source: Source
    silent_days: int
    usual_pause: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What came and went, the largest first."""

    new: tuple[Source, ...]
    vanished: tuple[Vanished, ...]


def changes(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> Changes:
    """What came and went in the scope's domains, as of its last day. Its first day does not count."""
    found = sources(warehouse, Scope(scope.domains, None, scope.until), today, settings)
    with warehouse.reading() as connection:
        return compare(connection, found, settings)


def compare(connection: Connection, found: Sequence[Source], settings: SourceSettings) -> Changes:
    """The same from sources at hand: all of their domains, over as many days as there are."""
    if not found:
        return Changes((), ())
    newest = max(source.last_seen for source in found)
    return Changes(
        tuple(arrived(connection, found, newest, settings)), tuple(departed(connection, found, newest, settings))
    )


def arrived(connection: Connection, found: Sequence[Source], newest: date, settings: SourceSettings) -> list[Source]:
    """Those of some sources that are news, up to a day: new, no forged mail, and not seen by new reporters alone."""
    maybe = [one for one in found if one.is_new and not forged(one) and one.messages >= settings.new_messages]
    if not maybe:
        return []
    days, spans = _told(connection, maybe, newest, settings)
    first = reads_sources.first_seen(connection, counted(connection, Scope(tuple({one.domain for one in maybe}))))
    really = {(one.domain, one.source_key) for one in coming(days, spans, first, newest, settings)}
    return [one for one in maybe if (one.domain, one.source_key) in really]


def departed(connection: Connection, found: Sequence[Source], newest: date, settings: SourceSettings) -> list[Vanished]:
    """Those of some sources that fell silent, up to a day: steady ones that somebody would miss."""
    recent, silent = newest - timedelta(days=settings.history_days), newest - timedelta(days=settings.vanished_days)
    maybe = [one for one in found if recent <= one.last_seen <= silent and one.active_days >= STEADY and missed(one)]
    if not maybe:
        return []
    days, spans = _told(connection, maybe, newest, settings)
    gone = {(one.domain, one.source_key): one for one in going(days, spans, newest, settings)}
    return [
        Vanished(one, (newest - one.last_seen).days, round(gone[one.domain, one.source_key].usual_pause, 1))
        for one in maybe
        if (one.domain, one.source_key) in gone
    ]


def forged(source: Source) -> bool:
    """Whether its mail is taken for forged: that always comes from new places, and nobody misses it."""
    return source.kind == "spoofing"


def missed(source: Source) -> bool:
    """Whether it is the domain's own as far as anybody knows, so that its silence is worth a word."""
    return source.decided == "approved" or (source.decided is None and source.kind in ("aligned", "misaligned"))


# The same of the rows of `sources.kinds`.
FORGED_KIND = pl.col("kind") == "spoofing"
MISSED_KIND = (
    pl.when(pl.col("decided").is_null())
    .then(pl.col("kind").is_in(["aligned", "misaligned"]))
    .otherwise(pl.col("decided") == "approved")
)


def _told(
    connection: Connection, some: Sequence[Source], newest: date, settings: SourceSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What each reporter told of some sources, and when it reported on anything: told_days and grounds.spans_of."""
    keys = pl.DataFrame({name: [getattr(one, name) for one in some] for name in ("domain", "source_key")})
    wide = counted(connection, Scope((), newest - timedelta(days=settings.history_days), newest))
    mine = replace(wide, domains=tuple(sorted({one.domain for one in some})))
    return reads_changes.told_days(connection, mine, keys), spans_of(heard(connection, wide))
