"""Can I move to the next policy? What it would have blocked, per source, and what stands in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from analysis import evidence
from analysis.authorised import authorised
from analysis.drift import Drift, drifts
from analysis.gates import Case, Gate, gates
from analysis.genuine import counted
from analysis.period import newest_day
from analysis.policy import Published, published
from analysis.settings import AnalysisSettings
from analysis.sources import Source, judged
from ingest.errors import UsageError
from warehouse import reads, reads_sources
from warehouse.connect import Connection, Warehouse
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
    newest day with reports; `policy` is all that reports show of the record.
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


@dataclass(frozen=True, slots=True)
class _Frames:
    scope: Scope
    last_days: Mapping[str, date]
    days: pl.DataFrame
    failing: pl.DataFrame
    reporters: pl.DataFrame
    policies: pl.DataFrame
    sources: evidence.Frames


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
    """The same for several domains at once, from their targets; `until` is the last day to look at."""
    return judge(warehouse, targets, today, settings, known, until)[1]


def judge(
    warehouse: Warehouse,
    targets: Mapping[str, str],
    today: date,
    settings: AnalysisSettings,
    known: Sequence[Drift] | None = None,
    until: date | None = None,
) -> tuple[list[Source], dict[str, Readiness]]:
    """The same, with the sources of the days judged, the largest first."""
    if not set(targets.values()) <= set(TARGETS):
        message = "The target of a policy is quarantine or reject."
        raise UsageError(message, "Say --target quarantine or --target reject.")
    if not targets:
        return [], {}
    with warehouse.reading() as connection:
        frames = _fetch(connection, tuple(targets), today, settings, until)
    if known is None:
        known = drifts(warehouse, Scope(tuple(targets), None, frames.scope.until), settings.drift)
    found: dict[str, list[Source]] = {domain: [] for domain in targets}
    every = judged(frames.sources, today, settings.sources)
    for source in every:
        found[source.domain].append(source)
    failing = frames.failing.partition_by("domain", as_dict=True)
    result = {}
    for domain, target in targets.items():
        rows = failing.get((domain,), frames.failing.clear())
        blocked = _blocked(rows, found[domain])
        case = _case(frames, domain, target, tuple(found[domain]), today)
        result[domain] = _answer(case, blocked, known, frames.scope, settings)
    return every, result


def verdict(opened: Sequence[Gate]) -> str:
    """Any stop is a stop; else any unknown is unknown; else go."""
    states = {gate.state for gate in opened}
    return "stop" if "stop" in states else "unknown" if "unknown" in states or not states else "go"


def with_dns(answer: Readiness, seen: DmarcObservation) -> Readiness:
    """The same, with what DNS says of the record and its destinations instead of what reports let us guess."""
    gate = authorised(seen)
    opened = tuple(gate if one.id == gate.id else one for one in answer.gates)
    return replace(answer, gates=opened, verdict=verdict(opened))


def next_target(policy: str | None) -> str:
    """The next stricter policy after the one published; reject after reject."""
    return "reject" if policy in TARGETS else "quarantine"


def _fetch(
    connection: Connection, domains: tuple[str, ...], today: date, settings: AnalysisSettings, until: date | None
) -> _Frames:
    newest = newest_day(connection, today, until) or today
    scope = counted(connection, Scope(domains, newest - timedelta(days=settings.readiness.days - 1), newest))
    ever = replace(scope, since=None)
    return _Frames(
        scope=scope,
        last_days=dict(reads.last_days(connection, ever).iter_rows()),
        days=reads.daily_alignment(connection, scope),
        failing=reads_sources.blockable(connection, scope),
        reporters=reads.reporter_days(connection, scope),
        policies=reads.policy_days(connection, ever),
        sources=evidence.fetch(connection, scope, today, settings.sources),
    )


def _case(frames: _Frames, domain: str, target: str, found: tuple[Source, ...], today: date) -> Case:
    mine = pl.col("domain") == domain
    return Case(
        domain=domain,
        target=target,
        published=published(frames.policies.filter(mine)) or Published(),
        newest=frames.last_days.get(domain),
        today=today,
        days=frames.days.filter(mine).height,
        reporters=frames.reporters.filter(mine)["reporter"].n_unique(),
        sources=found,
        reported=frozenset(frames.policies.filter(mine, pl.col("day") > _quarter_before(frames.scope))["day"]),
    )


def _quarter_before(scope: Scope) -> date:
    assert scope.until is not None
    return scope.until - timedelta(days=QUARTER)


def _answer(
    case: Case, blocked: tuple[Blocked, ...], known: Sequence[Drift], scope: Scope, settings: AnalysisSettings
) -> Readiness:
    losses = {item.source_key: item.would_block for item in blocked}
    mine = tuple(drift for drift in known if drift.domain == case.domain)
    opened = gates(case, losses, mine, settings.readiness)
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
    sums = (
        failing.group_by("source_key")
        .agg(pl.col("messages", "overridden", "blocked").sum())
        .sort(["messages", "source_key"], descending=[True, False])
    )
    known = {source.source_key: source for source in found}
    return tuple(
        _of_source(known[key], messages, overridden, already) for key, messages, overridden, already in sums.iter_rows()
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
