"""Looks at addresses anew, with what DNS has said since, or after an upgrade. What changes comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from analysis.bonds import Bond, Passing, bonds
from analysis.facts import listed
from analysis.identity import Identifier, ReverseName
from analysis.period import up_to_newest
from analysis.pointers import Pointers
from ingest.alignment import organizational_domain
from ingest.catalogue.catalogue import Catalogue, catalogue
from ingest.probes.names import Owned, is_name, key_name
from warehouse import addresses, dns, reads_bonds
from warehouse.address import Address
from warehouse.connect import Connection
from warehouse.reads_dns import answers
from warehouse.scope import Scope

SENDERS = 20_000  # addresses that are looked at anew in one run, those with most mail first


class Known(NamedTuple):
    """A reverse name as the warehouse has it."""

    ptr: str | None
    confirmed: bool | None
    asked_at: datetime


def to_ask(connection: Connection, now: datetime, days: int) -> list[Owned]:
    """Our domains whose DNS is to be asked: those with a name that was not answered for `days`.

    Only domains with aligned mail in reports that count are ours; a forged report adds none. Of the names that
    reports show below them, those that mail passes by are asked for, a bounded number of each domain.
    """
    scope = up_to_newest(connection, now.date())
    organizations = {
        domain: org for domain in dns.domains(connection, scope) if is_name(org := organizational_domain(domain))
    }
    fresh = dns.fresh(connection, now, days)
    found = []
    for due in dns.shown(connection, scope, organizations):
        keys = tuple(key_name(selector, signing) for selector, signing in due.keys)
        wanted = [name for name in (*keys, *due.paths) if is_name(name) and (due.domain, name) not in fresh]
        if wanted or (due.domain, due.domain) not in fresh:
            found.append(Owned(due.domain, keys, due.paths))
    return found


def regrouped(
    connection: Connection,
    identifier: Identifier,
    source_ips: Sequence[str],
    names: Mapping[str, ReverseName],
    today: date,
) -> list[Address]:
    """What is known of addresses now, of those of which it differs from what is stored.

    `names` are reverse names that DNS has just given; of the others the stored one counts.
    """
    services, scope = catalogue(), up_to_newest(connection, today)
    stored = {row["source_ip"]: row for row in addresses.known(connection, source_ips).iter_rows(named=True)}
    asked = list(stored)
    known = {ip: Known(row["ptr"], row["ptr_confirmed"], row["ptr_at"]) for ip, row in stored.items() if row["ptr_at"]}
    kept = _kept(stored)
    made = _bonds(connection, scope, asked, services)
    found = {**kept, **{ip: _lasting(bond, kept.get(ip)) for ip, bond in made.items()}}
    renewed = identifier.identify(asked, {**known, **names}, found)
    return [one for one in renewed if one != Address(**stored[one.source_ip])]


def senders(connection: Connection, today: date) -> list[str]:
    """Addresses that records of our domains' DNS may bind: those of sources whose mail passes."""
    return reads_bonds.senders(connection, up_to_newest(connection, today), SENDERS)


def _bonds(connection: Connection, scope: Scope, source_ips: Sequence[str], services: Catalogue) -> dict[str, Bond]:
    passing = Passing(
        reads_bonds.passing_paths(connection, scope, source_ips),
        reads_bonds.passing_keys(connection, scope, source_ips),
        reads_bonds.key_homes(connection, scope),
    )
    pointers = Pointers(answers(connection), services, lasting=True)
    return bonds(source_ips, pointers, passing, services)


def _kept(stored: Mapping[str, Mapping[str, object]]) -> dict[str, Bond]:
    """What bound an address stays, though the mail or the record that showed it may be gone."""
    found = {}
    for ip, row in stored.items():
        key = str(row["source_key"])
        organization = key.removeprefix("ptr:").partition("@")[0] if key.startswith("ptr:") else ""
        service = listed(key)
        if row["bound_by"] and (service or organization):
            found[ip] = Bond(str(row["bound_by"]), service, organization)
    return found


def _lasting(bond: Bond, kept: Bond | None) -> Bond:
    """Who is known to send through a carrier's address stays while most of its mail says so: no back and forth."""
    return bond._replace(share=1.0) if kept and kept.service and kept.service == bond.service else bond
