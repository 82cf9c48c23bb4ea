"""Can I move to the next policy? What it would have blocked, per source, and what stands in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from analysis import evidence
from analysis.authorised import authorised, authorised_then, told_on
from analysis.drift import Drift, drifts
from analysis.gates import Case, Gate, gates
from analysis.genuine import counted
from analysis.grounds import grounds
from analysis.keeping import kept, kept_over
from analysis.period import judged_over, newest_day
from analysis.policy import Published, policies
from analysis.settings import AnalysisSettings
from analysis.sources import Found, Source, by_domain, judged
from analysis.sources import fetch as fetch_sources
from analysis.tree import Observed, observations
from ingest.errors import UsageError
from warehouse import reads, reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.scope import Scope

if TYPE_CHECKING:
    from ingest.probes.dmarc import DmarcObservation

__all__ = ["Blocked", "Gate", "Readiness", "next_target", "readiness", "readinesses", "verdict"]

TARGETS = ("quarantine", "reject")
QUARTER = 100  # days looked back over for a quarter's end


@dataclass(frozen=True, slots=True)
class Blocked:
    """What the target policy would have blocked of one source; `analysis.ledger` has it with ranges.

    `would_block` counts all its messages that did not align. `overridden` of them receivers said they would let
    through all the same; `already_blocked` were in fact quarantined or rejected under the policy of the day.
    """

    source_key: str
    name: str
    as_domain: str | None
    kind: str
    decision: str | None
    would_block: int
    already_blocked: int
    messages: int = 0
    overridden: int = 0
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The verdict go, stop or unknown for a domain and target, over `days` days with reports.

    The four `…_blocked` add up to the sources' `would_block`; `undecided_blocked` are those of
    unknown sources. `since` and `until` are the days judged; None where there are no reports.
    `already` says that the published policy is the target or stricter; `last_day` is the domain's own
    newest day with reports; `policy` is all that reports show of the record. `dns_gate` is what DNS said last of
    where reports may go, however long ago, and `dns_since` since when it says so; None where it was never asked.
    """

    domain: str
    target: str
    verdict: str
    published: str | None
    days: int
    messages: int
    legitimate_blocked: int
    forwarded_blocked: int
    spoofing_blocked: int
    undecided_blocked: int
    sources: tuple[Blocked, ...]
    gates: tuple[Gate, ...]
    reporters: int = 0
    since: date | None = None
    until: date | None = None
    already: bool = False
    last_day: date | None = None
    policy: Published = field(default_factory=Published)
    dns_gate: Gate | None = None
    dns_since: date | None = None


