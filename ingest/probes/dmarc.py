"""The DMARC record as DNS has it, and whether those whom it names for reports say that they take them.

RFC 9989 section 4 for the record; RFC 9990 section 4 (RFC 7489 section 7.1) for destinations outside of the domain's
own organization: a TXT record at <domain>._report._dmarc.<their domain> that begins with v=DMARC1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ingest.alignment import organizational_domain
from ingest.discovery import RULES, Records, discover, dmarc_records, tags
from ingest.probes.answer import Answer, Ask, Status
from ingest.probes.names import is_name

# One address of the list: its size limit (RFC 7489 section 6.2) says nothing about where it leads.
MAILTO: Final = re.compile(
    r"mailto:[^\s@]+@([a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?)\.?(?:![0-9]+[kmgt]?)?", re.IGNORECASE
)
MOST: Final = 10  # addresses of one record that are looked at


@dataclass(frozen=True, slots=True)
class Destination:
    """A host that reports go to, outside of the domain's organization.

    `takes` says whether it publishes that it takes them; None where DNS failed. `name` is where that stands.
    """

    host: str
    name: str
    takes: bool | None


@dataclass(frozen=True, slots=True)
class DmarcObservation:
    """What DNS says of a domain's record.

    `found_at` is the domain whose record counts: itself, or else as RFC 9989 walks up from it; "" where there is none.
    `records` are all that stand there; receivers use none where there are several. `hosts` are those of its
    rua addresses, `unread` how many of these could not be read. With a failure as `status` nothing is known.
    """

    domain: str
    status: Status
    found_at: str = ""
    records: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    unread: int = 0
    destinations: tuple[Destination, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether this is a fact, and not a failure to get one."""
        return self.status in (Status.VALUE, Status.NXDOMAIN, Status.NODATA)

    @property
    def record(self) -> str | None:
        """The record, where there is exactly one."""
        return self.records[0] if len(self.records) == 1 else None


def place(name: str) -> str:
    """Where the DMARC record of a name stands."""
    return f"_dmarc.{name}"


def records(ask: Ask) -> Records:
    """The DMARC records at names, as `ask` knows them."""

    def records_at(name: str) -> tuple[str, ...] | None:
        answer = ask(place(name), "TXT")
        return dmarc_records(answer.values) if answer.answered else None

    return records_at


def probe(domain: str, ask: Ask) -> DmarcObservation:
    """Ask for the record of a domain, then up the tree, and for each destination of its reports."""
    failed: list[Status] = []

    def heard(name: str, rdtype: str) -> Answer:
        answer = ask(name, rdtype)
        failed.extend([] if answer.answered else [answer.status])
        return answer

    own = heard(place(domain), "TXT")
    at, found = (domain, dmarc_records(own.values)) if own.answered else (None, ())
    if own.answered and not found:
        at, found = _above(domain, records(heard))
    if not found:
        return DmarcObservation(domain, own.status if at is not None else failed[-1])
    hosts, unread = _hosts(found[0]) if len(found) == 1 else ((), 0)
    at = at or domain
    outside = tuple(_destination(at, host, ask) for host in hosts if _outside(at, host, records(ask)))
    return DmarcObservation(domain, Status.VALUE, at, found, hosts, unread, outside)


def _above(domain: str, records_at: Records) -> tuple[str | None, tuple[str, ...]]:
    """Where the record stands that applies to a domain without one of its own, "" for none and None for unknown.

    A top-level domain that did not answer hides nothing where the organizational domain by the list did.
    """
    for rule in RULES:
        told = discover(rule, domain, records_at)
        if told.found_at is not None:
            return told.found_at, (told.record,) if told.found_at else ()
    return None, ()


def _hosts(record: str) -> tuple[tuple[str, ...], int]:
    listed = tags(record).get("rua", "")
    found = [MAILTO.fullmatch(one.strip()) for one in listed.split(",")[:MOST] if one.strip()]
    return tuple(dict.fromkeys(one[1].lower() for one in found if one)), sum(one is None for one in found)


def _outside(domain: str, host: str, records_at: Records) -> bool:
    """Whether any receiver takes the host for somebody else's: by the list, or by the tree as far as DNS tells it."""
    if organizational_domain(domain) != organizational_domain(host):
        return True
    if not is_name(host) or host == domain:
        return False
    ours, theirs = (discover("treewalk", name, records_at).organization for name in (domain, host))
    return None not in (ours, theirs) and ours != theirs


def _destination(domain: str, host: str, ask: Ask) -> Destination:
    name = f"{domain}._report._dmarc.{host}"
    answer = ask(name, "TXT")
    return Destination(host, name, bool(dmarc_records(answer.values)) if answer.answered else None)
