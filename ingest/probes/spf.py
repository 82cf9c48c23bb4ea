"""SPF records (RFC 7208): whom a domain names as allowed to send, as it stands in the record. Pure: asks nobody.

What depends on the single message (macros, `exists`, `ptr`) names no service and is left aside. The bounds of section
4.6.4 hold, as they do for receivers: what a record names beyond them, they never come to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from ingest.probes.names import is_name

VERSION = "v=spf1"
LOOKUPS = 10  # RFC 7208 section 4.6.4: terms that ask DNS; a record that needs more is a permanent error
VOIDS = 2  # the same: terms that ask for what is not there
EXCHANGES = 10  # the same: hosts of one `mx`
LONGEST = 8192  # characters of a record that are looked at

Block = IPv4Network | IPv6Network
# What DNS says of a name and a type (TXT, A, AAAA, MX); None where that is not known.
Ask = Callable[[str, str], tuple[str, ...] | None]

_MECHANISM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|$)(.*)")
_HOST = re.compile(r"(?::([^/]+))?(?:/([0-9]{1,2}))?(?://([0-9]{1,3}))?")


class Allowed(NamedTuple):
    """One network that a record allows; `through` are the includes on the way to it, the domain's own record first.

    `host` is the name whose address it is or holds, where `a` or `mx` say so.
    """

    block: Block
    through: tuple[str, ...]
    host: str = ""


class Term(NamedTuple):
    """A part of a record: `name` is what it asks DNS for, empty where it asks for nothing that is followed.

    `block` is the network that it allows itself; `lengths` of the prefixes around the addresses of a host.
    """

    kind: str
    name: str = ""
    block: Block | None = None
    lengths: tuple[int, int] = (32, 128)


class _TooMuchError(Exception):
    """The record needs more than receivers look up."""


class _Evaluation:
    """What one look at a record has cost so far."""

    def __init__(self, ask: Ask, domain: str) -> None:
        self.ask, self.met = ask, {domain}
        self._lookups = self._voids = 0

    def lookup(self) -> None:
        self._lookups += 1
        if self._lookups > LOOKUPS:
            raise _TooMuchError

    def void(self) -> None:
        self._voids += 1
        if self._voids > VOIDS:
            raise _TooMuchError


def records(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of a name's TXT records that are SPF records (section 4.5). More than one is a permanent error."""
    return tuple(text[:LONGEST] for text in texts if text.lower() == VERSION or text.lower().startswith(f"{VERSION} "))


def terms(record: str, domain: str) -> Iterator[Term]:
    """What a domain's record says yes to, in the order in which it is looked at, and what only costs a lookup.

    Nothing after an `all` is looked at (section 5.1); a redirect comes last, and only where there is no `all` (6.1).
    """
    redirect = ""
    for text in record.lower().split()[1:]:
        found = _MECHANISM.fullmatch(text)
        if not found:
            redirect = redirect or (text.removeprefix("redirect=") if text.startswith("redirect=") else "")
            continue
        sign, kind, rest = found.groups()
        if kind == "all":
            return
        term = _term(kind, rest, domain)
        yes = sign in ("", "+")
        if term and (term.block is None or yes):
            # What says no, or not quite yes, is looked up all the same.
            yield term if yes else Term(term.kind)
    if redirect:
        yield Term("include", _name(redirect))


def _term(kind: str, rest: str, domain: str) -> Term | None:
    if kind in ("ip4", "ip6"):
        block = _block(rest.removeprefix(":"), int(kind[2]))
        return Term(kind, block=block) if block else None
    if kind == "include":
        return Term(kind, _name(rest.removeprefix(":")))
    if kind in ("exists", "ptr"):
        return Term(kind)
    found = _HOST.fullmatch(rest)
    if not found:
        return None
    name, four, six = found.groups()
    lengths = (int(four or 32), int(six or 128))
    good = 0 < lengths[0] <= 32 and 0 < lengths[1] <= 128
    return Term(kind, _name(name or domain), None, lengths) if good else None


def _name(text: str) -> str:
    name = text.rstrip(".")
    return name if is_name(name) else ""


def _block(text: str, version: int) -> Block | None:
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        return None
    return block if block.prefixlen and block.version == version else None


def includes(record: str) -> tuple[str, ...]:
    """The domains whose records it takes in: `include` that does not say no (section 5.2), else `redirect` (6.1)."""
    return tuple(dict.fromkeys(term.name for term in terms(record, "") if term.kind == "include" and term.name))


def blocks(record: str) -> tuple[Block, ...]:
    """The networks that it allows itself (section 5.6); what is no network is left out."""
    return tuple(term.block for term in terms(record, "") if term.block)


def allowed(domain: str, ask: Ask) -> Iterator[Allowed]:
    """Every network that a domain's record allows, with the includes that lead to it, in the record's order.

    A name with several SPF records allows nothing; neither does one that was met before, so that a circle ends.
    """
    try:
        yield from _allowed((domain,), _Evaluation(ask, domain))
    except _TooMuchError:
        return


def _allowed(through: tuple[str, ...], now: _Evaluation) -> Iterator[Allowed]:
    found = records(now.ask(through[-1], "TXT") or ())
    if len(found) != 1:
        return
    for term in terms(found[0], through[-1]):
        if term.block:
            yield Allowed(term.block, through)
            continue
        now.lookup()
        if term.kind == "include" and term.name and term.name not in now.met:
            now.met.add(term.name)
            yield from _allowed((*through, term.name), now)
        elif term.kind in ("a", "mx") and term.name:
            yield from (Allowed(block, through, host) for host, block in _addresses(term, now))


def _addresses(term: Term, now: _Evaluation) -> Iterator[tuple[str, Block]]:
    """The hosts of `a` (section 5.3) or `mx` (5.4), each with the network around each of its addresses."""
    hosts: tuple[str, ...] = (term.name,)
    if term.kind == "mx":
        told = now.ask(term.name, "MX")
        # The null MX (RFC 7505) names the root: nobody.
        hosts = tuple(name for one in told or () if (name := _name(one.lower().rpartition(" ")[2])))
        if told is not None and not told:
            now.void()
        if len(hosts) > EXCHANGES:
            raise _TooMuchError
    for host in hosts:
        found = [now.ask(host, rdtype) for rdtype in ("A", "AAAA")]
        if term.kind == "a" and found == [(), ()]:
            now.void()
        for values, length in zip(found, term.lengths, strict=True):
            for value in values or ():
                yield host, ip_network((value, length), strict=False)
