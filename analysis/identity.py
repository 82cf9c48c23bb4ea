"""Whose address is it? Each address is grouped under one source, offline and without a clock.

The strongest trace wins. A mail network that its operator publishes comes first; then a service of the
catalogue, known by what the DNS of our own domains binds the address to (`bonds`), by a forward-confirmed
reverse name or by a network that only it sends from: it is one source in all of its networks. An operator's
network names the sender only where the operator sends the mail itself. Whoever rents a server at a hoster,
or gets an address from an access provider, is somebody else: such addresses are grouped by network, or by
the organisation that our DNS or a forward-confirmed reverse name shows. Without a service, a source never
spans two operators. Where all that says only whose machines they are (a carrier's, through which other services
send), the service that sends through them is named, where a reverse name or our own mail tells which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from ipaddress import IPv4Address, ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, NamedTuple, Protocol

from analysis.bonds import SIGNED, Bond, sends_through
from analysis.clouds import MAIL_NETWORKS, OPERATED, RENTED_OUT, MailNetwork
from ingest.alignment import organizational_domain
from ingest.catalogue.catalogue import Catalogue, catalogue
from ingest.catalogue.hosts import host_by_asn, host_by_ptr
from ingest.catalogue.service import Service as Listed
from ingest.ip import is_ipv4, parsed
from ingest.network import Network, Service
from warehouse.address import Address

RULES = 5  # raised with every change of what is decided here, so that what is stored is looked at anew

# Types of the map of names whose customers, not they themselves, send from their networks.
HOSTS = frozenset({"Web Host", "ISP", "IaaS", "PaaS"})

# Types whose networks hold other organisations' machines beside their own: research networks, authorities, caretakers.
SHARED = frozenset({"Education", "Government", "Science", "Nonprofit", "MSP", "MSSP"})

# What a service of the catalogue does with mail (catalogue.service.ROLES), in the map's words and two more.
TYPES = {
    "sender": "SaaS",
    "mailbox": "Email Provider",
    "gateway": "Email Security",
    "forwarder": "Forwarder",
    "list": "Mailing List",
    "hosting": "Mail Host",
}

# Services that are known by their operator's own mail networks; elsewhere they are the same source.
KEYS = {service: key for key, service in OPERATED.items()}

# An operator that the map does not know, whose name says that it connects or hosts others.
HOST_NAME = re.compile(
    r"host|server|\bvps|cloud|data ?cent|colo\b|telecom|teleko|telef|communic|broadband|internet|\bnet\b"
    r"|network|cable|fib(er|re)|wireless|mobile|\bisp\b|online|connect",
    re.IGNORECASE,
)
DOMAIN = re.compile(r"(?=.{4,80}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")


class Networks(Protocol):
    """The offline database of networks."""

    def lookup(self, ips: Iterable[str]) -> Iterator[Network]:
        """Who announces each of these addresses; empty fields where nobody is known to."""

    @property
    def edition(self) -> str: ...  # noqa: D102


class Services(Protocol):
    """The offline map of services."""

    def lookup(self, name: str) -> Service | None:
        """The service behind a domain."""

    @property
    def edition(self) -> str: ...  # noqa: D102


class ReverseName(Protocol):
    """What DNS said about the reverse name of an address."""

    @property
    def ptr(self) -> str | None: ...  # noqa: D102
    @property
    def confirmed(self) -> bool | None: ...  # noqa: D102
    @property
    def asked_at(self) -> datetime: ...  # noqa: D102


class Identifier:
    """Gives each address its source and what is known of it, from the offline databases alone."""

    def __init__(self, networks: Networks, services: Services, listed: Catalogue | None = None) -> None:
        self._networks, self._services = networks, services
        self._listed = listed or catalogue()
        # Many addresses share few operators.
        self._service = lru_cache(maxsize=2**14)(services.lookup)
        self._operator = lru_cache(maxsize=2**14)(self._describe)

    @property
    def version(self) -> str:
        """With which rules and data sources are told apart; another one means that they may be grouped otherwise."""
        return " ".join((str(RULES), self._listed.edition, self._networks.edition, self._services.edition))

    def identify(
        self,
        source_ips: Sequence[str],
        names: Mapping[str, ReverseName] | None = None,
        bonds: Mapping[str, Bond] | None = None,
    ) -> list[Address]:
        """One Address for each of `source_ips`, in order. `names` and `bonds` are by address."""
        names, bonds = names or {}, bonds or {}
        plain = [_canonical(text) for text in source_ips]
        operators = map(self._operator, self._networks.lookup(one or "" for one in plain))
        found = zip(source_ips, plain, operators, strict=True)
        return [self._identify(text, one, operator, names.get(text), bonds.get(text)) for text, one, operator in found]

    def _identify(
        self, text: str, plain: str | None, operator: _Operator, name: ReverseName | None, bond: Bond | None
    ) -> Address:
        if plain is None:
            return Address(text, "net:invalid")
        mail = _mail_network(plain, operator.as_domain)
        address = operator.unnamed
        if mail or name or bond:
            address = self._whose(Address(text, *operator.address), operator, mail, name, bond)
        return Address(text, address.source_key or f"net:{_block(plain)}", *address[2:])

    def _whose(
        self,
        address: Address,
        operator: _Operator,
        mail: MailNetwork | None,
        name: ReverseName | None,
        bond: Bond | None,
    ) -> Address:
        """What is known of an address; without a source where that is its block."""
        if name:
            address = address._replace(ptr=name.ptr, ptr_confirmed=name.confirmed, ptr_at=name.asked_at)
        return self._sent_through(self._operated(address, operator, mail, bond), bond)

    def _operated(self, address: Address, operator: _Operator, mail: MailNetwork | None, bond: Bond | None) -> Address:
        """Whose machine it is."""
        if mail:
            return address._replace(
                source_key=f"as:{operator.as_domain}", service=mail.service, service_type=mail.service_type
            )
        bound = bond.service if bond else None
        if bond and bound and bond.by == "include":
            return _of(bound, address, bond.by)
        match = self._listed.by_address(address.asn, address.ptr, address.ptr_confirmed)
        if match:
            return _of(match.service, address)
        # SPF is checked against the address; keys survive forwarding, and an operator that sends is known.
        if bond and bound and (bond.by not in SIGNED or not operator.sends):
            return _of(bound, address, bond.by)
        return self._guest(address, operator, bond) if operator.sends else self._tenant(address, bond)

    def _sent_through(self, address: Address, bond: Bond | None) -> Address:
        """The same address under the service that sends through it, where it is a carrier's machine."""
        carrier = self._listed.get(OPERATED.get(address.source_key) or address.source_key.removeprefix("svc:"))
        if bond and bond.carrier and bond.service and address.source_key == key_of(bond.service):
            return address._replace(carrier=bond.carrier.name)
        if not carrier or not carrier.carries:
            return address
        match = self._listed.by_ptr(address.ptr) if address.ptr and address.ptr_confirmed else None
        if match and not match.service.carries:
            return _of(match.service, address)._replace(carrier=carrier.name)
        if bond and bond.service and sends_through(bond):
            return _of(bond.service, address, bond.by)._replace(carrier=carrier.name)
        return address

    def _describe(self, network: Network) -> _Operator:
        as_domain, as_name = _domain(network.as_domain), network.as_name or None
        known = self._service(as_domain) if as_domain else None
        sends = bool(as_domain) and not _rents_out(as_domain or "", network, known)
        type_ = known.type if known else None
        key, service = (f"as:{as_domain}", known.name if known else None) if sends else ("", None)
        about = (key, service, type_, network.asn, as_name, as_domain, network.country or None)
        operator = _Operator(as_domain, sends, known is None or known.type in SHARED, about, Address("", *about))
        return operator._replace(unnamed=self._whose(operator.unnamed, operator, None, None, None))

    def _guest(self, address: Address, operator: _Operator, bond: Bond | None) -> Address:
        """Somebody else in the network of an operator who sends: whom our DNS or a confirmed reverse name shows."""
        organisation = self._organisation(address)
        bound = self._bound(bond, address.as_domain)
        shown = organisation if operator.shares else None
        if bond and bound and (bond.by == "path" or bound == organisation):
            shown, address = bound, address if bound == organisation else address._replace(bound_by=bond.by)
        return self._shown(address, shown) if shown else address

    def _tenant(self, address: Address, bond: Bond | None) -> Address:
        """A customer of a hoster or access provider, or somebody in an unknown network."""
        # Whoever rents out is a hoster here, whatever else the map calls the operator.
        kind = address.service_type if address.service_type in HOSTS else "Web Host" if address.as_domain else None
        address = address._replace(service_type=kind)
        organisation = self._organisation(address)
        bound = self._bound(bond, address.as_domain)
        if bond and bound and (bond.by == "path" or not organisation):
            # A reverse name that says the same needs no help.
            address = address if bound == organisation else address._replace(bound_by=bond.by)
            organisation = bound
        return self._shown(address, organisation) if organisation else address

    def _shown(self, address: Address, organisation: str) -> Address:
        """The same address as an organisation's."""
        # One organisation may rent at several hosters; the operator keeps those apart.
        place = f"@{address.as_domain}" if address.as_domain else ""
        known = self._service(organisation)
        return address._replace(
            source_key=f"ptr:{organisation}{place}",
            service=known.name if known else None,
            service_type=known.type if known else address.service_type,
        )

    def _bound(self, bond: Bond | None, as_domain: str | None) -> str | None:
        """The organisation that is in no catalogue and that our DNS binds an address to."""
        if not bond or bond.service or not DOMAIN.fullmatch(bond.organization):
            return None
        known = self._service(bond.organization)
        hosts = bond.organization == as_domain or host_by_ptr(bond.organization) or (known and known.type in HOSTS)
        return None if hosts else bond.organization

    def _organisation(self, address: Address) -> str | None:
        """The organisation that a confirmed reverse name shows; None for a hoster's own naming scheme."""
        if not address.ptr or not address.ptr_confirmed:
            return None
        host = address.ptr.rstrip(".").lower()
        if not DOMAIN.fullmatch(host) or host_by_ptr(host) or _spells(host, address.source_ip):
            return None
        organisation = organizational_domain(host)
        known = self._service(organisation) if organisation else None
        if not organisation or organisation == address.as_domain or (known and known.type in HOSTS):
            return None
        return organisation if DOMAIN.fullmatch(organisation) else None


