"""After a poll: ask DNS what new addresses call themselves, and name their sources by it."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import NamedTuple

from app.commands.asking import now
from app.commands.base import Run
from app.commands.loading import identifier
from app.commands.opening import warehouse_of
from ingest.errors import Error
from ingest.probes.ptr import PtrObservation, probe_many
from ingest.probes.resolver import Resolver
from warehouse import addresses

log = logging.getLogger(__name__)


class Name(NamedTuple):
    """A reverse name as the identifier takes it."""

    ptr: str | None
    confirmed: bool | None
    asked_at: datetime


def rename(run: Run) -> None:
    """Look up names that were never asked for or are old. DNS failing is no failure of a poll."""
    if run.config.offline:
        return
    settings, warehouse, instant = run.config.resolver, warehouse_of(run), now()
    with warehouse.reading() as connection:
        asked = addresses.to_ask(connection, instant, settings.ptr_days)
    if not asked:
        return
    try:
        found = probe_many(asked, Resolver(settings), settings.lifetime)
    except Error as error:
        log.warning("ptr.fail reason=%r", str(error))
        return
    names = {ip: _name(observation, instant) for ip, observation in found.items()}
    renewed = identifier().identify(list(names), names)
    if renewed:
        with warehouse.writing() as connection:
            moved = addresses.renew(connection, renewed, instant)
        log.info("ptr.renew asked=%d answered=%d moved=%d", len(asked), len(renewed), moved)


def _name(observation: PtrObservation, instant: datetime) -> Name:
    confirmed = bool(observation.confirmed)
    candidates = observation.confirmed or observation.names
    return Name(candidates[0] if candidates else None, confirmed if candidates else None, instant)
