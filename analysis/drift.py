"""What changed, and when? A source's alignment before and after a day, tested against chance."""

from __future__ import annotations

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
from analysis.closing import Looked, first_day, look, opened, size, spanned
from analysis.dns_edits import dns_edits_of
from analysis.downstream import leaders
from analysis.faults import ELSEWHERE, upheld
from analysis.genuine import counted, excluded
from analysis.grounds import dns, facts
from analysis.history import policy_history
from analysis.keeping import kept_over
from analysis.remarks import remarked
from analysis.screening import asked, summed
from analysis.searched import KEY, Searched, Source
from analysis.series import MECHANISMS
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
        searched = _Search.of(session, replace(span, since=first_day(settings, last)), settings, last)
    changes = searched.changes(settings, last)
    if not changes:
        return []
    with warehouse.reading() as session:
        if sole := sorted({change.sole_reporter for change in changes if change.sole_reporter}):
            others = reads_changes.largest_sources(session, span, sole, ELSEWHERE)
            changes = credible(changes, reads_changes.told_days(session, span, others))
        else:
            changes = credible(changes)
        if not changes:
            return []
        facts = reads_sources.source_facts(session, sorted({change.source_key for change in changes}))
        seen = _seen(session, span, changes)
    named = {fact["source_key"]: fact for fact in facts.iter_rows(named=True)}
    led = leaders(changes, seen)
    return [
        _named(change, last, seen, named, [other for other in changes if led.get(other) == change])
        for change in changes
        if change not in led
    ]


@dataclass(frozen=True, slots=True)
class _Search:
    """The sources that may have changed, what is known of them, and the days of those of which nothing is.

    `books` is as reads_changes.books gives them, of those that have mail enough; `questions` are put altogether.
    """

    memory: Searched[Looked]
    books: pl.DataFrame
    questions: int
    left: pl.DataFrame

    @classmethod
    def of(cls, session: Connection, scope: Scope, settings: DriftSettings, newest: date) -> _Search:
        """What a session tells of a scope's sources; its days are those that may count."""
        sources = opened(reads_changes.sources(session, scope, 2 * settings.messages), settings, newest)
        books = reads_changes.books(session, scope, sources)
        put = asked(books, settings)
        books = books.join(put, on=KEY)
        memory = Searched(place(session, "searched", settings, lasting=True), Looked)
        left = memory.left(_states(books, "state"))
        wanted = books.join(pl.DataFrame(left, schema=dict.fromkeys(KEY, pl.String), orient="row"), on=KEY)
        days = reads_changes.told_days(session, scope, wanted).join(wanted.select(*KEY, "first"), on=KEY)
        return cls(memory, books, _questions(put), days)

    def changes(self, settings: DriftSettings, newest: date) -> list[Change]:
        """The changes that are no chance among so many questions, whoever tells of them."""
        states, past = _states(self.books, "state"), _states(self.books, "past")
        found = look(self.left, settings, {one: past[one] for one in self.memory.left(states)}, self.memory.before)
        told = self.memory.updated(states, found, newest)
        return likely([change for one in told.values() for change in one.changes], self.questions, settings, newest)


def _states(books: pl.DataFrame, column: str) -> dict[Source, str]:
    return {(domain, key): state for domain, key, state in books.select(*KEY, column).iter_rows()}


def _questions(put: pl.DataFrame) -> int:
    return sum(int(put[name].sum()) for name in MECHANISMS)


def _seen(session: Connection, span: Scope, changes: Sequence[Change]) -> Seen:
    """The evidence on the domains where something was found."""
    whole = replace(span, domains=tuple(sorted({change.domain for change in changes})))
    near = replace(whole, since=min(change.started_on for change in changes) - BEFORE)
    sources = pl.DataFrame({name: [getattr(change, name) for change in changes] for name in KEY}).unique()
    signatures, envelopes = (
        read(session, near).join(sources, on=KEY, how="semi")
        for read in (reads_sources.source_signatures, reads_sources.source_envelopes)
    )
    seen = Seen(
        reads_changes.told_days(session, span, sources),
        with_own(signatures, "signing_domain"),
        with_own(envelopes, "spf_domain"),
        reads_changes.changed_addresses(session, whole, sources),
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
    days = spanned(days, settings, last)
    put = asked(summed(days, size(settings)), settings)
    found = look(days, settings, dict.fromkeys(put.select(KEY).iter_rows(), ""))
    changes = [change for _, one in sorted(found.items()) for change in one.changes]
    return credible(likely(changes, _questions(put), settings, last), days)


def likely(found: Sequence[Change], questions: int, settings: DriftSettings, newest: date) -> list[Change]:
    """Those of the days looked back over that are no chance among so many questions, whoever tells of them."""
    first = newest - timedelta(days=settings.days - 1)
    recent = [change for change in found if change.started_on > first]
    bound = chance.discoveries([change.p_value for change in recent], questions, settings.false_discovery)
    return [change for change in recent if change.p_value <= bound]


def credible(changes: Sequence[Change], days: pl.DataFrame | None = None) -> list[Change]:
    """Those that do not hang on a reporter whose word does not hold elsewhere in `days`, most messages first."""
    kept = list(changes) if days is None else upheld(changes, days)
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


def _named(change: Change, newest: date, seen: Seen, known: dict[str, Fact], followers: Sequence[Change]) -> Drift:
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
        latest=change.latest(newest),
        follows=change.follows,
        causes=why,
        also_in=tuple(dict.fromkeys(_name(other.source_key, known) for other in followers)),
        started_between=change.started_between,
        before_range=change.before_range,
        after_range=change.after_range,
        per_week=change.per_week(newest),
    )


def _name(source_key: str, known: dict[str, Fact]) -> str:
    fact = known.get(source_key, {})
    return fact.get("service") or fact.get("as_name") or source_key
