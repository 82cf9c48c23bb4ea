"""After an upgrade: group all addresses anew, so that no source is split between its old key and its new one."""

from __future__ import annotations

import logging

from analysis import regrouping
from app.commands.asking import now
from app.commands.base import Run
from app.commands.loading import identifier
from app.commands.opening import warehouse_of
from warehouse import addresses

log = logging.getLogger(__name__)

AT_ONCE = 50_000  # addresses


def upgrade(run: Run) -> int:
    """Where rules, catalogue or databases are others than last time, look at every address; how many moved.

    Asks no network. Costs one look at a row where nothing is new.
    """
    warehouse, version = warehouse_of(run), identifier().version
    if not warehouse.path.exists():
        return 0
    with warehouse.reading() as connection:
        if addresses.identified_with(connection) == version:
            return 0
    moved, instant = 0, now()
    with warehouse.writing() as connection:
        before = addresses.identified_with(connection)
        # A warehouse that is new holds nothing that was grouped otherwise.
        every = addresses.every(connection) if before not in (None, version) else []
        for start in range(0, len(every), AT_ONCE):
            some = every[start : start + AT_ONCE]
            renewed = regrouping.regrouped(connection, identifier(), some, {}, instant.date())
            moved += addresses.renew(connection, renewed, instant, "upgrade")
        addresses.note_identified(connection, version, instant)
    log.info("sources.upgrade addresses=%d moved=%d", len(every), moved)
    return moved
