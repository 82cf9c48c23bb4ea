"""Which sources does an SPF include allow? Reports name no includes, so by the services that are known to use it."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.sources import Source
from ingest.alignment import organizational_domain
from ingest.catalogue.catalogue import catalogue
from ingest.catalogue.service import Service
from ingest.errors import UsageError


def senders(include: str, found: Sequence[Source]) -> frozenset[str]:
    """The source_keys with SPF-aligned mail that the include of this name stands for.

    By the catalogue's service for it, else by a network or reverse name of the same organisation. Raises UsageError
    where that leads to nothing: to guess would be worse.
    """
    match = catalogue().by_include(include)
    service, organisation = match.service if match else None, organizational_domain(include)
    named = {one.source_key for one in found if one.spf_aligned and _is_of(one, service, organisation)}
    if named:
        return frozenset(named)
    who = f"{service.name}, whose include it is," if service else "That include"
    raise UsageError(
        f"{who} leads to no source with mail that aligned by SPF: nothing is known to depend on it.",
        "Check its spelling in your SPF record; whosends services NAME shows which include a service uses.",
    )


def _is_of(source: Source, service: Service | None, organisation: str) -> bool:
    names = {organizational_domain(name) for name in (source.as_domain, _reverse(source.source_key)) if name}
    if service is None:
        return organisation in names
    marks = {organizational_domain(name) for name in (*service.ptr, *service.bounce, *service.spf)}
    return source.service == service.name or source.asn in service.asn or bool(names & marks)


def _reverse(source_key: str) -> str | None:
    """The organisation of a source that is named by its reverse name: ptr:example.net@hoster.example."""
    kind, _, rest = source_key.partition(":")
    return rest.partition("@")[0] if kind == "ptr" else None