@dataclass(frozen=True, slots=True)
class _Days:
    """Of one domain: its newest day; how many days and reporters are judged; all days of the quarter with reports."""

    newest: date | None
    days: int
    reporters: int
    reported: frozenset[date]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What one short session brought. `failing` has messages, overridden and blocked by domain and source_key.

    `observed` is what DNS said of the domains' records, where it was ever asked, and when.
    """

    scope: Scope
    days: Mapping[str, _Days]
    failing: pl.DataFrame
    policies: Mapping[str, Published]
    sources: Found
    observed: Mapping[str, Observed]


NOTHING = _Days(None, 0, 0, frozenset())


def readiness(
    warehouse: Warehouse,
    domain: str,
    target: str,
    today: date,
    settings: AnalysisSettings,
    known: Sequence[Drift] | None = None,
) -> Readiness:
    """Whether `domain` can move to p=`target`, judged over the last readiness.days with reports.

    `known` are its drifts, where the caller has them already. A domain without reports has the
    verdict unknown. Raises UsageError for another target than quarantine or reject.
    """
    return readinesses(warehouse, {domain: target}, today, settings, known)[domain]


def readinesses(
    warehouse: Warehouse,
    targets: Mapping[str, str],
    today: date,
    settings: AnalysisSettings,
    known: Sequence[Drift] | None = None,
    until: date | None = None,
) -> dict[str, Readiness]:
    """The same for several domains at once, from their targets; `until` is the last day to look at.

    The answer is kept until the reports or the decisions about the domains change.
    """
    within = Scope(tuple(targets), None, until)
    if known is not None or not targets:
        return judge(warehouse, targets, today, settings, known, within)[1]
    return kept_over(
        warehouse,
        lambda session: _place(session, targets, within, today, settings),
        dict[str, Readiness],
        lambda: judge(warehouse, targets, today, settings, None, within)[1],
    )


def _place(
    connection: Connection, targets: Mapping[str, str], within: Scope, today: date, settings: AnalysisSettings
) -> Place:
    told = evidence.resting(connection, _days_judged(connection, within, today, settings), today, settings.sources)
    about = grounds(connection, within.domains, told)
    return place(connection, "readiness", targets, within, today, settings, about, domains=within.domains)


def judge(
    warehouse: Warehouse,
    targets: Mapping[str, str],
    today: date,
    settings: AnalysisSettings,
    known: Sequence[Drift] | None = None,
    within: Scope | None = None,
) -> tuple[Sequence[Source], dict[str, Readiness]]:
    """The same, with the sources of the days judged, the largest first.

    `within` is the last day to look at, and the domains that are read for it: all where none is named.
    """
    if not set(targets.values()) <= set(TARGETS):
        message = "The target of a policy is quarantine or reject."
        raise UsageError(message, "Say --target quarantine or --target reject.")
    if not targets:
        return [], {}
    within = within or Scope(tuple(targets))
    with warehouse.reading() as connection:
        ground = _fetch(connection, within, targets, today, settings)
    if known is None:
        known = drifts(warehouse, Scope(tuple(targets), None, ground.scope.until), settings.drift)
    drifted = grouped(known)
    sources = judged(ground.sources, today)
    found = by_domain(sources)
    failing = ground.failing.partition_by("domain", as_dict=True)
    result = {}
    for domain, target in targets.items():
        mine = tuple(found.get(domain, ()))
        blocked = _blocked(failing[domain,], mine) if (domain,) in failing else ()
        case = _case(ground, domain, target, mine, today)
        answer = _answer(case, blocked, drifted.get(domain, ()), ground.scope, settings)
        result[domain] = _heard(answer, ground.observed.get(domain), today)
    return sources, result


def grouped(known: Iterable[Drift]) -> dict[str, list[Drift]]:
    """Drifts apart by domain, each in the order given."""
    result: dict[str, list[Drift]] = {}
    for drift in known:
        result.setdefault(drift.domain, []).append(drift)
    return result


def verdict(opened: Sequence[Gate]) -> str:
    """Any stop is a stop; else any unknown is unknown; else go."""
    states = {gate.state for gate in opened}
    return "stop" if "stop" in states else "unknown" if "unknown" in states or not states else "go"


def owned(answer: Readiness, owner: str) -> Readiness:
    """The same, with `owner` to act on what holds it up and nobody nearer is known for; "" is nobody."""
    gates = (
        gate if gate.owner or gate.state == "pass" else replace(gate, owner=owner or None) for gate in answer.gates
    )
    return replace(answer, gates=tuple(gates))


def with_dns(answer: Readiness, seen: DmarcObservation) -> Readiness:
    """The same, with what DNS says now of the record and its destinations instead of what reports let us guess."""
    return _with(answer, authorised(seen))


def _heard(answer: Readiness, observed: Observed | None, today: date) -> Readiness:
    """The same with what DNS said last of the record; it counts where that is not long ago and there are reports."""
    if observed is None:
        return answer
    said = told_on(observed.seen, observed.at.date(), today)
    answer = replace(answer, dns_gate=said, dns_since=observed.since.date() if said else None)
    gate = authorised_then(observed.seen, observed.at.date(), today)
    return _with(answer, gate) if gate and answer.days else answer


def _with(answer: Readiness, gate: Gate) -> Readiness:
    opened = tuple(gate if one.id == gate.id else one for one in answer.gates)
    return replace(answer, gates=opened, verdict=verdict(opened))


def next_target(policy: str | None) -> str:
    """The next stricter policy after the one published; reject after reject."""
    return "reject" if policy in TARGETS else "quarantine"


def _fetch(
    connection: Connection, within: Scope, targets: Iterable[str], today: date, settings: AnalysisSettings
) -> _Ground:
    scope = _days_judged(connection, within, today, settings)
    sure, domains = counted(connection, scope), scope.domains
    days, failing = (place(connection, name, sure, domains=domains) for name in ("days", "failing"))
    return _Ground(
        scope=scope,
        days=kept(days, dict[str, _Days], lambda: _days(connection, scope)),
        failing=kept(failing, pl.DataFrame, lambda: _failing(connection, scope)),
        policies=policies(connection, scope),
        sources=fetch_sources(connection, scope, today, settings.sources),
        observed=observations(connection, targets),
    )


def _days_judged(connection: Connection, within: Scope, today: date, settings: AnalysisSettings) -> Scope:
    newest = newest_day(connection, today, within.until) or today
    return judged_over(within.domains, newest, settings.readiness.days)


def _days(connection: Connection, scope: Scope) -> dict[str, _Days]:
    sure = counted(connection, scope)
    days = dict(reads.daily_alignment(connection, sure).group_by("domain").len().iter_rows())
    written = reads.reporter_days(connection, sure).group_by("domain").agg(pl.col("reporter").n_unique())
    reporters = dict(written.iter_rows())
    quarter = replace(sure, since=_quarter_before(scope) + timedelta(days=1))
    reported = reads.policy_days(connection, quarter).group_by("domain").agg(pl.col("day").unique())
    seen = dict(reported.iter_rows())
    return {
        domain: _Days(last, days.get(domain, 0), reporters.get(domain, 0), frozenset(seen.get(domain, ())))
        for domain, last in reads.last_days(connection, replace(sure, since=None)).iter_rows()
    }


def _failing(connection: Connection, scope: Scope) -> pl.DataFrame:
    rows = reads_sources.blockable(connection, counted(connection, scope))
    return (
        rows.group_by("domain", "source_key")
        .agg(pl.col("messages", "overridden", "blocked").sum())
        .sort(["domain", "messages", "source_key"], descending=[False, True, False])
    )


def _case(ground: _Ground, domain: str, target: str, found: tuple[Source, ...], today: date) -> Case:
    held = ground.days.get(domain, NOTHING)
    return Case(
        domain=domain,
        target=target,
        published=ground.policies.get(domain) or Published(),
        newest=held.newest,
        today=today,
        days=held.days,
        reporters=held.reporters,
        sources=found,
        reported=held.reported,
    )


def _quarter_before(scope: Scope) -> date:
    assert scope.until is not None
    return scope.until - timedelta(days=QUARTER)


def _answer(
    case: Case, blocked: tuple[Blocked, ...], drifted: Sequence[Drift], scope: Scope, settings: AnalysisSettings
) -> Readiness:
    losses = {item.source_key: item.would_block for item in blocked}
    opened = gates(case, losses, drifted, settings.readiness)
    return Readiness(
        domain=case.domain,
        target=case.target,
        verdict=verdict(opened),
        published=case.published.p,
        days=case.days,
        messages=case.messages,
        legitimate_blocked=_sum(blocked, "aligned", "misaligned"),
        forwarded_blocked=_sum(blocked, "forwarded"),
        spoofing_blocked=_sum(blocked, "spoofing"),
        undecided_blocked=_sum(blocked, "unknown"),
        sources=blocked,
        gates=opened,
        reporters=case.reporters,
        since=scope.since if case.newest else None,
        until=scope.until if case.newest else None,
        already=case.already,
        last_day=case.newest,
        policy=case.published,
    )


def _sum(blocked: Sequence[Blocked], *kinds: str) -> int:
    return sum(item.would_block for item in blocked if item.kind in kinds)


def _blocked(failing: pl.DataFrame, found: Sequence[Source]) -> tuple[Blocked, ...]:
    """Every source with mail that did not align, the largest first."""
    known = {source.source_key: source for source in found}
    return tuple(
        _of_source(known[key], messages, overridden, already)
        for _, key, messages, overridden, already in failing.iter_rows()
    )


def _of_source(source: Source, messages: int, overridden: int, already: int) -> Blocked:
    return Blocked(
        source_key=source.source_key,
        name=source.name,
        as_domain=source.as_domain,
        kind=source.kind,
        decision=source.decided,
        would_block=messages,
        already_blocked=already,
        messages=source.messages,
        overridden=overridden,
        owner=source.owner,
    )
