"""Asks DNS about the names of domains' mail, as far as what is kept has run out, and keeps what it says."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from analysis.tree import Tree, fresh, look, tree_of
from ingest.discovery import dmarc_records, targets
from ingest.probes.answer import Answer
from ingest.probes.asking import Asking
from ingest.probes.dmarc import place, probe
from ingest.probes.resolver import Resolver
from ingest.settings import ResolverSettings
from warehouse import lookups
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError
from warehouse.instants import naive
from warehouse.scope import Scope

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known after a look: how many questions DNS answered now, and how many it did not.

    `unkept` says why the answers could not be kept; "" where they are.
    """

    tree: Tree
    answered: int
    unanswered: int
    unkept: str = ""


def ask_dns(warehouse: Warehouse, scope: Scope, settings: ResolverSettings, now: datetime) -> Looked:
    """Ask for the scope's one domain. What DNS does not answer now stays as it was known before."""
    with warehouse.reading() as connection:
        before = tree_of(connection, scope)
    asking = Asking(fresh(before.found, naive(now)), Resolver(settings))
    look(before.names, asking)
    answers = [_bare(one) for one in asking.found.values()]
    found = {(one.name, one.rdtype): lookups.lookup(one, now) for one in answers}
    after = Tree(before.names, {**before.found, **found})
    return Looked(after, len(answers), len(asking.unanswered), _keep(warehouse, answers, now))


def ask_records(domains: Sequence[str], settings: ResolverSettings) -> list[Answer]:
    """What DNS answers now of these domains' records, of what stands above, and of where their reports go."""
    asking = Asking({}, Resolver(settings))
    asking.all((place(target), "TXT") for domain in domains for target in targets(domain))
    for domain in domains:
        probe(domain, asking)
    return [_bare(one) for one in asking.found.values()]


def _bare(answer: Answer) -> Answer:
    """An answer with the DMARC records alone: what else stands there is nobody's business here."""
    return replace(answer, values=dmarc_records(answer.values) if answer.rdtype == "TXT" else ())


def _keep(warehouse: Warehouse, answers: list[Answer], now: datetime) -> str:
    if not answers:
        return ""
    try:
        with warehouse.writing(reports=False) as connection:
            news = lookups.keep(connection, answers, now)
    except WarehouseError as error:
        # Whoever may only read gets the answers all the same.
        log.warning("dns.unkept reason=%r", str(error))
        return str(error)
    log.info("dns.kept answers=%d news=%d", len(answers), news)
    return ""
