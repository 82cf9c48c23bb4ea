"""Where the DNS of our own domains points: which service a key, a return path or an address belongs to.

Only whoever holds a domain can put a CNAME or MX below it, or an include into its SPF record. So a key or a return
path that points to a service binds the mail that passes with it, and an include the addresses it covers, whatever
their reverse names are. The same goes for the hosts that the record names (`a`, `mx`), be they a service's or our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import polars as pl

from ingest.alignment import organizational_domain
from ingest.catalogue.catalogue import Catalogue
from ingest.catalogue.service import Service
from ingest.probes import spf
from ingest.probes.names import is_below, key_name

_HOPS = 5
# Networks of a hoster wider than this hold servers that anybody rents, whoever includes them.
_NARROW = {4: 22, 6: 48}


class Pointer(NamedTuple):
    """Where a name leads out of its domain: the service, where it is listed, and the organizational domain there."""

    service: Service | None
    organization: str


class Pointers:
    """What is known of some domains' DNS: `answers` as `warehouse.reads_dns.answers` gives them.

    `lasting`: what was there once and is not now counts as well. Whose mail it was does not change with that.
    """

    def __init__(self, answers: pl.DataFrame, listed: Catalogue, *, lasting: bool) -> None:
        self._listed = listed
        self._records: dict[tuple[str, str], tuple[str, ...]] = {}
        self.domains: tuple[str, ...] = tuple(sorted(set(answers["domain"]))) if answers.height else ()
        for one in answers.iter_rows(named=True):
            told = one["records"] or (one["earlier"] if lasting else ())
            self._records[one["name"], one["rdtype"]] = tuple(told)
        self._met: dict[tuple[str, str], Pointer | None] = {}

    def key(self, selector: str, signing_domain: str) -> Pointer | None:
        """Where the key of a signature in a domain of ours is kept, if elsewhere."""
        return self._pointer(key_name(selector, signing_domain), organizational_domain(signing_domain))

    def path(self, spf_domain: str) -> Pointer | None:
        """Whom a return path below a domain of ours leads to, if elsewhere."""
        return self._pointer(spf_domain.lower().rstrip("."), organizational_domain(spf_domain))

    def named(self, organization: str) -> frozenset[str]:
        """Ids of the services that a domain of ours names in its DNS: by a key, a return path, an include or its MX."""
        return self._named.get(organization, frozenset())

    def covering(self, ip: IPv4Address | IPv6Address) -> Service | None:
        """The service whose include or host in a record of ours covers an address; of several the most exact one."""
        for length, networks in self._covered[ip.version]:
            found = networks.get(int(ip) >> (ip.max_prefixlen - length))
            if found:
                return found
        return None

    def _pointer(self, name: str, domain: str) -> Pointer | None:
        if (name, domain) not in self._met:
            self._met[name, domain] = self._followed(name, domain)
        return self._met[name, domain]

    def _followed(self, name: str, domain: str) -> Pointer | None:
        for _ in range(_HOPS):
            alias = self._records.get((name, "CNAME"), ())
            if not alias:
                break
            name = alias[0].lower().rstrip(".")
            if not is_below(name, domain):
                return self._out(name)
        found = {self._out(one).service for one in self._exchanges(name, domain)}
        service = found.pop() if len(found) == 1 else None
        # Where mailboxes are says who receives bounces, not who sends; several exchanges of several name nobody.
        return Pointer(service, "") if service and service.role == "sender" else None

    def _exchanges(self, name: str, domain: str) -> tuple[str, ...]:
        """The hosts outside the domain that take mail for a name."""
        hosts = (one.split()[-1].lower().rstrip(".") for one in self._records.get((name, "MX"), ()) if one.split())
        return tuple(host for host in hosts if host and not is_below(host, domain))

    def _out(self, target: str) -> Pointer:
        known = self._listed
        doors = (known.by_dkim_target, known.by_bounce_target, known.by_bounce_domain, known.by_signing_domain,
                 known.by_include, known.by_ptr)  # fmt: skip
        match = next((match for door in doors if (match := door(target))), None)
        return Pointer(match.service if match else None, organizational_domain(target))

    @cached_property
    def _named(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {domain: set() for domain in self.domains}
        for name, rdtype in self._records:
            domain = organizational_domain(name)
            if rdtype not in ("CNAME", "MX") or domain not in found:
                continue
            pointer = self._pointer(name, domain)
            if pointer and pointer.service:
                found[domain].add(pointer.service.id)
        for domain in self.domains:
            mailboxes = {self._out(host).service for host in self._exchanges(domain, domain)}
            included = set(self._included(domain, {domain}))
            found[domain] |= {service.id for service in mailboxes | included if service}
        return {domain: frozenset(services) for domain, services in found.items()}

    def _included(self, name: str, met: set[str]) -> Iterator[Service]:
        """The services that a record includes itself, or through records of nobody's that is listed."""
        for record in self._records.get((name, "TXT"), ()):
            for include in spf.includes(record):
                match = self._listed.by_include(include)
                if match:
                    yield match.service
                elif include not in met:
                    met.add(include)
                    yield from self._included(include, met)

    def _asked(self, name: str, rdtype: str) -> tuple[str, ...] | None:
        return self._records.get((name, rdtype))

    @cached_property
    def _allowed(self) -> dict[str, list[spf.Allowed]]:
        return {domain: list(spf.allowed(domain, self._asked)) for domain in self.domains}

    @cached_property
    def _covered(self) -> dict[int, list[tuple[int, dict[int, Service]]]]:
        """By IP version and length of the network, the longest first: the service of each network."""
        found: dict[int, dict[int, dict[int, Service]]] = {4: {}, 6: {}}
        for domain in self.domains:
            for block, through, host in self._allowed[domain]:
                service = self._deepest(through[1:]) or self._host(host, domain)
                if service is None or (service.role == "hosting" and block.prefixlen < _NARROW[block.version]):
                    continue
                shift = block.max_prefixlen - block.prefixlen
                found[block.version].setdefault(block.prefixlen, {})[int(block.network_address) >> shift] = service
        return {version: sorted(lengths.items(), reverse=True) for version, lengths in found.items()}

    @cached_property
    def own_hosts(self) -> dict[str, frozenset[str]]:
        """By domain, the addresses of hosts below it that its SPF record names (`a`, `mx`): not their neighbours."""
        return {
            domain: frozenset(
                str(block.network_address)
                for block, through, host in self._allowed[domain]
                if block.prefixlen == block.max_prefixlen and is_below(host, domain) and is_below(through[-1], domain)
            )
            for domain in self.domains
        }

    @cached_property
    def _owners(self) -> dict[str, str]:
        """Whose own host an address is; of two domains that name it, none's."""
        found: dict[str, str] = {}
        for domain, hosts in self.own_hosts.items():
            for ip in hosts:
                found[ip] = domain if found.setdefault(ip, domain) == domain else ""
        return found

    def owner(self, ip: IPv4Address | IPv6Address) -> str:
        """The domain of ours that names an address as its own host; empty where none does, or several do."""
        return self._owners.get(str(ip), "")

    def _host(self, host: str, domain: str) -> Service | None:
        """The service outside of a domain whose host its record names."""
        return self._out(host).service if host and not is_below(host, domain) else None

    def _deepest(self, through: Iterable[str]) -> Service | None:
        """Of the includes on the way to a network, the last of a listed service: it sends from there itself."""
        matches = [match for name in through if (match := self._listed.by_include(name))]
        return matches[-1].service if matches else None
