"""What the first visitors will ask for, worked out while their browsers still load the page's own program."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Thread, main_thread
from typing import Final

from app import warming
from app.web import cached
from ingest.alignment import organizational_domain
from ingest.catalogue.catalogue import catalogue
from ingest.errors import Error
from warehouse.scope import Scope

log = logging.getLogger(__name__)

SECONDS: Final = 120.0  # for what the other pages show; whoever asks meanwhile shares the processor with it


def start() -> None:
    """Begin, beside all else."""
    # A server that ends waits for the answer at hand: a thread that is cut off within DuckDB takes it down.
    Thread(target=_work, name="ahead").start()


def _ending() -> bool:
    return not main_thread().is_alive()


def _work() -> None:
    try:
        for step in (_overview, _others):
            step()
    except Error as error:
        # No warehouse, or a busy one: the page says so.
        log.info("ahead.end reason=%r", str(error))


def _overview() -> None:
    """What the overview asks for first, in its own words, so that it finds them in its own cache."""
    state, day = cached.state(), cached.today()
    last_days = cached.last_days(state, day)
    if not last_days:
        return
    state, newest = cached.state(), max(last_days.values())
    scope = Scope((), newest - timedelta(days=warming.DAYS - 1), newest)
    asked: tuple[Callable[[], object], ...] = (
        lambda: cached.status(state, scope, day),
        lambda: cached.tracking(state, day),
        lambda: cached.daily(state, scope),
        lambda: cached.by_kind(state, scope, day),
        lambda: cached.drifts(state, scope),
        lambda: cached.policy_changes(state, replace(scope, since=None)),
    )
    for ask in asked:
        if not _ending():
            ask()


def _others() -> None:
    organizational_domain("example.com")  # reads the list of public suffixes
    catalogue()
    late = warming.within(SECONDS)
    warming.warm(cached.warehouse(), cached.settings(), cached.today(), lambda: late() or _ending())
