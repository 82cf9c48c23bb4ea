"""PTR with forward confirmation: what an address calls itself, and whether the name agrees.

RFC 1035 section 3.5 and RFC 3596 section 2.5 for the names; RFC 8601 section 2.7.3 (iprev) for the
confirmation. Whoever holds an address can write any name into its PTR record; only a name that
leads back to the address tells who runs it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ingest.probes.answer import Answer, Status
from ingest.probes.resolver import Resolver

_LOG = logging.getLogger(__name__)
_NAMES = 10  # RFC 7208 section 4.6.4: no more names of one address are looked at


@dataclass(frozen=True, slots=True)
class PtrObservation:
    """What DNS says of one address.

    `names` come from its PTR records; `confirmed` are those whose A or AAAA records hold the
    address. With `status` value, an empty `confirmed` means that no name agrees. A failure on the
    way that leaves this open is the status of the whole: failed is not absent.
    """

    ip: str
    names: tuple[str, ...]
    confirmed: tuple[str, ...]
    status: Status

    @property
    def answered(self) -> bool:
        """Whether this is a fact, and not a failure to get one."""
        return self.status in (Status.VALUE, Status.NXDOMAIN, Status.NODATA)


def probe(ip: str, resolver: Resolver, deadline: float | None = None) -> PtrObservation:
    """Ask for the names of an address, then each name for the address."""
    address = _address(ip)
    answer = resolver.lookup(address.reverse_pointer, "PTR", deadline)
    names = tuple(dict.fromkeys(value.rstrip(".").lower() for value in answer.values if value != "."))[:_NAMES]
    rdtype = "A" if address.version == 4 else "AAAA"
    forward = {name: resolver.lookup(name, rdtype, deadline) for name in names}
    confirmed = tuple(name for name, found in forward.items() if _holds(found, str(address)))
    open_ = next((found.status for found in forward.values() if not found.answered), None)
    status = open_ if open_ is not None and not confirmed else answer.status
    return PtrObservation(ip, names, confirmed, status)


def _address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(ip)
    # ::ffff:192.0.2.1 is how some reporters write an IPv4 address (RFC 4291 section 2.5.5.2).
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address


def _is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(_address(text))
    return False


def _holds(answer: Answer, address: str) -> bool:
    return any(str(ipaddress.ip_address(value)) == address for value in answer.values)


def probe_many(ips: Iterable[str], resolver: Resolver, lifetime: float, workers: int = 16) -> dict[str, PtrObservation]:
    """Ask for many addresses at once, within `lifetime` seconds and the resolver's own.

    Only what was answered is in the result, in the order of `ips`, which is also the order of
    asking: most important first. The others are left out, to be asked another time.
    """
    deadline = resolver.clock() + lifetime
    wanted = [ip for ip in dict.fromkeys(ips) if _is_address(ip)]
    with ThreadPoolExecutor(workers, thread_name_prefix="ptr") as pool:
        # Past the deadline every lookup returns at once, so the pool empties by itself.
        found = list(pool.map(lambda ip: probe(ip, resolver, deadline), wanted))
    answered = {each.ip: each for each in found if each.answered}
    _LOG.info("ptr.probed asked=%d answered=%d", len(wanted), len(answered))
    return answered
