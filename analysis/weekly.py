"""The week on one page: numbers and sentences, no markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta

from analysis.drift import Drift
from analysis.findings import Finding, waiting
from analysis.period import iso_week, last_complete_week
from analysis.settings import AnalysisSettings
from analysis.sources import Source, by_domain, each, sources
from analysis.week import OfDomain, Restated, Week, judged
from analysis.week_changes import Changed, Moved, with_silent
from analysis.wording import count, percent
from ingest.errors import UsageError
from warehouse import findings as states
from warehouse import reads
from warehouse.connect import Connection, Warehouse
from warehouse.findings import FindingRecord
from warehouse.scope import Scope

__all__ = ["Restated", "WeekDomain", "WeeklySummary", "iso_week", "last_complete_week", "weekly"]

URGENT = ("critical", "high")


@dataclass(frozen=True, slots=True)
class WeekDomain(OfDomain):
    """The same with the week's sources of the domain."""

    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class WeeklySummary:
    """ISO week `week` ('2026-W47'), Monday `first_day` to Sunday `last_day`.

    `subject` carries the verdict; `headline` is one sentence; a quiet week has findings empty.
    `drifts` and `changed` are those that the week before did not show yet, `moved` is what moved the domains' rates
    since then; `complete` says that reports reach to the week's last day. `settled` are findings that came to be
    fixed, verified or closed in the week.
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
    changed: tuple[Changed, ...] = ()
    moved: tuple[Moved, ...] = ()


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
    first, last = _days(week, today)
    scope = Scope(domains, first, last)
    # As of the Monday after, or of today where the week is not over.
    as_of = min(today, last + timedelta(days=1))
    with warehouse.reading() as connection:
        quarantined = _quarantined(connection, first, last)
        records = states.every(connection)
    found = sources(warehouse, scope, as_of, settings.sources)
    week_of = judged(warehouse, scope, found, as_of, settings, targets)
    told = tuple(_told(week_of, found))
    urgent = tuple(waiting(week_of.findings, records, as_of))
    arrived = set(week_of.fresh.new)
    new = tuple(found[at] for at, key in enumerate(each(found, "domain", "source_key")) if key in arrived)
    # A week without mail shows nothing, least of all what came later.
    changed = with_silent(warehouse, scope, as_of, settings, week_of.fresh.changed) if found else ()
    result = verdict_of(told)
    return WeeklySummary(
        week=f"{first.isocalendar().year}-W{first.isocalendar().week:02d}",
        first_day=first,
        last_day=last,
        verdict=result,
        subject=_subject(result, first, told, urgent),
        headline=_headline(told, urgent, new, len(changed)),
        findings=urgent,
        new_sources=new,
        drifts=week_of.fresh.drifts,
        domains=told,
        reporters=week_of.reporters,
        usual_reporters=week_of.usual_reporters,
        silent_reporters=week_of.silent_reporters,
        reports=week_of.reports,
        quarantined=quarantined,
        complete=week_of.newest is not None and week_of.newest >= last,
        settled=tuple(_settled(records, week_of, first, last)),
        restated=week_of.restated,
        changed=changed,
        moved=week_of.fresh.moved,
    )


def _days(week: str, today: date) -> tuple[date, date]:
    first, last = iso_week(week or last_complete_week(today))
    if first > today:
        raise UsageError("This week has not begun.", "Without --week it is the last one that is over.")
    return first, last


def _told(week_of: Week, found: Sequence[Source]) -> Iterator[WeekDomain]:
    parts = by_domain(found)
    for one in week_of.domains:
        numbers = {each.name: getattr(one, each.name) for each in fields(one)}
        yield WeekDomain(**numbers, sources=parts.get(one.domain, ()))


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
        headline=_headline(summary.domains, mine, summary.new_sources, len(summary.changed)),
    )


def _settled(records: Mapping[str, FindingRecord], week_of: Week, first: date, last: date) -> Iterator[FindingRecord]:
    for record in records.values():
        if record.state != "open" and record.domain in week_of.judged and first <= record.changed_on <= last:
            yield record


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


def _subject(result: str, first: date, told: Sequence[WeekDomain], urgent: Sequence[Finding]) -> str:
    who = told[0].domain if len(told) == 1 else f"{len(told)} domains" if told else "No domain"
    mail = any(domain.messages for domain in told)
    what = urgent[0].title if urgent else "nothing to do" if mail else "no mail was reported"
    return f"[{result.capitalize()}] {who} W{first.isocalendar().week:02d}: {what}"


def _headline(told: Sequence[WeekDomain], urgent: Sequence[Finding], new: Sequence[Source], others: int) -> str:
    """One sentence. Nothing to do is said as such: silence would look like a dead job."""
    messages, aligned = sum(d.messages for d in told), sum(d.aligned for d in told)
    if not messages:
        return "No mail was reported for this week."
    share = f"{percent(aligned, messages)} of {messages:,} messages aligned"
    if not urgent and not new and not others:
        return f"A quiet week: {share}, no new sources, nothing to do."
    pressing = sum(finding.severity in URGENT for finding in urgent)
    parts = [f"{count(len(urgent), 'thing')} to do, {pressing} of them urgent"] if urgent else []
    parts += [count(len(new), "new source")] if new else []
    parts += [count(others, "other change")] if others else []
    return f"{share}; {', '.join(parts)}."
