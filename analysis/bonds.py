"""Which addresses are bound to a service by the DNS of our own domains, or by a return path that passes there.

SPF is checked against the address itself, so a return path that passes binds it: one below a domain of ours that
points to a service, or a service's own. An include of our SPF record binds what it covers. A signature survives
forwarding, so a key that points to a service binds an address only where the key is at home, and the mail's return
path is neither a forwarder's nor a list's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from analysis.pointers import Pointer, Pointers, parsed
from ingest.catalogue.catalogue import Catalogue
from ingest.catalogue.envelopes import domain_habit
from ingest.catalogue.service import Service

MOSTLY = 0.5  # share of an address's passing mail from which what binds it counts
HOME = 0.3  # share of a key's passing mail from which a source is one of its homes
FEWEST = 3  # messages below which mail binds nothing: a handful may be chance, or one reporter's error

# How an address can be bound, the strongest first, and what that is.
BY = {
    "include": "an SPF record of ours includes it by name of the service",
    "path": "its mail passes with a return path that our DNS points to the service",
    "bounce": "its mail passes with the service's own return path",
    "key": "its mail passes with keys that our DNS points to the service",
}


class Bond(NamedTuple):
    """What an address is bound to, and by what (a key of BY): a listed service, or an organizational domain."""

    by: str
    service: Service | None
    organization: str


class Passing(NamedTuple):
    """Mail of addresses that passed: `paths` (source_ip, spf_domain, messages), `keys` (source_ip, source_key,
    signing_domain, selector, messages), and `homes` (signing_domain, selector, source_key, messages) of all sources."""

    paths: pl.DataFrame
    keys: pl.DataFrame
    homes: pl.DataFrame


def bonds(source_ips: Sequence[str], pointers: Pointers, passing: Passing, listed: Catalogue) -> dict[str, Bond]:
    """The strongest bond of each address that has one."""
    found = {**_by_key(pointers, passing), **_by_path(pointers, passing.paths, listed)}
    for text in source_ips:
        ip = parsed(text)
        service = pointers.covering(ip) if ip else None
        if service:
            found[text] = Bond("include", service, "")
    asked = set(source_ips)
    return {ip: bond for ip, bond in found.items() if ip in asked}


def _by_path(pointers: Pointers, paths: pl.DataFrame, listed: Catalogue) -> dict[str, Bond]:
    leads: dict[str, Bond | None] = {name: _led(name, pointers, listed) for name in paths["spf_domain"].unique()}
    return _strongest(paths, [leads[name] for name in paths["spf_domain"]])


def _led(name: str, pointers: Pointers, listed: Catalogue) -> Bond | None:
    pointer = pointers.path(name)
    if pointer:
        return Bond("path", *pointer)
    match = listed.by_bounce_domain(name)
    return Bond("bounce", match.service, "") if match else None


def _by_key(pointers: Pointers, passing: Passing) -> dict[str, Bond]:
    keys = passing.keys
    leads: dict[tuple[str, str], Pointer | None] = {
        (domain, selector): pointers.key(selector, domain)
        for domain, selector in keys.select("signing_domain", "selector").unique().iter_rows()
    }
    key = ["signing_domain", "selector"]
    homes = passing.homes.with_columns(share=pl.col("messages") / pl.col("messages").sum().over(key))
    at_home = {
        (domain, selector, source)
        for domain, selector, source in homes.filter(pl.col("share") >= HOME).select(*key, "source_key").iter_rows()
    }
    passed_on = {
        ip for ip, name in passing.paths.select("source_ip", "spf_domain").iter_rows()
        if domain_habit(name) in ("forwarder", "list")
    }  # fmt: skip
    found: list[Bond | None] = []
    for ip, source, domain, selector in keys.select("source_ip", "source_key", *key).iter_rows():
        pointer = leads[domain, selector]
        bound = pointer and (domain, selector, source) in at_home and ip not in passed_on
        found.append(Bond("key", *pointer) if pointer and bound else None)
    return _strongest(keys, found)


def _strongest(mail: pl.DataFrame, leads: Sequence[Bond | None]) -> dict[str, Bond]:
    """Of each address the bond that most of its passing mail has, where that is enough."""
    total: dict[str, int] = {}
    by_bond: dict[str, dict[Bond, int]] = {}
    for ip, messages, lead in zip(mail["source_ip"], mail["messages"], leads, strict=True):
        total[ip] = total.get(ip, 0) + messages
        if lead:
            mine = by_bond.setdefault(ip, {})
            mine[lead] = mine.get(lead, 0) + messages
    return {ip: bond for ip, mine in by_bond.items() if (bond := _most(mine, total[ip]))}


def _most(mine: Mapping[Bond, int], total: int) -> Bond | None:
    bond, messages = max(mine.items(), key=lambda one: (one[1], one[0].by, one[0].organization))
    return bond if messages >= FEWEST and messages >= MOSTLY * total else None
