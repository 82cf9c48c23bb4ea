"""After a poll: ask the blocklists that the settings name about strangers whose mail fails."""

from __future__ import annotations

import logging

from analysis.period import up_to_newest
from app.commands.asking import now
from app.commands.base import Run
from app.commands.opening import warehouse_of
from ingest.errors import Error
from ingest.probes import blocklists as probe
from ingest.probes.resolver import Resolver
from warehouse import blocklists

log = logging.getLogger(__name__)


def ask_blocklists(run: Run) -> None:
    """Ask, where any list is set, for addresses that were never asked for or are due. Its failing fails no poll."""
    settings = run.config.blocklists
    zones = tuple(dict.fromkeys(settings.zones))
    if run.config.offline or not zones:
        return
    warehouse, instant = warehouse_of(run), now()
    with warehouse.reading() as connection:
        scope = up_to_newest(connection, instant.date())
        due = blocklists.to_ask(connection, scope, zones, instant, settings.days, settings.addresses)
    if not due:
        return
    try:
        told = probe.probe_many(due, zones, Resolver(run.config.resolver), settings.lifetime)
    except Error as error:
        log.warning("blocklists.fail reason=%r", str(error))
        return
    for one in told.zones:
        if one.state is not probe.State.WORKS:
            log.warning("blocklists.unusable zone=%r version=%d state=%r", one.zone, one.version, str(one.state))
    with warehouse.writing(reports=False) as connection:
        news = blocklists.keep(connection, told.zones, told.listings, instant)
    log.info("blocklists.ask addresses=%d answers=%d news=%d", len(due), len(told.listings), news)
