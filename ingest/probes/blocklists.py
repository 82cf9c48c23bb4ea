"""Blocklists in DNS (RFC 5782): whether an address is listed, and whether a list can be believed at all.

A list is asked by the address turned round, below the list's zone; an A record in 127.0.0.0/8 says "listed", and that
there is none says "not listed". Everything else says nothing: a zone that was shut down and answers everything, one
that answers nothing, one that refuses a resolver, a resolver that answers for names that do not exist. So a zone's
two test points are asked before any address, and what refuses is never taken for a listing.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import NamedTuple

from ingest.probes.answer import Answer
from ingest.probes.resolver import Resolver

_LOG = logging.getLogger(__name__)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ANSWERS = ipaddress.ip_network("127.0.0.0/8")  # RFC 5782 section 2.1
# What lists answer instead of an answer: to a resolver that they do not serve, to too many or to wrong questions.
_REFUSALS = (ipaddress.ip_network("127.255.255.0/24"), ipaddress.ip_network("127.0.0.1/32"))
# Section 5: what every list holds, and what none holds, of each version.
_TESTS: dict[int, tuple[Address, Address]] = {
    4: (ipaddress.ip_address("127.0.0.2"), ipaddress.ip_address("127.0.0.1")),
    6: (ipaddress.ip_address("::ffff:7f00:2"), ipaddress.ip_address("::ffff:7f00:1")),
}
_CODES = 20  # of one answer


class State(StrEnum):
    """What a zone makes of its test points. Only one that works is asked for addresses."""

    WORKS = "works"
    EVERYTHING = "answers everything"
    NOTHING = "answers nothing"
    REFUSES = "refuses"
    SILENT = "gives no answer"


class Zone(NamedTuple):
    """What a zone makes of its test points for addresses of an IP version."""

    zone: str
    version: int
    state: State


class Listing(NamedTuple):
    """What a working zone says of an address: `codes` are the addresses it answered, none where it is not listed."""

    source_ip: str
    zone: str
    codes: tuple[str, ...]


class Told(NamedTuple):
    """What was asked of zones, and what they answered."""

    zones: tuple[Zone, ...]
    listings: tuple[Listing, ...]


def question(address: Address, zone: str) -> str:
    """The name to ask for: octets (section 2.1) or nibbles (section 2.4) turned round, below the zone."""
    labels = str(address).split(".") if address.version == 4 else list(address.exploded.replace(":", ""))
    return ".".join([*reversed(labels), zone])


def probe_many(
    source_ips: Iterable[str], zones: Sequence[str], resolver: Resolver, lifetime: float, workers: int = 16
) -> Told:
    """Ask all zones for all addresses, within `lifetime` seconds and the resolver's own, those given first first.

    Only what was answered is among the listings. Addresses that are not public (RFC 6890) are not asked for.
    """
    deadline = resolver.clock() + lifetime
    wanted = {ip: address for ip in source_ips if (address := _public(ip))}
    versions = sorted({address.version for address in wanted.values()})
    with ThreadPoolExecutor(workers, thread_name_prefix="blocklists") as pool:
        states = _all_tested(zones, versions, resolver, deadline, pool)
        working = {(one.zone, one.version) for one in states if one.state is State.WORKS}
        asked = [
            (ip, address, zone)
            for ip, address in wanted.items()
            for zone in zones
            if (zone, address.version) in working
        ]
        # Past the deadline every lookup returns at once, so the pool empties by itself.
        found = list(pool.map(lambda one: (one, _ask(one[1], one[2], resolver, deadline)), asked))
    told = [
        Listing(ip, zone, _codes(answer))
        for (ip, _, zone), answer in found
        if answer.answered and not _refuses(answer) and (_codes(answer) or not answer.values)
    ]
    _LOG.info("blocklists.probed asked=%d answered=%d working=%d", len(asked), len(told), len(working))
    return Told(states, tuple(told))


def probe_zones(zones: Sequence[str], resolver: Resolver, lifetime: float, workers: int = 16) -> tuple[Zone, ...]:
    """Ask zones for their test points alone, of IPv4 and IPv6, within `lifetime` seconds; in the order given."""
    deadline = resolver.clock() + lifetime
    with ThreadPoolExecutor(workers, thread_name_prefix="blocklists") as pool:
        return _all_tested(zones, _TESTS, resolver, deadline, pool)


def _all_tested(
    zones: Iterable[str], versions: Iterable[int], resolver: Resolver, deadline: float, pool: ThreadPoolExecutor
) -> tuple[Zone, ...]:
    tests = [(zone, version) for zone in zones for version in versions]
    return tuple(pool.map(lambda test: _tested(test[0], test[1], resolver, deadline), tests))


def _public(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    plain = mapped or address
    return plain if plain.is_global and not plain.is_multicast else None


def _ask(address: Address, zone: str, resolver: Resolver, deadline: float) -> Answer:
    return resolver.lookup(question(address, zone), "A", deadline)


def _tested(zone: str, version: int, resolver: Resolver, deadline: float) -> Zone:
    held, free = (_ask(test, zone, resolver, deadline) for test in _TESTS[version])
    return Zone(zone, version, _state(held, free))


def _state(held: Answer, free: Answer) -> State:
    if _refuses(held) or _refuses(free):
        return State.REFUSES
    if not (held.answered and free.answered):
        return State.SILENT
    # Whatever is answered for what no list holds, in 127.0.0.0/8 or not, is answered for everything.
    if free.values:
        return State.EVERYTHING
    return State.WORKS if _codes(held) else State.NOTHING


def _refuses(answer: Answer) -> bool:
    return any(ipaddress.ip_address(value) in block for value in answer.values for block in _REFUSALS)


def _codes(answer: Answer) -> tuple[str, ...]:
    """What it answered of what can say "listed"; other addresses are somebody's web server."""
    return tuple(value for value in answer.values if ipaddress.ip_address(value) in _ANSWERS)[:_CODES]