class _Operator(NamedTuple):
    """Whose network it is, and what an Address says of it up to `country`.

    `sends`: whether they send the mail themselves; `shares`: whether that is an assumption, since others' machines may
    stand there, whatever the operator does: networks are let, and many an operator is in no list. `unnamed` is
    what is known of its addresses (without their text) of which neither a name nor a bond is known, outside of mail
    networks.
    """

    as_domain: str | None
    sends: bool
    shares: bool
    address: tuple[Any, ...]
    unnamed: Address


def _canonical(text: str) -> str | None:
    """An address in its plain form; None where it is none."""
    if is_ipv4(text):
        return text
    ip = parsed(text)
    return str(ip) if ip else None


def _block(ip: str) -> str:
    """The network that neighbours share: 256 addresses, or a site's /64."""
    if ":" in ip:
        return str(ip_network((ip, 64), strict=False))
    return f"{ip.rpartition('.')[0]}.0/24"


def _domain(text: str) -> str | None:
    """An operator's domain as it may stand in a key, or None."""
    domain = text.rstrip(".").lower()
    return domain if DOMAIN.fullmatch(domain) else None


def _mail_network(text: str, as_domain: str | None) -> MailNetwork | None:
    if as_domain is None or as_domain not in MAIL_NETWORKS:
        return None
    # As bytes, which compare only to those of their own length in a meaningful way: ipaddress takes five times as long.
    packed = inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    for size, first, last, network in _mail_blocks(as_domain):
        if len(packed) == size and first <= packed <= last:
            return network
    return None


