"""What is judged of a week: all of its summary that changes only with the reports, or with what people decide.

Kept until then. What became of findings meanwhile, and what waits in quarantine, is looked up each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import polars as pl

from analysis.evidence import resting
from analysis.findings import Basis, Finding, gather, judging, rank
from analysis.genuine import counted
from analysis.keeping import kept_over
from analysis.settings import AnalysisSettings
from analysis.sources import Source, each
from analysis.week_changes import WEEK, Fresh, fresh, rests_on
from warehouse import reads
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.known import restated
from warehouse.scope import Scope


@dataclass(frozen=True, slots=True)
class OfDomain:
    """One domain's week beside the week before. `not_aligned` holds messages by kind of source."""

    domain: str
    policy: str | None
    verdict: str
    gates_passed: int
    gates: int
    messages: int
    messages_before: int
    aligned: int
    aligned_before: int
    not_aligned: dict[str, int]
    target: str


@dataclass(frozen=True, slots=True)
class Restated:
    """The week before as it was known when it was over, and as it is now, with the reports that came late."""

    messages_then: int
    messages_now: int
    reports: int


@dataclass(frozen=True, slots=True)
class Week:
    """What is judged up to the week's last day: see `weekly.WeeklySummary`.

    `findings` are all, whatever became of them; `judged` the domains that were looked at, with mail in the week or not.
    """

    newest: date | None
    judged: tuple[str, ...]
    findings: tuple[Finding, ...]
    fresh: Fresh
    domains: tuple[OfDomain, ...]
    reporters: int
    usual_reporters: int
    silent_reporters: tuple[str, ...]
    reports: int
    restated: Restated | None


def judged(
    warehouse: Warehouse,
    scope: Scope,
    found: Sequence[Source],
    as_of: date,
    settings: AnalysisSettings,
    targets: Mapping[str, str] | None = None,
) -> Week:
    """Judge the week of a scope, whose sources are `found`, as of a day."""

    def asked(connection: Connection) -> Place:
        told = resting(connection, scope, as_of, settings.sources)
        up_to = judging(connection, Scope(scope.domains, None, scope.until), as_of, settings)
        parts = sorted((targets or {}).items()), told, up_to, rests_on(connection, scope, as_of, settings)
        return place(connection, "week", scope, as_of, settings, *parts, domains=scope.domains)

    return kept_over(warehouse, asked, Week, lambda: _judged(warehouse, scope, found, as_of, settings, targets))


def _judged(
    warehouse: Warehouse,
    scope: Scope,
    found: Sequence[Source],
    as_of: date,
    settings: AnalysisSettings,
    targets: Mapping[str, str] | None,
) -> Week:
    assert scope.since is not None
    assert scope.until is not None
    before = Scope(scope.domains, scope.since - WEEK, scope.since - timedelta(days=1))
    with warehouse.reading() as connection:
        now, then = (reads.domains(connection, counted(connection, one)) for one in (scope, before))
        reports = int(reads.policy_days(connection, scope)["reports"].sum())
        again = _restated(connection, before, scope.since)
    basis = gather(warehouse, Scope(scope.domains, None, scope.until), as_of, settings, targets)
    return Week(
        newest=basis.newest,
        judged=tuple(basis.sources),
        findings=tuple(rank(basis, settings)),
        fresh=fresh(warehouse, scope, as_of, settings, found, basis.drifts),
        domains=_domains(basis, found, now, then),
        reporters=basis.heard,
        usual_reporters=len(basis.usual),
        silent_reporters=tuple(basis.silent),
        reports=reports,
        restated=again,
    )


def _restated(connection: Connection, before: Scope, monday: date) -> Restated | None:
    """What late reports made of the week before; None where none came, or nothing was known of it then."""
    then, now, late = restated(connection, before, datetime.combine(monday, time.max))
    return Restated(then, now, late) if then and late else None


NOTHING = {"messages": 0, "aligned": 0}


def _domains(basis: Basis, found: Sequence[Source], now: pl.DataFrame, then: pl.DataFrame) -> tuple[OfDomain, ...]:
    """Every domain with mail in the week or the week before, the largest first; none with days to come alone."""
    told = [frame.filter(pl.col("domain").is_in(list(basis.readiness))) for frame in (now, then)]
    weeks = [{row["domain"]: row for row in frame.iter_rows(named=True)} for frame in told]
    names = sorted(
        weeks[0].keys() | weeks[1].keys(), key=lambda domain: (-weeks[0].get(domain, NOTHING)["messages"], domain)
    )
    kinds: dict[str, Counter[str]] = {domain: Counter() for domain in names}
    for domain, kind, messages, aligned in each(found, "domain", "kind", "messages", "aligned"):
        if domain in kinds:
            kinds[domain][kind] += messages - aligned
    return tuple(
        _domain(basis, domain, (weeks[0].get(domain, NOTHING), weeks[1].get(domain, NOTHING)), kinds[domain])
        for domain in names
    )


def _domain(
    basis: Basis, domain: str, weeks: tuple[Mapping[str, int], Mapping[str, int]], kinds: Mapping[str, int]
) -> OfDomain:
    readiness = basis.readiness[domain]
    now, then = weeks
    return OfDomain(
        domain=domain,
        policy=readiness.published,
        verdict=readiness.verdict,
        gates_passed=sum(gate.state == "pass" for gate in readiness.gates),
        gates=len(readiness.gates),
        messages=now["messages"],
        messages_before=then["messages"],
        aligned=now["aligned"],
        aligned_before=then["aligned"],
        not_aligned={kind: count for kind, count in sorted(kinds.items()) if count},
        target=readiness.target,
    )
