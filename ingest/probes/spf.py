"""SPF records (RFC 7208): whom a domain names as allowed to send, as it stands in the record. Pure: asks nobody.

What depends on the single message (macros, `exists`, `ptr`) names no service and is left aside, and so are `a` and
`mx`: they stand for hosts of the domain's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from ingest.probes.names import is_name

VERSION = "v=spf1"
LOOKUPS = 10  # RFC 7208 section 4.6.4: terms that ask DNS; a record that needs more is a permanent error
LONGEST = 8192  # characters of a record that are looked at

Block = IPv4Network | IPv6Network


class Allowed(NamedTuple):
    """One network that a record allows; `through` are the includes on the way to it, the domain's own record first."""

    block: Block
    through: tuple[str, ...]


def records(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of a name's TXT records that are SPF records (section 4.5). More than one is a permanent error."""
    return tuple(text[:LONGEST] for text in texts if text.lower() == VERSION or text.lower().startswith(f"{VERSION} "))


def includes(record: str) -> tuple[str, ...]:
    """The domains whose records it takes in: `include` that does not say no (section 5.2), else `redirect` (6.1)."""
    terms = record.lower().split()[1:]
    found = [term.lstrip("+").removeprefix("include:") for term in terms if term.lstrip("+").startswith("include:")]
    # Where there is an `all`, a redirect is ignored.
    if not any(term.lstrip("+-~?") == "all" for term in terms):
        found += [term.removeprefix("redirect=") for term in terms if term.startswith("redirect=")]
    return tuple(dict.fromkeys(name for each in found if is_name(name := each.rstrip("."))))


def blocks(record: str) -> tuple[Block, ...]:
    """The networks that it allows itself (section 5.6); what is no network is left out."""
    found = []
    for term in record.lower().split()[1:]:
        kind, _, text = term.lstrip("+").partition(":")
        if kind in ("ip4", "ip6"):
            try:
                block = ip_network(text, strict=False)
            except ValueError:
                continue
            if block.prefixlen and block.version == int(kind[2]):
                found.append(block)
    return tuple(found)


def allowed(domain: str, answers: Mapping[str, tuple[str, ...]]) -> Iterator[Allowed]:
    """Every network that a domain's record allows, with the includes that lead to it.

    `answers` are the TXT records of names. A name with several SPF records allows nothing; neither does one that was
    met before, so that a circle ends.
    """
    yield from _allowed((domain,), answers, {domain})


def _allowed(through: tuple[str, ...], answers: Mapping[str, tuple[str, ...]], met: set[str]) -> Iterator[Allowed]:
    found = records(answers.get(through[-1], ()))
    if len(found) != 1:
        return
    for block in blocks(found[0]):
        yield Allowed(block, through)
    for name in includes(found[0]):
        if name not in met and len(met) <= LOOKUPS:
            met.add(name)
            yield from _allowed((*through, name), answers, met)


def walk(domain: str, ask: Callable[[str], tuple[str, ...] | None]) -> dict[str, tuple[str, ...]]:
    """The SPF records of a domain and of all that it includes, by name; `ask` gives the TXT records of a name.

    None of it is in the result where `ask` knows none. At most LOOKUPS names are asked for beside the domain.
    """
    found: dict[str, tuple[str, ...]] = {}
    waiting = [domain]
    for name in waiting:
        told = ask(name)
        if told is None:
            continue
        found[name] = records(told)
        if len(found[name]) == 1:
            waiting += [one for one in includes(found[name][0]) if one not in waiting][: LOOKUPS + 1 - len(waiting)]
    return found
