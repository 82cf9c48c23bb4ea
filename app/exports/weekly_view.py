"""The weekly summary as plain sentences and rows, in the order in which they are read.

What Markdown and HTML have in common: no markup, and no text that could act as any. Each of the two
escapes it once more in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from analysis.drift import Drift
from analysis.sources import Source, each
from analysis.week_changes import Changed
from analysis.weekly import WeekDomain, WeeklySummary
from analysis.wording import count
from app.render import clean, share
from app.settings import ReportSettings

TODOS: Final = 5
CHANGES: Final = 12
SETTLED: Final = {"fixed": "Fix published", "verified": "Verified in reports", "closed": "Closed"}
KINDS: Final = {
    "aligned": "aligned",
    "misaligned": "known but misaligned",
    "forwarded": "forwarded",
    "unknown": "unknown",
    "spoofing": "looks like spoofing",
}


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing to do first."""

    severity: str
    title: str
    why: str
    fix: str
    owner: str
    age: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a domain is from its next policy."""

    domain: str
    step: str
    verdict: str
    gates: str
    aligned: str
    before: str


@dataclass(frozen=True, slots=True)
class Row:
    """One source of a domain; `rate` is between 0 and 1."""

    name: str
    messages: str
    aligned: str
    rate: float
    looks: str
    decision: str


@dataclass(frozen=True, slots=True)
class Table:
    """The largest sources of a domain, and what was left out."""

    domain: str
    rows: tuple[Row, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class View:
    """The page."""

    verdict: str
    subject: str
    title: str
    headline: str
    todos: tuple[Todo, ...]
    more: str
    changes: tuple[str, ...]
    progress: tuple[Progress, ...]
    tables: tuple[Table, ...]
    health: tuple[str, ...]
    totals: tuple[str, ...]
    app_url: str
    quiet: bool = False


def view(summary: WeeklySummary, settings: ReportSettings) -> View:
    """The page of a week."""
    changes = tuple(_changes(summary))
    return View(
        verdict=summary.verdict,
        subject=clean(summary.subject),
        title=clean(f"{_who(summary)} · week {summary.first_day.isocalendar().week} ({_days(summary)})"),
        headline=clean(summary.headline),
        todos=tuple(_todos(summary, settings)),
        more=_more(len(summary.findings) - TODOS, "more in the app"),
        changes=changes[:CHANGES] + ((f"and {len(changes) - CHANGES} more",) if len(changes) > CHANGES else ()),
        progress=tuple(_progress(domain) for domain in summary.domains),
        tables=tuple(_table(domain, settings.sources) for domain in summary.domains if domain.sources),
        health=tuple(_health(summary)),
        totals=tuple(_totals(summary)),
        quiet=not (
            summary.findings
            or summary.new_sources
            or summary.drifts
            or summary.settled
            or summary.changed
            or summary.moved
        ),
        # Only what a browser follows as a web address; the setting is the owner's own, but a typo is not a link.
        app_url=settings.app_url if settings.app_url.startswith(("https://", "http://")) else "",
    )


def _who(summary: WeeklySummary) -> str:
    if not summary.domains:
        return "No domain with mail"
    return summary.domains[0].domain if len(summary.domains) == 1 else f"{len(summary.domains)} domains"


def _days(summary: WeeklySummary) -> str:
    first, last = summary.first_day, summary.last_day
    begin = f"{first.day}" if first.month == last.month else _day(first)
    return f"{begin}–{_day(last)} {last.year}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _more(count: int, what: str) -> str:
    return f"{count:,} {what}" if count > 0 else ""


def _todos(summary: WeeklySummary, settings: ReportSettings) -> Iterator[Todo]:
    for finding in summary.findings[:TODOS]:
        age = max(0, (summary.last_day - finding.since).days)
        yield Todo(
            severity=finding.severity,
            title=clean(finding.title),
            why=clean(finding.why),
            fix=clean(finding.fix),
            owner=clean(finding.owner or settings.owner or "nobody yet"),
            age=count(age, "day"),
        )


def _changes(summary: WeeklySummary) -> Iterator[str]:
    for one in summary.moved:
        yield clean(f"{one.domain}: {share(one.before)} → {share(one.after)} aligned, {one.sentence}")
    for source in summary.new_sources:
        yield clean(
            f"New source: {source.name} as {source.domain}, {count(source.messages, 'message')}, "
            f"{share(source.aligned, source.messages)} aligned, {KINDS.get(source.kind, source.kind)}"
        )
    together = {(one.domain, one.source_key, one.mechanism) for one in summary.drifts}
    for drift in summary.drifts:
        # A loss of DMARC alignment that DKIM or SPF explains is one change, not two.
        if (drift.domain, drift.source_key, drift.follows) not in together:
            followers = [
                one.mechanism
                for one in summary.drifts
                if (one.domain, one.source_key, one.follows) == (drift.domain, drift.source_key, drift.mechanism)
            ]
            yield clean(_drift(drift, followers))
    for change in summary.changed:
        yield clean(f"{_changed(change)}. {change.news.evidence}")
    for record in summary.settled:
        yield clean(f"{SETTLED[record.state]}: {record.title}. {record.reason}")


def _drift(drift: Drift, followers: Sequence[str]) -> str:
    by = " and ".join(name.upper() for name in (drift.mechanism, *followers))
    return (
        f"{drift.name} as {drift.domain}: {by} alignment from {share(drift.before)} to "
        f"{share(drift.after)} since {_day(drift.started_on)}. {drift.cause.words}"
    )


def _changed(change: Changed) -> str:
    """What changed beside alignment, and when."""
    one = change.news
    since = f"since {_day(one.started_on)}"
    day = _day(one.started_on)
    span = (
        since if one.ended_on is None else day if one.ended_on == one.started_on else f"{day} to {_day(one.ended_on)}"
    )
    said = {
        "vanished_source": f"Gone: {change.name} as {one.domain}, {since}",
        "volume_spike": f"More mail than usual: {change.name} as {one.domain}, {span}",
        "volume_drop": f"Less mail than usual: {change.name} as {one.domain}, {span}",
        "spoofing": f"Wave of mail that looks like spoofing: {one.domain}, {span}",
        "policy_change": f"Record of {one.domain}: {one.subject}, {since}",
        "selector_change": f"Selector of {change.name} as {one.domain}: {one.subject}, {_day(one.started_on)}",
        "reporter_gap": f"Reporter silent: {one.reporter}, {span}",
        "new_subdomain": f"New name in From: {one.subject}, {since}",
    }
    return said[one.kind]


def _progress(domain: WeekDomain) -> Progress:
    return Progress(
        domain=clean(domain.domain),
        step=clean(_step(domain)),
        verdict=domain.verdict,
        gates=f"{domain.gates_passed} of {domain.gates} gates",
        aligned=share(domain.aligned, domain.messages),
        before=share(domain.aligned_before, domain.messages_before),
    )


def _step(domain: WeekDomain) -> str:
    if domain.policy == domain.target:
        return domain.target
    return f"{domain.policy or 'no policy seen'} → {domain.target or 'next'}"


def _table(domain: WeekDomain, most: int) -> Table:
    rest = domain.sources[most:]
    messages = sum(count for (count,) in each(rest, "messages"))
    return Table(
        domain=clean(domain.domain),
        rows=tuple(_row(source) for source in domain.sources[:most]),
        rest=f"{count(len(rest), 'more source')} with {count(messages, 'message')}" if rest else "",
    )


def _row(source: Source) -> Row:
    return Row(
        name=clean(source.name),
        messages=f"{source.messages:,}",
        aligned=share(source.aligned, source.messages),
        rate=source.aligned / source.messages if source.messages else 0.0,
        looks=KINDS.get(source.kind, source.kind),
        decision=source.decided or "undecided",
    )


def _health(summary: WeeklySummary) -> Iterator[str]:
    yield f"{summary.reporters} of {summary.usual_reporters} usual reporters wrote, {count(summary.reports, 'report')}"
    if summary.silent_reporters:
        silent = [clean(name) for name in summary.silent_reporters]
        yield f"Silent: {', '.join(silent[:5])}{f' and {len(silent) - 5} more' if len(silent) > 5 else ''}"
    yield f"{count(summary.quarantined, 'message')} refused (whosends quarantine list)"
    if summary.restated:
        one = summary.restated
        reports = count(one.reports, "late report")
        yield f"Last week restated: {one.messages_then:,} → {count(one.messages_now, 'message')} after {reports}"
    if not summary.complete:
        yield "The week is not complete: reports take one or two days, so the numbers will still rise"


def _totals(summary: WeeklySummary) -> Iterator[str]:
    messages = sum(domain.messages for domain in summary.domains)
    before = sum(domain.messages_before for domain in summary.domains)
    aligned = sum(domain.aligned for domain in summary.domains)
    yield f"{count(messages, 'message')}, {before:,} the week before"
    if messages:
        yield f"{share(aligned, messages)} aligned"
    for kind, said in KINDS.items():
        failing = sum(domain.not_aligned.get(kind, 0) for domain in summary.domains)
        if failing:
            yield f"{failing:,} not aligned: {said if kind != 'aligned' else 'stray mail of aligned sources'}"
