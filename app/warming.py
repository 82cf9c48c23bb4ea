"""What people will ask for first, worked out before they ask: by the process that wrote, or by the app when it starts.

Each answer is kept beside the warehouse as it is made (`warehouse.kept`), so it is done once, whoever asks for it; what
is there already costs next to nothing. What new reports tell of comes first. Nothing rests on this having been done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from app.config import Config
from ingest.errors import Error
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.scope import Scope

log = logging.getLogger(__name__)

DAYS: Final = 30  # that the pages show where nobody chose others
DONE: Final = b"done"
FEW: Final = 20  # domains up to which all of them together come first; of more, that takes the longest by far

Over = Callable[[], bool]


def within(seconds: float) -> Over:
    """Whether so much time is over from now on."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def warm(warehouse: Warehouse, config: Config, today: date, over: Over) -> bool:
    """Work the answers out, one after the other, until it is `over`; whether that was all. A fault ends it silently."""
    try:
        for domains, last in newest_first(warehouse, config, today):
            for ask in _about(warehouse, config, today, Scope(domains, last - timedelta(days=DAYS - 1), last)):
                if over():
                    return False
                ask()
            with warehouse.reading() as connection:
                note = _done(connection, domains, today)
            if not note.load():
                note.store(DONE)
    except Error as error:
        # Whoever asks will be told.
        log.info("warming.end reason=%r", str(error))
        return False
    except Exception:
        # A fault of ours. What was loaded is loaded, and whoever asks will be told of it.
        log.info("warming.fault", exc_info=True)
        return False
    return True


def ahead(config: Config, today: date) -> None:
    """The same for a process of its own, all of it: who started it ends it. Fails where not all could be done."""
    if not warm(Warehouse(config.warehouse_path, config.warehouse), config, today, lambda: False):
        raise SystemExit(1)


def found(config: Config, today: date) -> None:
    """What alerts are made from, for a process of its own."""
    from app.tracking import look  # noqa: PLC0415

    look(Warehouse(config.warehouse_path, config.warehouse), today, config)


def newest_first(warehouse: Warehouse, config: Config, today: date) -> list[tuple[tuple[str, ...], date]]:
    """What is looked at: first that of which all was not worked out today since its own reports changed last.

    The others may rest on what reports about these tell of a source or a reporter that they share.
    """
    every = list(scopes(warehouse, config, today))
    with warehouse.reading() as connection:
        done = {domains for domains, _ in every if _done(connection, domains, today).load()}
    return sorted(every, key=lambda one: one[0] in done)


def _done(connection: Connection, domains: tuple[str, ...], today: date) -> Place:
    """Where it is noted that all about some domains is worked out."""
    return place(connection, "warm", today, domains=domains)


def scopes(warehouse: Warehouse, config: Config, today: date, few: int = FEW) -> Iterator[tuple[tuple[str, ...], date]]:
    """What is looked at, in order, each with its last day: clients, all domains (named by none), and each of them."""
    # Not at the top: what only reads files may have this turned off.
    from analysis import period  # noqa: PLC0415

    with warehouse.reading() as connection:
        last_days = period.last_days(connection, today)
    each = [(domain,) for domain in last_days]
    groups = [*_clients(config, last_days), ()]
    for domains in [*groups, *each] if len(each) <= few else [*each, *groups]:
        if held := domains or last_days:
            yield domains, max(last_days[domain] for domain in held)


def _clients(config: Config, last_days: Mapping[str, date]) -> Iterator[tuple[str, ...]]:
    for client in config.clients:
        named = {one.name for one in config.domains if one.client == client.name}
        if held := tuple(sorted(named & last_days.keys())):
            yield held


def _about(warehouse: Warehouse, config: Config, today: date, scope: Scope) -> Iterator[Callable[[], object]]:
    """What the pages and commands show of a scope, as they ask for it."""
    from analysis.drift import drifts  # noqa: PLC0415
    from analysis.findings import findings  # noqa: PLC0415
    from analysis.kinds import by_kind  # noqa: PLC0415
    from analysis.news import news  # noqa: PLC0415
    from analysis.readiness import readinesses  # noqa: PLC0415
    from analysis.status import status  # noqa: PLC0415

    rules, targets = config.analysis, config.targets
    yield lambda: status(warehouse, scope, today, rules, targets)
    yield lambda: findings(warehouse, Scope(scope.domains), today, rules, targets)
    yield lambda: by_kind(warehouse, scope, today, rules.sources)
    yield lambda: drifts(warehouse, Scope(scope.domains, None, scope.until), rules.drift)
    if len(scope.domains) == 1:
        standing = status(warehouse, scope, today, rules, targets).domains
        goals = {one.domain: one.target for one in standing}
        yield lambda: readinesses(warehouse, goals, today, rules, until=scope.until)
    yield lambda: news(warehouse, scope, today, rules)
