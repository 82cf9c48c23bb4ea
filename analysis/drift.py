"""What changed, and when? A source's alignment before and after a day, tested against chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from analysis import chance
from analysis.around import BEFORE, Seen, with_own
from analysis.cause import Cause
from analysis.causes import causes
from analysis.change import Change
from analysis.closing import find, first_day
from analysis.dns_edits import dns_edits_of
from analysis.downstream import leaders
from analysis.faults import ELSEWHERE, upheld
from analysis.genuine import counted, excluded
from analysis.grounds import dns, facts
from analysis.history import policy_history
from analysis.keeping import kept_over
from analysis.remarks import remarked
from analysis.screening import screened
from analysis.searched import Source, searched
from analysis.settings import DriftSettings
from warehouse import reads, reads_changes, reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.scope import Scope

__all__ = ["Cause", "Change", "Drift", "detect", "drifts"]

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of one source's alignment by one mechanism (dkim, spf or dmarc).

    `shape` is step or slide; `before` and `after` are rates between 0 and 1; `messages` are those
    since `started_on` that the change touched; `latest` is the rate of the last week, None without mail.
    `ended_on` is the day a slide settled. `follows` is set where another mechanism leads: a change of
    dmarc that dkim or spf explains. `cause` is the first of `causes`. `also_in` names the sources that
    show the same loss only because they pass this source's mail on. `started_between`, `before_range` and
    `after_range` hold the first day and the rates at 95 %; `per_week` is what `messages` comes to in a week.
    """

    domain: str
    source_key: str
    name: str
    as_domain: str | None
    mechanism: str
    shape: str
    started_on: date
    before: float
    after: float
    messages: int
    p_value: float
    reporters: int
    cause: Cause
    ended_on: date | None = None
    latest: float | None = None
    follows: str | None = None
    causes: tuple[Cause, ...] = ()
    also_in: tuple[str, ...] = ()
    started_between: tuple[date, date] | None = None
    before_range: tuple[float, float] | None = None
    after_range: tuple[float, float] | None = None
    per_week: int = 0


def drifts(
    warehouse: Warehouse,
    scope: Scope,
    settings: DriftSettings,
    newest: date | None = None,
) -> list[Drift]:
    """Every drift of the scope's domains in the `settings.days` up to `newest`, most messages first.

    `newest` defaults to the scope's last day, else to the newest day stored. The scope's first day is no
    bound: what broke before it may be broken still. Two short sessions: one for the counts, and one for the
    evidence on the few domains where something was found. The answer is kept until the reports change.
    """
    scope = Scope(tuple(sorted(set(scope.domains))), None, newest or scope.until)
    return kept_over(
        warehouse,
        lambda session: _place(session, scope, settings),
        list[Drift],
        lambda: _drifts(warehouse, scope, settings),
    )


def _place(session: Connection, scope: Scope, settings: DriftSettings) -> Place:
    """Causes rest on what DNS answered as well as on the reports, and names on what is known of each source."""
    known = excluded(session), dns(session, scope.domains), facts(session, scope.domains)
    return place(session, "drifts", scope, settings, known, domains=scope.domains)


def _drifts(warehouse: Warehouse, scope: Scope, settings: DriftSettings) -> list[Drift]:
    with warehouse.reading() as session:
        scope = counted(session, scope)
        last = scope.until or _newest(reads.last_days(session, scope), "last_day")
        if last is None:
            return []
        span = replace(scope, since=last - timedelta(days=settings.days - 1), until=last)
        totals = reads_changes.source_totals(session, span, 2 * settings.messages)
        screen = screened(totals, settings, last)
        earlier = replace(span, since=first_day(settings, last))
        days = reads_changes.told_days(session, earlier, screen.sources)
        before = place(session, "searched", settings, last, lasting=True)
        closed = place(session, "closed", settings, lasting=True)
    told = searched(days, before, tuple[Change, ...], lambda some: _by_source(find(some, settings, last, closed)))
    found = [change for changes in told.values() for change in changes]
    days = days.filter(pl.col("day") >= span.since)
    changes = likely(found, screen.questions, settings)
    if not changes:
        return []
    with warehouse.reading() as session:
        if sole := sorted({change.sole_reporter for change in changes if change.sole_reporter}):
            others = reads_changes.largest_sources(session, span, sole, ELSEWHERE)
            changes = credible(changes, reads_changes.told_days(session, span, others))
        else:
            changes = credible(changes, days)
        if not changes:
            return []
        facts = reads_sources.source_facts(session)
        seen = _seen(session, span, changes, days)
    named = {fact["source_key"]: fact for fact in facts.iter_rows(named=True)}
    led = leaders(changes, seen)
    return [
        _named(change, seen, named, [other for other in changes if led.get(other) == change])
        for change in changes
        if change not in led
    ]