@cache
def _mail_blocks(as_domain: str) -> tuple[tuple[int, bytes, bytes, MailNetwork], ...]:
    """The blocks of an operator's mail networks: bytes of an address, the first address, the last one."""
    return tuple(
        (len(block.network_address.packed), block.network_address.packed, block.broadcast_address.packed, network)
        for network in MAIL_NETWORKS[as_domain]
        for block in network.blocks
    )


def key_of(service: Listed) -> str:
    """The key of the source that a listed service is."""
    return KEYS.get(service.id) or f"svc:{service.id}"


def _of(service: Listed, address: Address, by: str | None = None) -> Address:
    return address._replace(source_key=key_of(service), service=service.name, service_type=_type(service), bound_by=by)


def _type(service: Listed) -> str:
    return "Marketing" if service.category == "marketing" else TYPES[service.role]


def _rents_out(as_domain: str, network: Network, known: Service | None) -> bool:
    if as_domain in RENTED_OUT or host_by_asn(network.asn):
        return True
    return known.type in HOSTS if known else bool(HOST_NAME.search(network.as_name or ""))


def _spells(host: str, source_ip: str) -> bool:
    """Whether a reverse name only spells out the address, as access providers name their lines."""
    ip = parsed(source_ip)
    if not isinstance(ip, IPv4Address):
        return ip is not None and ip.exploded.replace(":", "")[-16:] in host.replace("-", "").replace(".", "")
    octets = str(ip).split(".")
    numbers = re.findall(r"\d+", host)
    forms = (octets, octets[::-1])
    windows = [numbers[i : i + 4] for i in range(len(numbers) - 3)]
    joined = ("".join(octets), "".join(f"{int(o):03d}" for o in octets), f"{int(ip):08x}")
    return any(w in forms for w in ([str(int(n)) for n in w] for w in windows)) or any(j in host for j in joined)
