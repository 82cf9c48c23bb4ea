"""Who is new, and who is gone? Sources that appeared lately, and steady ones that fell silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.settings import SourceSettings
from analysis.sources import Source, sources
from warehouse.connect import Warehouse
from warehouse.scope import Scope

STEADY_DAYS = 10  # fewest active days of a source whose silence says anything
PAUSES = 4  # silent for so many of its usual pauses: not just a newsletter between two issues


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
    return compare(found, settings)


def compare(found: Sequence[Source], settings: SourceSettings) -> Changes:
    """The same from sources at hand: all of their domains, over as many days as there are."""
    new = tuple(source for source in found if is_news(source, settings))
    if not found:
        return Changes((), ())
    newest = max(source.last_seen for source in found)
    recent = newest - timedelta(days=settings.history_days)
    silent = (_vanished(source, newest, settings) for source in found if source.last_seen >= recent)
    return Changes(new, tuple(gone for gone in silent if gone))


def is_news(source: Source, settings: SourceSettings) -> bool:
    """Whether a new source is worth telling of: forged mail always comes from new places."""
    return source.is_new and source.kind != "spoofing" and source.messages >= settings.new_messages


def _vanished(source: Source, newest: date, settings: SourceSettings) -> Vanished | None:
    mine = source.decided == "approved" or (source.decided is None and source.kind in ("aligned", "misaligned"))
    # Where only one reporter ever saw a source, it is likelier the reporter who fell silent.
    if not mine or source.active_days < STEADY_DAYS or source.reporters < 2:
        return None
    silent = (newest - source.last_seen).days
    pause = ((source.last_seen - source.first_seen).days + 1) / source.active_days
    if silent < max(settings.vanished_days, PAUSES * pause):
        return None
    return Vanished(source, silent, round(pause, 1))
