"""Addresses and their names in DNS. Nobody gets an address that somebody else in the same world has."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.worlds.chance import pick

HEX = "0123456789abcdef"


class Host(NamedTuple):
    """A sending machine: its address, its PTR record if any, and whether that name leads back (RFC 8601, iprev)."""

    ip: str
    ptr: str | None
    confirmed: bool


class Place(NamedTuple):
    """A real network: its domain, some of its addresses, and how it names them."""

    name: str
    networks: Sequence[str]
    ptr: str


@cache
def places(group: str) -> tuple[Place, ...]:
    """The networks of a group in places.toml: access, hosting or campus."""
    listed: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("places.toml").read_text())[group]
    return tuple(Place(name, one["networks"], one["ptr"]) for name, one in listed.items())


def filled(template: str, rng: np.random.Generator, **words: str) -> str:
    """A name from its pattern: # is a digit, @ a letter, {word} what is given for it."""
    text = re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), template)
    text = re.sub("#", lambda _: str(rng.integers(10)), text)
    return re.sub("@", lambda _: "abcdefghijklmnopqrstuvwxyz"[rng.integers(26)], text)


@dataclass(slots=True)
class Book:
    """All hosts of a world, the pools of those who own many, and what of them one customer has for itself."""

    rng: np.random.Generator
    hosts: dict[str, Host] = field(default_factory=dict)
    pools: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dedicated: set[str] = field(default_factory=set)

    def host(self, networks: Sequence[str], ptr: str, confirmed: bool = True) -> str:
        """One new address in these networks, named by this pattern ("" for no name)."""
        return self._take(ipaddress.ip_network(pick(self.rng, networks)), ptr, confirmed)

    def block(self, count: int, networks: Sequence[str], ptr: str) -> tuple[str, ...]:
        """So many new addresses close to each other, or fewer where the block is too small."""
        network = ipaddress.ip_network(pick(self.rng, networks))
        longest = 24 if network.version == 4 else 64
        if network.prefixlen < longest:
            start = int(self._draw(network)) >> (network.max_prefixlen - longest) << (network.max_prefixlen - longest)
            network = ipaddress.ip_network((start, longest))
        return tuple(self._take(network, ptr, True) for _ in range(min(count, max(1, network.num_addresses * 3 // 4))))

    def pool(self, owner: str, networks: Sequence[str], ptr: str) -> tuple[str, ...]:
        """The addresses that this owner sends from in this world: some blocks of its networks."""
        if owner not in self.pools:
            blocks = [self.block(int(self.rng.integers(3, 40)), networks, ptr) for _ in range(self.rng.integers(1, 6))]
            self.pools[owner] = tuple(dict.fromkeys(ip for block in blocks for ip in block))
        return self.pools[owner]

    def at(self, place: Place, confirmed: bool = True) -> str:
        """One new address in a network, named as it names its customers."""
        return self.host(place.networks, place.ptr, confirmed)

    def name(self, ip: str, ptr: str | None, confirmed: bool = True) -> None:
        """Give an address another name: that of its user, not of its network."""
        self.hosts[ip] = Host(ip, ptr, confirmed and ptr is not None)

    def _take(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network, ptr: str, confirmed: bool) -> str:
        address = self._draw(network)
        for _ in range(1000):
            if str(address) not in self.hosts:
                break
            address = self._draw(network)
        ip = str(address)
        code = "".join(HEX[self.rng.integers(16)] for _ in range(8))
        dashed = ip.replace(".", "-").replace(":", "-")
        reverse = ".".join(reversed(dashed.split("-")))
        name = filled(ptr, self.rng, ip=dashed, rev=reverse, hex=code) if ptr else None
        self.hosts[ip] = Host(ip, name, confirmed and name is not None)
        return ip

    def _draw(
        self, network: ipaddress.IPv4Network | ipaddress.IPv6Network
    ) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        if network.num_addresses < 4:
            return network[0]
        # An IPv6 network has more addresses than a 64-bit number counts.
        return network[1 + int.from_bytes(self.rng.bytes(16), "big") % (network.num_addresses - 2)]
