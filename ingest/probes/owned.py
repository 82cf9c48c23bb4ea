"""What the owner of a domain has in DNS for those who send for it: where keys and return paths point, whom SPF allows.

A DKIM key or its CNAME (RFC 6376 section 3.6.2.1), the CNAME of a return path (RFC 1034 section 3.6.2), the MX of a
return path or of the domain (RFC 5321 section 5.1) and the SPF record (RFC 7208) can only be put there by whoever
holds the domain. Whoever wrote a name into a report, it is asked for below that domain alone, and beside such names
those that its SPF record includes, or names as hosts (`a`, `mx`).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ingest.probes import keys, spf
from ingest.probes.answer import Answer, Status
from ingest.probes.names import Owned, is_below
from ingest.probes.resolver import Resolver

_LOG = logging.getLogger(__name__)
_HOPS = 4  # CNAMEs within the domain, before one leads out of it
_KEPT = 20  # values of one answer


def probe(owned: Owned, resolver: Resolver, deadline: float | None = None) -> list[Answer]:
    """Ask what one domain has for its senders, most important first. Failures are among the answers."""
    allowed = {(one.name, one.rdtype): one for one in _allowed(owned.domain, resolver, deadline)}
    exchanges = _exchanges(owned.domain, resolver, deadline)
    pointers = {(one.name, one.rdtype): one for one in _pointers(owned, resolver, deadline)}
    return [*{**allowed, (exchanges.name, exchanges.rdtype): exchanges, **pointers}.values()]


def probe_many(
    asked: Sequence[Owned], resolver: Resolver, lifetime: float, workers: int = 16
) -> list[tuple[str, Answer]]:
    """Ask for many domains at once, within `lifetime` seconds and the resolver's own, those given first first.

    Only what was answered is in the result, each with the domain it was asked for.
    """
    deadline = resolver.clock() + lifetime
    with ThreadPoolExecutor(workers, thread_name_prefix="owned") as pool:
        # Past the deadline every lookup returns at once, so the pool empties by itself.
        found = list(pool.map(lambda owned: probe(owned, resolver, deadline), asked))
    told = [(owned.domain, one) for owned, each in zip(asked, found, strict=True) for one in each if one.answered]
    _LOG.info("owned.probed domains=%d asked=%d answered=%d", len(asked), sum(map(len, found)), len(told))
    return told


def _allowed(domain: str, resolver: Resolver, deadline: float | None) -> Iterator[Answer]:
    """The SPF records of the domain and of what it includes, and the hosts that they name.

    Other TXT records are nobody's business here.
    """
    asked: list[Answer] = []

    def ask(name: str, rdtype: str) -> tuple[str, ...] | None:
        asked.append(resolver.lookup(name, rdtype, deadline))
        return asked[-1].values if asked[-1].answered else None

    # It is asked as it is looked at.
    deque(spf.allowed(domain, ask), maxlen=0)
    for one in asked:
        yield replace(one, values=spf.records(one.values) if one.rdtype == "TXT" else one.values[:_KEPT])


def _pointers(owned: Owned, resolver: Resolver, deadline: float | None) -> Iterator[Answer]:
    for name in (*owned.paths, *owned.keys):
        if not is_below(name, owned.domain):
            continue
        target = name
        for _ in range(_HOPS):
            alias = resolver.lookup(target, "CNAME", deadline)
            yield replace(alias, values=alias.values[:1])
            target = alias.values[0].rstrip(".").lower() if alias.values else ""
            if not is_below(target, owned.domain):
                break
        # Where there is a CNAME there is nothing else (RFC 1034 section 3.6.2).
        if alias.status == Status.NODATA and name in owned.paths:
            yield _exchanges(alias.name, resolver, deadline)
        if name in owned.keys and is_below(alias.name, owned.domain):
            yield from _key(alias, resolver, deadline)


def _key(alias: Answer, resolver: Resolver, deadline: float | None) -> Iterator[Answer]:
    """The key that stands in the domain itself; that there is none where the name is gone."""
    if alias.status == Status.NODATA:
        found = resolver.lookup(alias.name, "TXT", deadline)
        yield replace(found, values=keys.records(found.values)[:_KEPT])
    elif alias.status == Status.NXDOMAIN:
        yield replace(alias, rdtype="TXT")


def _exchanges(name: str, resolver: Resolver, deadline: float | None) -> Answer:
    found = resolver.lookup(name, "MX", deadline)
    return replace(found, values=found.values[:_KEPT])
