"""The week on one page: numbers and sentences, no markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import polars as pl

from analysis.changes import arrived
from analysis.drift import Drift, drifts
from analysis.findings import Basis, Finding, gather, rank
from analysis.gates import count, percent
from analysis.genuine import excluded
from analysis.period import iso_week, last_complete_week
from analysis.settings import AnalysisSettings
from analysis.sources import Source, sources
from warehouse import findings as states
from warehouse import reads
from warehouse.connect import Connection, Warehouse
from warehouse.findings import FindingRecord
from warehouse.known import restated
from warehouse.scope import Scope

__all__ = ["WeekDomain", "WeeklySummary", "iso_week", "last_complete_week", "weekly"]

URGENT = ("critical", "high")
SAME = timedelta(days=14)  # two looks at one drift may tell its first day differently by so much


@dataclass(frozen=True, slots=True)
class WeekDomain:
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
    sources: tuple[Source, ...]
    target: str = ""


@dataclass(frozen=True, slots=True)
class Restated:
    """The week before as it was known when it was over, and as it is now, with the reports that came late."""

    messages_then: int
    messages_now: int
    reports: int


@dataclass(frozen=True, slots=True)
class WeeklySummary:
    """ISO week `week` ('2026-W47'), Monday `first_day` to Sunday `last_day`.

    `subject` carries the verdict; `headline` is one sentence; a quiet week has findings empty.
    `drifts` are those that the week before did not show yet; `complete` says that reports reach to the
    week's last day. `settled` are findings that came to be fixed, verified or closed in the week.
    """

    week: str
    first_day: date
    last_day: date
    verdict: str
    subject: str
    headline: str
    findings: tuple[Finding, ...]
    new_sources: tuple[Source, ...]
    drifts: tuple[Drift, ...]
    domains: tuple[WeekDomain, ...]
    reporters: int
    usual_reporters: int
    silent_reporters: tuple[str, ...]
    reports: int
    quarantined: int
    complete: bool
    settled: tuple[FindingRecord, ...] = ()
    restated: Restated | None = None


def weekly(
    warehouse: Warehouse,
    week: str,
    today: date,
    settings: AnalysisSettings,
    domains: tuple[str, ...] = (),
    targets: Mapping[str, str] | None = None,
) -> WeeklySummary:
    """The summary of an ISO week like '2026-W47'; '' means the last one that is over.

    It is judged as of the week's end: later reports of the same days change it, later days do not.
    """
    first, last = iso_week(week or last_complete_week(today))
    scope, before = Scope(domains, first, last), Scope(domains, first - timedelta(days=7), first - timedelta(days=1))
    # As of the Monday after, or of today where the week is not over.
    as_of = min(today, last + timedelta(days=1))
    with warehouse.reading() as connection:
        without = excluded(connection)
        now, then = (reads.domains(connection, replace(one, without=without)) for one in (scope, before))
        reports = int(reads.policy_days(connection, scope)["reports"].sum())
        quarantined = _quarantined(connection, first, last)
        records = states.every(connection)
        again = _restated(connection, before, first)
    basis = gather(warehouse, Scope(domains, None, last), as_of, settings, targets)
    found = sources(warehouse, scope, as_of, settings.sources)
    told = _domains(basis, found, now, then)
    urgent = tuple(_waiting(rank(basis, settings), records, as_of))
    with warehouse.reading() as connection:
        new = tuple(arrived(connection, found, last, settings.sources))
    result = verdict_of(told)
    return WeeklySummary(
        week=f"{first.isocalendar().year}-W{first.isocalendar().week:02d}",
        first_day=first,
        last_day=last,
        verdict=result,
        subject=_subject(result, first, told, urgent),
        headline=_headline(told, urgent, new),
        findings=urgent,
        new_sources=new,
        drifts=news(basis.drifts, drifts(warehouse, Scope(domains, None, before.until), settings.drift)),
        domains=told,
        reporters=basis.heard,
        usual_reporters=len(basis.usual),
        silent_reporters=tuple(basis.silent),
        reports=reports,
        quarantined=quarantined,
        complete=basis.newest is not None and basis.newest >= last,
        settled=tuple(_settled(records, basis, first, last)),
        restated=again,
    )


def owned(summary: WeeklySummary, owners: Mapping[str, str], only: str = "") -> WeeklySummary:
    """The summary with an owner for each finding: its own, else who is to act for its domain, by `owners`.

    With `only`, what others are to act on is left out.
    """
    every = (replace(one, owner=one.owner or owners.get(one.domain) or None) for one in summary.findings)
    mine = tuple(one for one in every if not only or one.owner == only)
    return replace(
        summary,
        findings=mine,
        subject=_subject(summary.verdict, summary.first_day, summary.domains, mine),
        headline=_headline(summary.domains, mine, summary.new_sources),
    )


def _waiting(found: Sequence[Finding], records: Mapping[str, FindingRecord], as_of: date) -> Iterator[Finding]:
    """What somebody is to act on: neither settled nor snoozed, each with its owner."""
    for finding in found:
        record = records.get(finding.key)
        if finding.severity == "info" or (record and (record.state != "open" or record.snoozed(as_of))):
            continue
        yield replace(finding, owner=(record.owner if record else None) or finding.owner)


def _settled(records: Mapping[str, FindingRecord], basis: Basis, first: date, last: date) -> Iterator[FindingRecord]:
    for record in records.values():
        if record.state != "open" and record.domain in basis.sources and first <= record.changed_on <= last:
            yield record


def _restated(connection: Connection, before: Scope, monday: date) -> Restated | None:
    """What late reports made of the week before; None where none came, or nothing was known of it then."""
    then, now, late = restated(connection, before, datetime.combine(monday, time.max))
    return Restated(then, now, late) if then and late else None


def news(now: Sequence[Drift], then: Sequence[Drift]) -> tuple[Drift, ...]:
    """The drifts that the week before did not show yet: what began on its last days could not be told then."""
    told = {(drift.domain, drift.source_key, drift.mechanism): drift.started_on for drift in then}
    long_ago = date.min
    return tuple(
        drift
        for drift in now
        if abs(drift.started_on - told.get((drift.domain, drift.source_key, drift.mechanism), long_ago)) > SAME
    )


def verdict_of(told: Sequence[WeekDomain]) -> str:
    """The worst verdict of all domains: stop before unknown before go."""
    verdicts = {domain.verdict for domain in told}
    return next((verdict for verdict in ("stop", "unknown", "go") if verdict in verdicts), "unknown")


def _quarantined(connection: Connection, first: date, last: date) -> int:
    rows = reads.frame(
        connection,
        "SELECT count(*) AS n FROM quarantine WHERE coalesce(received_at, first_seen_at)::DATE BETWEEN ? AND ?",
        [first, last],
    )
    return int(rows["n"].item())


def _domains(basis: Basis, found: Sequence[Source], now: pl.DataFrame, then: pl.DataFrame) -> tuple[WeekDomain, ...]:
    """Every domain with mail in the week or the week before, the largest first."""
    weeks = [{row["domain"]: row for row in frame.iter_rows(named=True)} for frame in (now, then)]
    names = sorted(
        weeks[0].keys() | weeks[1].keys(), key=lambda domain: (-weeks[0].get(domain, NOTHING)["messages"], domain)
    )
    by_domain: dict[str, list[Source]] = {domain: [] for domain in names}
    for source in found:
        by_domain[source.domain].append(source)
    return tuple(
        _domain(basis, domain, (weeks[0].get(domain, NOTHING), weeks[1].get(domain, NOTHING)), by_domain[domain])
        for domain in names
    )


NOTHING = {"messages": 0, "aligned": 0}


def _domain(
    basis: Basis, domain: str, weeks: tuple[Mapping[str, int], Mapping[str, int]], found: Sequence[Source]
) -> WeekDomain:
    judged = basis.readiness[domain]
    kinds: Counter[str] = Counter()
    for source in found:
        kinds[source.kind] += source.messages - source.aligned
    now, then = weeks
    return WeekDomain(
        domain=domain,
        policy=judged.published,
        verdict=judged.verdict,
        gates_passed=sum(gate.state == "pass" for gate in judged.gates),
        gates=len(judged.gates),
        messages=now["messages"],
        messages_before=then["messages"],
        aligned=now["aligned"],
        aligned_before=then["aligned"],
        not_aligned={kind: count for kind, count in sorted(kinds.items()) if count},
        sources=tuple(found),
        target=judged.target,
    )


def _subject(result: str, first: date, told: Sequence[WeekDomain], urgent: Sequence[Finding]) -> str:
    who = told[0].domain if len(told) == 1 else f"{len(told)} domains"
    what = urgent[0].title if urgent else "nothing to do"
    return f"[{result.capitalize()}] {who} W{first.isocalendar().week:02d}: {what}"


def _headline(told: Sequence[WeekDomain], urgent: Sequence[Finding], new: Sequence[Source]) -> str:
    """One sentence. Nothing to do is said as such: silence would look like a dead job."""
    messages, aligned = sum(d.messages for d in told), sum(d.aligned for d in told)
    if not messages:
        return "No mail was reported for this week."
    share = f"{percent(aligned, messages)} of {messages:,} messages aligned"
    if not urgent and not new:
        return f"A quiet week: {share}, no new sources, nothing to do."
    pressing = sum(finding.severity in URGENT for finding in urgent)
    parts = [f"{count(len(urgent), 'thing')} to do, {pressing} of them urgent"] if urgent else []
    parts += [f"{count(len(new), 'new source')}"] if new else []
    return f"{share}; {', '.join(parts)}."
