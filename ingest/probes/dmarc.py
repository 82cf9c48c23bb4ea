"""The DMARC record as DNS has it now, and whether those whom it names for reports say that they take them.

RFC 9989 section 4 for the record, RFC 7489 section 7.1 (kept by RFC 9990) for destinations outside of the domain's own
organization: a TXT record at <domain>._report._dmarc.<their domain> that begins with v=DMARC1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ingest.alignment import organizational_domain
from ingest.probes.resolver import Resolver, Status

VERSION: Final = re.compile(r"v\s*=\s*DMARC1\s*(?:;|$)")
RUA: Final = re.compile(r"(?:^|;)\s*rua\s*=\s*([^;]*)", re.IGNORECASE)
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

    `found_at` is the domain whose record counts: itself, or its organizational domain; "" where neither has one.
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


def probe(domain: str, resolver: Resolver) -> DmarcObservation:
    """Ask for the record of a domain, then of its organizational domain, and for each destination of its reports."""
    status = Status.NXDOMAIN
    for name in dict.fromkeys((domain, organizational_domain(domain))):
        answer = resolver.lookup(f"_dmarc.{name}", "TXT")
        status = answer.status
        if not answer.answered:
            return DmarcObservation(domain, status)
        records = tuple(text for text in answer.values if VERSION.match(text.strip()))
        if records:
            hosts, unread = _hosts(records[0]) if len(records) == 1 else ((), 0)
            outside = tuple(_destination(name, host, resolver) for host in hosts if _outside(name, host))
            return DmarcObservation(domain, Status.VALUE, name, records, hosts, unread, outside)
    return DmarcObservation(domain, status)


def _hosts(record: str) -> tuple[tuple[str, ...], int]:
    listed = RUA.search(record)
    found = [MAILTO.fullmatch(one.strip()) for one in (listed[1] if listed else "").split(",")[:MOST] if one.strip()]
    return tuple(dict.fromkeys(one[1].lower() for one in found if one)), sum(one is None for one in found)


def _outside(domain: str, host: str) -> bool:
    return organizational_domain(domain) != organizational_domain(host)


def _destination(domain: str, host: str, resolver: Resolver) -> Destination:
    name = f"{domain}._report._dmarc.{host}"
    answer = resolver.lookup(name, "TXT")
    takes = any(VERSION.match(text.strip()) for text in answer.values) if answer.answered else None
    return Destination(host, name, takes)
