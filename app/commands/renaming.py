"""After a poll: ask DNS what new addresses call themselves and what our domains point to, and group sources by it."""

from __future__ import annotations

import logging
from datetime import datetime

from analysis import regrouping, tree
from analysis.regrouping import Known
from app.commands.asking import now
from app.commands.base import Run
from app.commands.loading import identifier
from app.commands.opening import warehouse_of
from app.commands.upgrading import upgrade
from app.looking import ask_records
from ingest.errors import Error
from ingest.probes import owned, ptr
from ingest.probes.ptr import PtrObservation
from ingest.probes.resolver import Resolver
from warehouse import addresses, dns, lookups
from warehouse.instants import naive

log = logging.getLogger(__name__)


def rename(run: Run) -> None:
    """Look up names and records that were never asked for or are old. DNS failing is no failure of a poll."""
    upgrade(run)
    if run.config.offline:
        return
    settings, warehouse, instant = run.config.resolver, warehouse_of(run), now()
    with warehouse.reading() as connection:
        owners = regrouping.to_ask(connection, instant, settings.record_days)
        asked = addresses.to_ask(connection, instant, settings.ptr_days)
        policies = tree.due(connection, naive(instant), settings.record_days)
    if not (asked or owners or policies):
        return
    try:
        # Each has its own time: many strangers' addresses cannot use up that of our few domains.
        told = owned.probe_many(owners, Resolver(settings), settings.lifetime)
        heard = ask_records(policies, settings)
        found = ptr.probe_many(asked, Resolver(settings), settings.lifetime)
    except Error as error:
        log.warning("dns.fail reason=%r", str(error))
        return
    names = {ip: _name(observation, instant) for ip, observation in found.items()}
    with warehouse.writing(reports=False) as connection:
        news = dns.keep(connection, told, instant)
        lookups.keep(connection, heard, instant)
        # What a record of ours binds had its name before: once a day all senders are looked at.
        again = regrouping.senders(connection, instant.date()) if told else []
        every = [*dict.fromkeys([*names, *again])]
        renewed = regrouping.regrouped(connection, identifier(), every, names, instant.date())
        moved = addresses.renew(connection, renewed, instant, "records" if news else "names")
    log.info(
        "dns.renew asked=%d answered=%d records=%d policies=%d news=%d renewed=%d moved=%d",
        len(asked), len(names), len(told), len(heard), news, len(renewed), moved,
    )  # fmt: skip


def _name(observation: PtrObservation, instant: datetime) -> Known:
    confirmed = bool(observation.confirmed)
    candidates = observation.confirmed or observation.names
    return Known(candidates[0] if candidates else None, confirmed if candidates else None, naive(instant))
