"""What would a record do to the names below its domain? Name by name, wherever reports tell of it.

A name with a record of its own is not touched by the domain's sp and np: it is named, and left out. One without is
under them, also where its mail stands in reports under the name itself, as from when it had a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import polars as pl

from analysis.candidate import Candidate
from analysis.genuine import counted
from analysis.grounds import dns, grounds
from analysis.keeping import kept_over
from analysis.outlook import GROUP_OF, GROUPS
from analysis.policy import STRICTNESS
from analysis.settings import SourceSettings
from analysis.sources import Source, each, sources
from analysis.tree import Kept
from ingest.discovery import dmarc_records
from ingest.probes.dmarc import place
from ingest.probes.names import is_name
from warehouse import reads_ledger
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place
from warehouse.kept import place as kept_at
from warehouse.scope import Scope

OWN, BETWEEN, NONE = "own", "between", "none"
MOST: Final = 200  # names, those with most mail first: whoever forges can invent any number


@dataclass(frozen=True, slots=True)
class Below:
    """A name in From below the domain, over the days judged; the name is others' text.

    `record` is whose record applies: own, between (one of a name between, to receivers that walk the tree) or none (the
    domain's). `told_by` says who tells that: dns, or reports. `asks` is the policy that the candidate has for it, None
    where it has its own record. `reported_under` are the domains under which reports tell of it. Of its `messages`,
    `failing` aligned by neither mechanism, as receivers judged, `refused` of them were quarantined or rejected;
    `groups` has the failing ones by what their sources are.
    """

    name: str
    record: str
    told_by: str
    asks: str | None
    reported_under: tuple[str, ...]
    messages: int
    failing: int
    refused: int
    groups: dict[str, int]

    @property
    def inherits(self) -> bool:
        """Whether the domain's record applies to it."""
        return self.record == NONE


def below(
    warehouse: Warehouse,
    scope: Scope,
    candidate: Candidate,
    found: Sequence[Source],
    today: date,
    settings: SourceSettings,
) -> tuple[Below, ...]:
    """The names below the scope's one domain on its days, those with most mail first; `found` are its sources.

    The answer is kept until any reports change, what people decided or what DNS said.
    """
    kinds = _groups(found)

    def asked(connection: Connection) -> Place:
        about = grounds(connection, (), dns(connection, ()))
        return kept_at(connection, "below", scope, candidate, kinds, today, settings, about)

    def made() -> tuple[Below, ...]:
        return _below(warehouse, scope, candidate, kinds, lambda one: sources(warehouse, one, today, settings))

    return kept_over(warehouse, asked, tuple[Below, ...], made)


def _groups(found: Sequence[Source]) -> dict[tuple[str, str], str]:
    return {(domain, key): GROUP_OF[kind] for domain, key, kind in each(found, "domain", "source_key", "kind")}


def _below(
    warehouse: Warehouse,
    scope: Scope,
    candidate: Candidate,
    mine: Mapping[tuple[str, str], str],
    sources_of: Callable[[Scope], Sequence[Source]],
) -> tuple[Below, ...]:
    (domain,) = scope.domains
    with warehouse.reading() as connection:
        rows = reads_ledger.names_below(connection, domain, counted(connection, scope))
        names = [name for name in rows["header_from"].unique(maintain_order=True).to_list() if is_name(name)][:MOST]
        asked = Kept(connection)
        asked.all((place(at), "TXT") for name in names for at in _up(name, domain))
        asked.all((name, "A") for name in names)
        alive = _alive(connection, scope, rows, candidate)
    others = tuple(sorted({*rows["domain"].to_list()} - {domain}))
    kinds = {**mine, **(_groups(sources_of(replace(scope, domains=others))) if others else {})}
    grouped = rows.with_columns(
        group=pl.Series([kinds.get(key, "undecided") for key in rows.select("domain", "source_key").iter_rows()])
    )
    made = (
        _name(name, domain, candidate, grouped.filter(pl.col("header_from") == name), asked, alive) for name in names
    )
    return tuple(sorted(made, key=lambda one: (-one.messages, one.name)))


def _alive(connection: Connection, scope: Scope, rows: pl.DataFrame, candidate: Candidate) -> frozenset[str]:
    """The names that surely exist by what passed for them; asked only where np makes it matter."""
    if rows.is_empty() or candidate.np in (None, candidate.sp or candidate.p):
        return frozenset()
    told = Scope(tuple(rows["domain"].unique().to_list()), scope.since, scope.until)
    return frozenset(reads_ledger.living_names(connection, counted(connection, told))["header_from"])


def _name(
    name: str, domain: str, candidate: Candidate, rows: pl.DataFrame, asked: Kept, alive: frozenset[str]
) -> Below:
    under = tuple(sorted(rows["domain"].unique().to_list()))
    record, told_by = _record(name, domain, under, asked)
    failing = dict(rows.group_by("group").agg(pl.col("failing").sum()).iter_rows())
    return Below(
        name,
        record,
        told_by,
        _asks(candidate, _exists(name, asked, alive)) if record == NONE else None,
        under,
        int(rows["messages"].sum()),
        int(rows["failing"].sum()),
        int(rows["refused"].sum()),
        {group: failing.get(group, 0) for group in GROUPS},
    )


def _record(name: str, domain: str, under: Sequence[str], asked: Kept) -> tuple[str, str]:
    """Whose record applies, and who tells: DNS where it answered for the name, else what reports show."""
    told = {at: asked(place(at), "TXT") for at in _up(name, domain)}
    if told[name].answered:
        at = next((at for at, answer in told.items() if dmarc_records(answer.values)), None)
        return (NONE if at is None else OWN if at == name else BETWEEN), "dns"
    elsewhere = [one for one in under if one != domain]
    return (OWN if name in elsewhere else BETWEEN if elsewhere else NONE), "reports"


def _exists(name: str, asked: Kept, alive: frozenset[str]) -> bool | None:
    told = [asked(name, "A"), asked(place(name), "TXT")]
    if name in alive or any(one.answered and one.exists for one in told):
        return True
    return False if told[0].answered else None


def _asks(candidate: Candidate, exists: bool | None) -> str:
    """Of a name that may not exist, the stricter of the two: a loss must not be overlooked."""
    may = [candidate.asks(below=True, exists=there) for there in ((True, False) if exists is None else (exists,))]
    return max(may, key=lambda policy: STRICTNESS[policy])


def _up(name: str, domain: str) -> Iterator[str]:
    """The name and those between it and the domain, from below."""
    while name != domain and name:
        yield name
        name = name.partition(".")[2]
