"""How does each domain stand? One line a domain, for the overview and `whosends status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.changes import arrived
from analysis.evidence import resting
from analysis.findings import Basis, Finding, found, gather, judging, waiting
from analysis.gates import undecided
from analysis.genuine import counted
from analysis.keeping import kept_over
from analysis.settings import AnalysisSettings
from analysis.sources import Source, by_domain, sources
from warehouse import findings as states
from warehouse import reads
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.scope import Scope


@dataclass(frozen=True, slots=True)
class DomainStatus:
    """One domain over the scope's days.

    `verdict` is go, stop or unknown for `target`; `trend` holds the aligned share of each day (None on
    days without reports). `undecided` sources need a decision before p=reject, `new_sources` are new and
    worth a look; `top_issue` is what waits for somebody, and `owner` who is to act on it; empty where nothing does.
    """

    domain: str
    policy: str | None
    target: str
    verdict: str
    messages: int
    aligned: int
    trend: tuple[float | None, ...]
    sources: int
    undecided: int
    new_sources: int
    reporters: int
    top_issue: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """All domains, the largest first, and how fresh the data is.

    `usual_reporters` wrote on most days of late, `reporters` of them still do. `quarantined` messages
    wait in quarantine; `last_run_at` is ISO 8601 in UTC.
    """

    domains: tuple[DomainStatus, ...]
    data_until: date | None
    reporters: int
    usual_reporters: int
    quarantined: int
    last_run_at: str | None


def status(
    warehouse: Warehouse,
    scope: Scope,
    today: date,
    settings: AnalysisSettings,
    targets: Mapping[str, str] | None = None,
) -> Status:
    """How the scope's domains stand: messages and sources over its days, the verdict over readiness.days.

    The answer is kept until the reports or the decisions about these domains change, or what is done about findings.
    """
    with warehouse.reading() as connection:
        runs = reads.runs(connection, 1)
        quarantined = reads.frame(connection, "SELECT count(*) AS messages FROM quarantine")["messages"].item()
        records = states.every(connection)
    ended = runs["ended_at"][0] if runs.height else None

    def asked(connection: Connection) -> Place:
        wanted = sorted((targets or {}).items())
        about = resting(connection, scope, today, settings.sources), judging(connection, scope, today, settings)
        done = [(key, one.state, one.owner, one.snoozed(today)) for key, one in records.items()]
        return place(connection, "status", scope, today, settings, wanted, about, done, domains=scope.domains)

    def judge() -> Status:
        basis = gather(warehouse, scope, today, settings, targets)
        seen = found(warehouse, scope, today, settings, targets, basis=basis)
        return _status(warehouse, scope, settings, basis, list(waiting(seen.findings, records, today)))

    known = kept_over(warehouse, asked, Status, judge)
    return replace(known, quarantined=int(quarantined), last_run_at=ended.isoformat() if ended else None)


def _status(
    warehouse: Warehouse, scope: Scope, settings: AnalysisSettings, basis: Basis, ranked: Sequence[Finding]
) -> Status:
    with warehouse.reading() as connection:
        sure = counted(connection, scope)
        domains, days = reads.domains(connection, sure), reads.daily_alignment(connection, sure)
    first: dict[str, Finding] = {}
    for finding in ranked:
        first.setdefault(finding.domain, finding)
    parts = basis.sources
    if scope != basis.scope:
        parts = by_domain(sources(warehouse, scope, basis.today, settings.sources))
    every = [source for part in parts.values() for source in part]
    new = Counter[str]()
    if basis.newest:
        with warehouse.reading() as connection:
            new.update(one.domain for one in arrived(connection, every, basis.newest, settings.sources))
    open_ = {domain: len(undecided(part, "reject", settings.readiness)) for domain, part in parts.items()}
    trends = _trends(days, scope, basis.newest)
    told = tuple(
        _line(row, basis, parts.get(name, []), first.get(name), trends, (open_.get(name, 0), new[name]))
        for name, row in zip(domains["domain"], domains.iter_rows(named=True), strict=True)
        if name in basis.readiness  # of others, reports tell of days to come alone
    )
    return Status(told, basis.newest, basis.heard, len(basis.usual), 0, None)


def _line(
    row: Mapping[str, object],
    basis: Basis,
    found: Sequence[Source],
    first: Finding | None,
    trends: Mapping[str, tuple[float | None, ...]],
    pending: tuple[int, int],
) -> DomainStatus:
    """One domain's line; `pending` are the sources that nobody decided about, and the new ones."""
    domain = str(row["domain"])
    judged = basis.readiness[domain]
    return DomainStatus(
        domain=domain,
        policy=judged.published,
        target=judged.target,
        verdict=judged.verdict,
        messages=sum(source.messages for source in found),
        aligned=sum(source.aligned for source in found),
        trend=trends[domain],
        sources=len(found),
        undecided=pending[0],
        new_sources=pending[1],
        reporters=int(str(row["reporters"])),
        top_issue=first.title if first else "",
        owner=first.owner if first else None,
    )


def _trends(days: pl.DataFrame, scope: Scope, newest: date | None) -> dict[str, tuple[float | None, ...]]:
    """The aligned share of every day of the scope, by domain; from the first day with reports where it has no first."""
    if days.is_empty():
        return {}
    first = scope.since or days["day"].min()
    last = scope.until or newest
    assert isinstance(first, date)
    assert last is not None
    share = pl.when(pl.col("messages") > 0).then(pl.col("aligned") / pl.col("messages"))
    result = {}
    for (domain,), part in days.with_columns(share=share).partition_by("domain", as_dict=True).items():
        known = dict(part.select("day", "share").iter_rows())
        span = range(max((last - first).days, 0) + 1)
        result[str(domain)] = tuple(known.get(first + timedelta(days=n)) for n in span)
    return result