def _seen(session: Connection, span: Scope, changes: Sequence[Change], days: pl.DataFrame) -> Seen:
    """The evidence on the domains where something was found."""
    whole = replace(span, domains=tuple(sorted({change.domain for change in changes})))
    near = replace(whole, since=min(change.started_on for change in changes) - BEFORE)
    sources = pl.DataFrame({name: [getattr(change, name) for change in changes] for name in ("domain", "source_key")})
    seen = Seen(
        days,
        with_own(reads_sources.source_signatures(session, near), "signing_domain"),
        with_own(reads_sources.source_envelopes(session, near), "spf_domain"),
        reads_changes.changed_addresses(session, whole, sources.unique()),
        policy_history(reads.policy_days(session, whole)),
        dns_edits_of(session, whole.domains),
    )
    return replace(seen, remarks=remarked(session, near, changes, seen))


def detect(days: pl.DataFrame, settings: DriftSettings, newest: date | None = None) -> list[Change]:
    """Every change of alignment in `days` (as reads_changes.told_days gives them), most messages first.

    `newest` is the last day looked at; the newest in the data where not given. Nothing is found in a
    source's usual noise, in changes of who reports or of how much is sent, or where mail is too little.
    """
    last = newest or _newest(days)
    if last is None:
        return []
    screen = screened(days, settings, last)
    near = days.join(screen.sources, on=["domain", "source_key"], how="semi")
    return credible(likely(find(near, settings, last), screen.questions, settings), days)


def _by_source(changes: Sequence[Change]) -> dict[Source, tuple[Change, ...]]:
    found = defaultdict[Source, list[Change]](list)
    for change in changes:
        found[change.domain, change.source_key].append(change)
    return {source: tuple(some) for source, some in found.items()}


def likely(found: Sequence[Change], questions: int, settings: DriftSettings) -> list[Change]:
    """Those that are no chance among so many questions, whoever tells of them."""
    bound = chance.discoveries([change.p_value for change in found], questions, settings.false_discovery)
    return [change for change in found if change.p_value <= bound]


def credible(changes: Sequence[Change], days: pl.DataFrame) -> list[Change]:
    """Those that do not hang on a reporter whose word does not hold elsewhere in `days`, most messages first."""
    kept = upheld(changes, days)
    kept = [replace(change, follows=_leader(change, kept)) for change in kept]
    return sorted(kept, key=lambda c: (-c.messages, c.domain, c.source_key, c.mechanism, c.started_on))


def _newest(rows: pl.DataFrame, column: str = "day") -> date | None:
    last = rows[column].max()
    return last if isinstance(last, date) else None


def _leader(change: Change, changes: Sequence[Change]) -> str | None:
    """The mechanism behind a change of dmarc: the one of its source that moved the same way at that time."""
    if change.mechanism != "dmarc":
        return None
    together = [
        other for other in changes if other.mechanism != "dmarc" and other.loss == change.loss and other.meets(change)
    ]
    together.sort(key=lambda other: (-abs(other.after - other.before), other.mechanism))
    return together[0].mechanism if together else None


def _named(change: Change, seen: Seen, known: dict[str, Fact], followers: Sequence[Change]) -> Drift:
    why = causes(change, seen)
    return Drift(
        domain=change.domain,
        source_key=change.source_key,
        name=_name(change.source_key, known),
        as_domain=known.get(change.source_key, {}).get("as_domain"),
        mechanism=change.mechanism,
        shape=change.shape,
        started_on=change.started_on,
        before=change.before,
        after=change.after,
        messages=change.messages,
        p_value=change.p_value,
        reporters=change.reporters,
        cause=why[0],
        ended_on=change.ended_on,
        latest=change.latest,
        follows=change.follows,
        causes=why,
        also_in=tuple(dict.fromkeys(_name(other.source_key, known) for other in followers)),
        started_between=change.started_between,
        before_range=change.before_range,
        after_range=change.after_range,
        per_week=change.per_week,
    )


def _name(source_key: str, known: dict[str, Fact]) -> str:
    fact = known.get(source_key, {})
    return fact.get("service") or fact.get("as_name") or source_key
