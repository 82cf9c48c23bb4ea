"""Whose address is it? Each address is grouped under one source, offline and without a clock.

An operator's network names the sender only where the operator sends the mail itself. Whoever rents
a server at a hoster, or gets an address from an access provider, is somebody else: such addresses
are grouped by network, or by the organisation that a forward-confirmed reverse name shows.
A source never spans two operators.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol

from analysis.clouds import MAIL_NETWORKS, RENTED_OUT, MailNetwork
from ingest.alignment import organizational_domain
from ingest.network import Network, Service
from warehouse.rows import Address

# Types of the map of names whose customers, not they themselves, send from their networks.
HOSTS = frozenset({"Web Host", "ISP", "IaaS", "PaaS"})

# An operator that the map does not know, whose name says that it connects or hosts others.
HOST_NAME = re.compile(
    r"host|server|\bvps|cloud|data ?cent|colo\b|telecom|teleko|telef|communic|broadband|internet|\bnet\b"
    r"|network|cable|fib(er|re)|wireless|mobile|\bisp\b|online|connect",
    re.IGNORECASE,
)
DOMAIN = re.compile(r"(?=.{4,80}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")


class Networks(Protocol):
    """The offline database of networks."""

    def lookup(self, ip: str) -> Network:
        """Who announces this address; empty fields where nobody is known to."""


class Services(Protocol):
    """The offline map of services."""

    def lookup(self, name: str) -> Service | None:
        """The service behind a domain."""


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

    def __init__(self, networks: Networks, services: Services) -> None:
        self._networks = networks
        self._services = services
        # Many addresses share few operators.
        self._service = lru_cache(maxsize=100_000)(services.lookup)

    def identify(self, source_ips: Sequence[str], names: Mapping[str, ReverseName] | None = None) -> list[Address]:
        """One Address for each of `source_ips`, in order. `names` holds reverse names, by address."""
        names = names or {}
        return [self._identify(ip, names.get(ip)) for ip in source_ips]

    def _identify(self, text: str, name: ReverseName | None) -> Address:
        ip = _parsed(text)
        if ip is None:
            return Address(text, "net:invalid")
        network = self._networks.lookup(str(ip))
        as_domain, as_name = _domain(network.as_domain), network.as_name or None
        known = self._service(as_domain) if as_domain else None
        address = Address(
            text,
            "",
            service_type=known.type if known else None,
            asn=network.asn,
            as_name=as_name,
            as_domain=as_domain,
            country=network.country or None,
            ptr=name.ptr if name else None,
            ptr_confirmed=name.confirmed if name else None,
            ptr_at=name.asked_at if name else None,
        )
        mail = _mail_network(ip, as_domain)
        if as_domain and mail:
            return address._replace(source_key=f"as:{as_domain}", service=mail.service, service_type=mail.service_type)
        if as_domain and not _rents_out(as_domain, as_name, known):
            return address._replace(source_key=f"as:{as_domain}", service=known.name if known else None)
        return self._tenant(address, ip)

    def _tenant(self, address: Address, ip: IPv4Address | IPv6Address) -> Address:
        """A customer of a hoster or access provider, or somebody in an unknown network."""
        kind = address.service_type or ("Web Host" if address.as_domain else None)
        address = address._replace(service_type=kind)
        organisation = self._organisation(address)
        if not organisation:
            width = 24 if isinstance(ip, IPv4Address) else 64
            return address._replace(source_key=f"net:{ip_network((ip, width), strict=False)}")
        # One organisation may rent at several hosters; the operator keeps those apart.
        place = f"@{address.as_domain}" if address.as_domain else ""
        known = self._service(organisation)
        return address._replace(
            source_key=f"ptr:{organisation}{place}",
            service=known.name if known else None,
            service_type=known.type if known else kind,
        )

    def _organisation(self, address: Address) -> str | None:
        """The organisation that a confirmed reverse name shows; None for a hoster's own naming scheme."""
        if not address.ptr or not address.ptr_confirmed:
            return None
        host = address.ptr.rstrip(".").lower()
        if not DOMAIN.fullmatch(host) or _spells(host, address.source_ip):
            return None
        organisation = organizational_domain(host)
        known = self._service(organisation) if organisation else None
        if not organisation or organisation == address.as_domain or (known and known.type in HOSTS):
            return None
        return organisation if DOMAIN.fullmatch(organisation) else None


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def _domain(text: str) -> str | None:
    """An operator's domain as it may stand in a key, or None."""
    domain = text.rstrip(".").lower()
    return domain if DOMAIN.fullmatch(domain) else None


def _mail_network(ip: IPv4Address | IPv6Address, as_domain: str | None) -> MailNetwork | None:
    for network in MAIL_NETWORKS.get(as_domain or "", ()):
        if any(ip.version == block.version and ip in block for block in network.blocks):
            return network
    return None


def _rents_out(as_domain: str, as_name: str | None, known: Service | None) -> bool:
    if as_domain in RENTED_OUT:
        return True
    return known.type in HOSTS if known else bool(HOST_NAME.search(as_name or ""))


def _spells(host: str, source_ip: str) -> bool:
    """Whether a reverse name only spells out the address, as access providers name their lines."""
    ip = _parsed(source_ip)
    if not isinstance(ip, IPv4Address):
        return ip is not None and ip.exploded.replace(":", "")[-16:] in host.replace("-", "").replace(".", "")
    octets = str(ip).split(".")
    numbers = re.findall(r"\d+", host)
    forms = (octets, octets[::-1])
    windows = [numbers[i : i + 4] for i in range(len(numbers) - 3)]
    joined = ("".join(octets), "".join(f"{int(o):03d}" for o in octets), f"{int(ip):08x}")
    return any(w in forms for w in ([str(int(n)) for n in w] for w in windows)) or any(j in host for j in joined)
