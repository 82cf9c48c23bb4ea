"""What DNS says of the names that a domain's mail carries, and of those above them: asked now, or kept from before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from analysis.genuine import counted
from analysis.keeping import kept
from analysis.period import up_to_newest
from ingest.alignment import organizational_domain
from ingest.discovery import RULES, Records, discover, is_at_or_below, targets
from ingest.probes.answer import Answer, Status
from ingest.probes.dmarc import DmarcObservation, place, probe, records
from ingest.probes.names import is_name
from warehouse import dns, lookups, reads_tree
from warehouse.connect import Connection
from warehouse.kept import place as kept_at
from warehouse.lookups import Lookup, Question
from warehouse.scope import Scope

AUTHORS, AUTHENTICATED = 100, 200  # names, those with most mail first: whoever writes reports can invent any number


class Asker(Protocol):
    """Who answers questions: DNS, or what is kept of it."""

    def __call__(self, name: str, rdtype: str) -> Answer: ...  # noqa: D102
    def all(self, questions: Iterable[Question]) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Names:
    """Of one domain's mail, with their messages: the names in From, and those for which DKIM or SPF passed.

    `below` are names below the domain under which reports tell of mail, as of names that have records of their own.
    """

    domain: str
    authors: dict[str, int]
    authenticated: dict[str, int]
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """The names of a domain's mail, and what is known of DNS about them."""

    names: Names
    found: Mapping[Question, Lookup]

    def ask(self, name: str, rdtype: str) -> Answer:
        """The answer to one question; a failure where it is not known."""
        return _answer((name, rdtype), self.found.get((name, rdtype)))

    @property
    def records_at(self) -> Records:
        """The DMARC records at names."""
        return records(self.ask)

    def exists(self, name: str) -> bool | None:
        """Whether a name exists; None where that is not known."""
        told = [self.ask(name, "A"), self.ask(place(name), "TXT")]
        if any(one.answered and one.exists for one in told):
            return True
        return False if told[0].answered else None

    @property
    def observation(self) -> DmarcObservation:
        """The domain's record, and whether those who get its reports take them."""
        return probe(self.names.domain, self.ask)

    @property
    def observed_at(self) -> datetime | None:
        """When DNS told of the domain's own record (naive UTC); None where it never did."""
        own = self.found.get((place(self.names.domain), "TXT"))
        return own.last_seen_at if own else None

    @property
    def says(self) -> object:
        """All of it, with a plain repr: what rests on it is the same while this is."""
        held = self.names
        counts = sorted(held.authors.items()), sorted(held.authenticated.items())
        return held.domain, counts, held.below, sorted(self.found.items())

    @property
    def times(self) -> tuple[datetime, datetime] | None:
        """When the oldest and the newest of the answers were given (naive UTC); None where there is none."""
        seen = [one.last_seen_at for one in self.found.values()]
        return (min(seen), max(seen)) if seen else None


class Observed(NamedTuple):
    """What DNS said last of a domain's record, when, and since when it says the same (naive UTC)."""

    seen: DmarcObservation
    at: datetime
    since: datetime


class Kept:
    """Answers that the warehouse keeps."""

    def __init__(self, connection: Connection) -> None:
        self.found: dict[Question, Lookup] = {}
        self._looked: set[Question] = set()
        self._connection = connection

    def __call__(self, name: str, rdtype: str) -> Answer:
        """What is kept of one question."""
        self.all([(name, rdtype)])
        return _answer((name, rdtype), self.found.get((name, rdtype)))

    def all(self, questions: Iterable[Question]) -> None:
        """Read what is kept of all these."""
        new = set(questions) - self._looked
        if new:
            self._looked |= new
            self.found |= lookups.known(self._connection, new)


def observations(connection: Connection, domains: Iterable[str]) -> dict[str, Observed]:
    """What DNS said last of each domain's record: of those whose record was ever asked for."""
    asked, own = Kept(connection), {domain: (place(domain), "TXT") for domain in domains}
    asked.all(own.values())
    return {domain: _observed(domain, asked) for domain, question in own.items() if question in asked.found}


def _observed(domain: str, asked: Kept) -> Observed:
    seen, own = probe(domain, asked), asked.found[place(domain), "TXT"]
    others = (asked.found.get((one.name, "TXT")) for one in seen.destinations if one.takes is False)
    return Observed(seen, own.last_seen_at, max([own.first_seen_at, *(one.first_seen_at for one in others if one)]))


def due(connection: Connection, now: datetime, days: int) -> list[str]:
    """Our domains whose record was not asked for since `days` before `now` (naive UTC), those with most mail first.

    Only domains with aligned mail in reports that count are ours; a forged report adds none.
    """
    ours = dns.domains(connection, up_to_newest(connection, now.date()))
    held = [domain for domain in ours if is_name(domain)][: dns.DOMAINS]
    found = lookups.known(connection, ((place(domain), "TXT") for domain in held))
    last = {name: one.last_seen_at for (name, _), one in found.items()}
    return [domain for domain in held if now - last.get(place(domain), datetime.min) >= timedelta(days)]  # noqa: DTZ901


def tree_of(connection: Connection, scope: Scope) -> Tree:
    """The names of the scope's one domain, and what is kept of DNS about them."""
    held, asked = names(connection, scope), Kept(connection)
    look(held, asked)
    return Tree(held, asked.found)


def names(connection: Connection, scope: Scope) -> Names:
    """The names that matter to the scope's one domain; what DNS cannot hold is none. Kept until any reports change."""
    sure = counted(connection, scope)
    return kept(kept_at(connection, "names", sure), Names, lambda: _names(connection, sure))


def _names(connection: Connection, sure: Scope) -> Names:
    (domain,) = sure.domains
    authors = reads_tree.authors(connection, sure, AUTHORS)
    passed = reads_tree.authenticated(connection, sure, AUTHENTICATED)
    return Names(
        domain,
        {name: count for name, count in ((domain, 0), *authors) if is_name(name)},
        {name: count for name, count in passed if is_name(name)},
        tuple(name for name in reads_tree.below(connection, domain, sure, AUTHORS) if is_name(name)),
    )


def look(held: Names, asker: Asker) -> DmarcObservation:
    """Ask all that is to be known of these names: whose records stand on the way up, and whether names exist."""
    asker.all(_of_authors(held))
    asker.all((at, rdtype) for name in held.below for at, rdtype in ((place(name), "TXT"), (name, "A")))
    asker.all(_of_authenticated(held, records(asker)))
    return probe(held.domain, asker)


def fresh(found: Mapping[Question, Lookup], now: datetime) -> dict[Question, Answer]:
    """Those of the answers that need not be asked for again, at an instant in naive UTC."""
    return {question: _answer(question, one) for question, one in found.items() if now < one.fresh_until}


def _of_authors(held: Names) -> Iterator[Question]:
    for name in held.authors:
        for target in (*targets(name), organizational_domain(name)):
            yield place(target), "TXT"
        yield name, "A"


def _of_authenticated(held: Names, records_at: Records) -> Iterator[Question]:
    """A name that is not below an author's organization is of another one, whatever stands above it."""
    tops = {discover(rule, name, records_at).organization for name in held.authors for rule in RULES}
    for name in held.authenticated:
        if any(top and is_at_or_below(name, top) for top in tops):
            for target in targets(name):
                yield place(target), "TXT"


def _answer(question: Question, found: Lookup | None) -> Answer:
    if found is None:
        return Answer(*question, Status.TIMEOUT)
    status = Status.VALUE if found.records else Status.NODATA if found.exists else Status.NXDOMAIN
    return Answer(*question, status, found.records)
