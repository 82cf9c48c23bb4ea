"""Which addresses are bound to a service by the DNS of our own domains, or by a return path that passes there.

SPF is checked against the address itself, so a return path that passes binds it: one below a domain of ours that
points to a service, or a service's own. An include of our SPF record binds what it covers. A signature survives
forwarding, so a key that points to a service, or is its own, binds an address only where the key is at home, and the
mail's return path is neither a forwarder's nor a list's.

Some services carry others: what leads to one of them says whose machines they are. Who sends through them is whom
nearly all of an address's mail leads to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from analysis.pointers import Pointers
from ingest.catalogue.catalogue import Catalogue
from ingest.catalogue.envelopes import domain_habit
from ingest.catalogue.service import Service
from ingest.ip import parsed

MOSTLY = 0.5  # share of an address's passing mail from which what binds it counts
WHOLLY = 0.9  # the same where the machines are a carrier's, who gives an address to many
HOME = 0.3  # share of a key's passing mail from which a source is one of its homes
FEWEST = 3  # messages below which mail binds nothing: a handful may be chance, or one reporter's error

# How an address can be bound, the strongest first, and what that is.
BY = {
    "include": "an SPF record of ours includes it by name of the service, or names the service's host",
    "path": "its mail passes with a return path that our DNS points to the service",
    "bounce": "its mail passes with the service's own return path",
    "key": "its mail passes with keys that our DNS points to the service",
    "signature": "its mail passes with the service's own keys",
    "host": "an SPF record of ours names it as a host of our own",
}
SIGNED = ("key", "signature")  # what forwarding leaves as it is


class Bond(NamedTuple):
    """What an address is bound to, and by what (a key of BY): a listed service, or an organizational domain.

    `share` of its mail that passes is bound so, as far as mail binds it; `carrier` is whose machines are known beside.
    """

    by: str
    service: Service | None
    organization: str = ""
    share: float = 1.0
    carrier: Service | None = None


class Passing(NamedTuple):
    """Mail of addresses that passed: `paths` (source_ip, spf_domain, messages), `keys` (source_ip, source_key,
    signing_domain, selector, messages), and `homes` (signing_domain, selector, source_key, messages) of all sources."""

    paths: pl.DataFrame
    keys: pl.DataFrame
    homes: pl.DataFrame


def bonds(source_ips: Sequence[str], pointers: Pointers, passing: Passing, listed: Catalogue) -> dict[str, Bond]:
    """The strongest bond of each address that has one."""
    found = _by_key(pointers, passing, listed)
    for text, bond in _by_path(pointers, passing.paths, listed).items():
        found[text] = _through(bond, found.get(text))
    for text in source_ips:
        ip = parsed(text)
        service = pointers.covering(ip) if ip else None
        if service:
            found[text] = _through(Bond("include", service), found.get(text))
        elif text not in found and ip and (owner := pointers.owner(ip)):
            found[text] = Bond("host", None, owner)
    asked = set(source_ips)
    return {ip: bond for ip, bond in found.items() if ip in asked}


def _through(bond: Bond, weaker: Bond | None) -> Bond:
    """A bond to a carrier gives way to a weaker one to the service that sends through it."""
    if not (_carries(bond) and weaker and sends_through(weaker)):
        return bond
    return weaker._replace(carrier=bond.service)


def _carries(bond: Bond) -> bool:
    return bond.service is not None and bond.service.carries


def sends_through(bond: Bond) -> bool:
    """Whether it names a service that may be the one for which a carrier sends."""
    return bond.service is not None and not bond.service.carries and bond.share >= WHOLLY


def _by_path(pointers: Pointers, paths: pl.DataFrame, listed: Catalogue) -> dict[str, Bond]:
    leads: dict[str, Bond | None] = {name: _led(name, pointers, listed) for name in paths["spf_domain"].unique()}
    return _strongest(paths, [leads[name] for name in paths["spf_domain"]])


def _led(name: str, pointers: Pointers, listed: Catalogue) -> Bond | None:
    pointer = pointers.path(name)
    if pointer:
        return Bond("path", *pointer)
    # A name below a domain that it signs with is a service's own as well.
    match = listed.by_bounce_domain(name) or listed.by_signing_domain(name)
    return Bond("bounce", match.service) if match else None


def _by_key(pointers: Pointers, passing: Passing, listed: Catalogue) -> dict[str, Bond]:
    key = ["signing_domain", "selector"]
    leads = {
        (domain, selector): _signed(domain, selector, pointers, listed)
        for domain, selector in passing.keys.select(key).unique().iter_rows()
    }
    # A carrier signs in its own name as well, whoever sends: that says nothing of who it is.
    carried = [one for one, bond in leads.items() if bond and bond.by == "signature" and _carries(bond)]
    keys = passing.keys.join(pl.DataFrame(carried, dict.fromkeys(key, pl.String), orient="row"), on=key, how="anti")
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
        bound = (domain, selector, source) in at_home and ip not in passed_on
        found.append(leads[domain, selector] if bound else None)
    return _strongest(keys, found)


def _signed(domain: str, selector: str, pointers: Pointers, listed: Catalogue) -> Bond | None:
    pointer = pointers.key(selector, domain)
    if pointer:
        return Bond("key", *pointer)
    match = listed.by_signing_domain(domain)
    # Mailboxes sign what people forward with their own key as well.
    return Bond("signature", match.service) if match and match.service.role == "sender" else None


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
    enough = messages >= FEWEST and messages >= MOSTLY * total
    return bond._replace(share=messages / total) if enough else None
