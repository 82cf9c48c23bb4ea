"""The doors to the catalogue: which service a trace leads to, and why.

A name is looked up by its longest listed suffix on whole labels, so a look-up costs as many steps as
the name has labels. Names may come from reports and DNS: nothing here trusts them, and nothing raises.
None of the doors knows whether a trace is genuine. A reverse name has to be confirmed and a signature
has to pass before their match says anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from hashlib import blake2b

from ingest.catalogue.load import load
from ingest.catalogue.selectors import compiled, is_plain
from ingest.catalogue.service import Match, Service

LONGEST_NAME = 255  # RFC 1035 section 2.3.4

NAMED = ("ptr", "spf", "bounce", "bounce_target", "dkim_target", "signs_as")

# The numbers in a name, as services count the domains that they send with.
NUMBER = re.compile(r"(?<![0-9])[0-9]{1,4}(?![0-9])")

Index = Mapping[str, Service]


class Catalogue:
    """Services, found by their traces. Indices are made when they are asked for first."""

    def __init__(self, services: Iterable[Service]) -> None:
        self.services = tuple(services)

    @property
    def edition(self) -> str:
        """Which catalogue it is: another after any change of an entry."""
        return blake2b(repr(self.services).encode(), digest_size=8).hexdigest()

    def get(self, service_id: str) -> Service | None:
        """The service with this id."""
        return self._by_id.get(service_id)

    def by_name(self, name: str) -> Service | None:
        """The service that bears this name."""
        return self._by_name.get(name)

    def by_address(self, asn: int | None, ptr: str | None, confirmed: bool | None) -> Match | None:
        """The service whose host an address is: by its reverse name where DNS confirms it, else by its network."""
        return (self.by_ptr(ptr) if ptr and confirmed else None) or self.by_asn(asn)

    def by_ptr(self, name: str) -> Match | None:
        """The service whose hosts have this reverse name. Only a forward-confirmed name shows anything.

        A host with a name below a domain that a service sends with is the service's too, though nobody listed it.
        """
        fields = ("ptr", "bounce", "signs_as")
        return next((match for field in fields if (match := self._suffix(field, name))), None)

    def by_asn(self, asn: int | None) -> Match | None:
        """The service that alone sends from this autonomous system."""
        service = self._by_asn.get(asn) if asn is not None else None
        return Match(service, "asn", str(asn)) if service else None

    def by_include(self, domain: str) -> Match | None:
        """The service that an SPF include (or redirect) of this domain allows."""
        return self._suffix("spf", domain)

    def by_bounce_domain(self, domain: str) -> Match | None:
        """The service whose own return path this is: what SPF checked while a customer had set up none."""
        return self._suffix("bounce", domain)

    def by_bounce_target(self, name: str) -> Match | None:
        """The service to which the CNAME or MX of a customer's own return path points."""
        return self._suffix("bounce_target", name)

    def by_dkim_target(self, name: str) -> Match | None:
        """The service to which the CNAME of a customer's DKIM key points."""
        return self._suffix("dkim_target", name)

    def by_signing_domain(self, domain: str) -> Match | None:
        """The service that signs with this domain (d=) in its own name."""
        return self._suffix("signs_as", domain)

    def by_selector(self, selector: str, signing_domain: str = "") -> tuple[Match, ...]:
        """Services that name their selectors so; those whose own habit it is come first.

        Where `signing_domain` belongs to a service, only that one can answer. Anybody may name a selector as
        they like: this is a hint, and where the field is `common_selectors`, a weak one.
        """
        if len(selector) > LONGEST_NAME:
            return ()
        text = selector.lower()
        owner = self.by_signing_domain(signing_domain)
        found = [*self._plain_selectors.get(text, ())]
        found += [match for pattern, match in self._selector_patterns if pattern.fullmatch(text)]
        kept = [match for match in found if owner is None or match.service is owner.service]
        return tuple(sorted(kept, key=lambda match: match.field != "selectors"))

    def search(self, words: str) -> tuple[Service, ...]:
        """Services with all the words in their name or id, or with a mark that the whole text leads to."""
        text = words.strip().lower()
        marked = {match.service.id for field in NAMED if (match := self._suffix(field, text))}
        wanted = text.split()
        return tuple(
            one
            for one in self.services
            if one.id in marked or all(word in f"{one.name} {one.id}".lower() for word in wanted)
        )

    def _suffix(self, field: str, name: str) -> Match | None:
        index = self._suffixes[field]
        rest = name.lower().rstrip(".") if len(name) <= LONGEST_NAME else ""
        families = self._families[field]
        while rest:
            service = index.get(rest)
            if service is not None:
                return Match(service, field, rest)
            family = NUMBER.sub("{n}", rest) if families and "{" not in rest else ""
            if family in families:
                return Match(families[family], field, family)
            rest = rest.partition(".")[2]
        return None

    @cached_property
    def _by_id(self) -> Index:
        return {one.id: one for one in self.services}

    @cached_property
    def _by_name(self) -> Index:
        return {one.name: one for one in self.services}

    @cached_property
    def _by_asn(self) -> Mapping[int, Service]:
        return {asn: one for one in self.services for asn in one.asn}

    @cached_property
    def _suffixes(self) -> Mapping[str, Index]:
        return self._marked(numbered=False)

    @cached_property
    def _families(self) -> Mapping[str, Index]:
        return self._marked(numbered=True)

    def _marked(self, *, numbered: bool) -> Mapping[str, Index]:
        every = self.services
        return {
            field: {mark: one for one in every for mark in getattr(one, field) if ("{n}" in mark) == numbered}
            for field in NAMED
        }

    @cached_property
    def _plain_selectors(self) -> Mapping[str, tuple[Match, ...]]:
        plain: dict[str, tuple[Match, ...]] = {}
        for match in self._selectors():
            if is_plain(match.mark):
                plain[match.mark] = (*plain.get(match.mark, ()), match)
        return plain

    @cached_property
    def _selector_patterns(self) -> tuple[tuple[re.Pattern[str], Match], ...]:
        return tuple((compiled(match.mark), match) for match in self._selectors() if not is_plain(match.mark))

    def _selectors(self) -> Iterable[Match]:
        for one in self.services:
            for field in ("selectors", "common_selectors"):
                for mark in getattr(one, field):
                    yield Match(one, field, mark)


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with this version, read at the first call (some 20 ms)."""
    return Catalogue(load())
