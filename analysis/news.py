"""What else changed, beside alignment? One list: sources, volumes, forged mail, policy, selectors, reporters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis import selectors, volumes
from analysis.arrivals import Departure, appearing, coming, going
from analysis.cause import shown
from analysis.changes import FORGED_KIND, MISSED_KIND
from analysis.evidence import resting
from analysis.genuine import counted
from analysis.grounds import Grounds, facts, grounds, heard, hearing, spans_of
from analysis.history import policy_history
from analysis.keeping import keep, kept, kept_over, known
from analysis.reporters import Gap, gaps, late_by
from analysis.settings import AnalysisSettings, SourceSettings
from analysis.sources import kinds
from analysis.wording import count
from warehouse import reads, reads_changes, reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.kept import place
from warehouse.scope import Scope

KINDS = (
    "new_source",
    "vanished_source",
    "volume_spike",
    "volume_drop",
    "spoofing",
    "policy_change",
    "selector_change",
    "reporter_gap",
    "new_subdomain",
)
LASTING = ("volume_spike", "volume_drop", "spoofing", "reporter_gap")
FORGED = "forged"  # stands for all sources of forged mail of a domain together
WAVE = 100  # forged messages more than usual that are worth a word

KEY = ["domain", "source_key"]

When = tuple[date, date | None]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class News:
    """One change. What does not apply is None; `ended_on` is the last day of it, None while it goes on.

    `evidence` is a sentence of ours with numbers only. `subject` is text from reports (a selector, a domain, the
    tag of a record), to be shown as such: at most 120 characters and no control characters.
    """

    kind: str
    domain: str | None
    source_key: str | None
    as_domain: str | None
    reporter: str | None
    started_on: date
    ended_on: date | None
    messages: int
    evidence: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What reports tell, as the reads give it. `forged` and `missed` are the (domain, source_key) of forged mail, and
    of what somebody would miss.

    `reports` (reporter, day, messages) are of all domains, so that a quiet domain does not make a reporter
    silent. `late` is reads_changes.lateness by reporter, in days. `first` is as reads_sources.first_seen gives it.
    """

    days: pl.DataFrame
    from_days: pl.DataFrame
    signatures: pl.DataFrame
    policies: pl.DataFrame
    forged: frozenset[Key]
    missed: frozenset[Key]
    late: Mapping[str, float]
    reports: pl.DataFrame
    first: pl.DataFrame

    @property
    def spans(self) -> pl.DataFrame:
        """When each reporter reported on anything."""
        return spans_of(self.reports.filter(pl.col("messages") > 0))


@dataclass(frozen=True, slots=True)
class _Own:
    """What is new of the scope's domains up to `newest`; None where nothing is known of them."""

    newest: date | None
    news: tuple[News, ...]


def news(warehouse: Warehouse, scope: Scope, today: date, settings: AnalysisSettings) -> list[News]:
    """Everything of the scope's days, newest first. What is usual is told from the days before them.

    The answer is kept until the reports or the decisions about the domains change, or what it rests on beside them;
    which reporters fell silent is looked up anew after any report.
    """
    own = kept_over(
        warehouse,
        lambda session: place(
            session, "news of", scope, settings, resting_on(session, scope, today, settings), domains=scope.domains
        ),
        _Own,
        lambda: _own(warehouse, scope, today, settings),
    )
    if own.newest is None:
        return []
    with warehouse.reading() as session:
        quiet = silent(session, scope, own.newest, settings)
    return _sorted([*own.news, *quiet])


def silent(session: Connection, scope: Scope, newest: date, settings: AnalysisSettings) -> list[News]:
    """The silences on the scope's days, up to the newest, of reporters that tell of its domains."""
    span = counted(session, _span(scope, newest, settings))
    found = _silent(_of_theirs(session, span, silences(session, span)))
    return [one for one in found if _within(one, scope, newest)]


def resting_on(session: Connection, scope: Scope, today: date, settings: AnalysisSettings) -> Grounds:
    """What news of the scope rests on beside its domains' reports, the silences of reporters left out."""
    over = _over(scope, settings)
    told = resting(session, over, today, settings.sources)
    return grounds(session, scope.domains, told, hearing(session, counted(session, over)))


def _over(scope: Scope, settings: AnalysisSettings) -> Scope:
    """The days whose sources are judged. Without a last day it is that of the domains: any day may be looked at."""
    return _span(scope, scope.until, settings) if scope.until else Scope(scope.domains)


def _span(scope: Scope, newest: date, settings: AnalysisSettings) -> Scope:
    """The days that are looked at."""
    return Scope(scope.domains, (scope.since or newest) - timedelta(days=settings.drift.days), newest)


def _own(warehouse: Warehouse, scope: Scope, today: date, settings: AnalysisSettings) -> _Own:
    found = kinds(warehouse, _over(scope, settings), today, settings.sources)
    last = found["last_seen"].max()
    if not isinstance(last, date):
        return _Own(None, ())
    newest = scope.until or last
    fake, lost = (frozenset(found.filter(are_so).select(KEY).iter_rows()) for are_so in (FORGED_KIND, MISSED_KIND))
    with warehouse.reading() as session:
        span = counted(session, _span(scope, newest, settings))
        # Of people's decisions it rests on what they make of these two.
        parts = settings.sources, sorted(fake), sorted(lost), facts(session, scope.domains), hearing(session, span)
        asked = place(session, "news", scope.since, span, *parts, domains=scope.domains)
        if (kept := known(asked, _Own)) is not None:
            return kept
        told = _told(session, span, fake, lost)
    networks = {(domain, key): network for domain, key, network in found.select(*KEY, "as_domain").iter_rows()}
    named = [
        replace(one, as_domain=networks.get((one.domain or "", one.source_key or "")))
        for one in _of_domains(told, newest, settings.sources)
    ]
    result = _Own(newest, tuple(one for one in named if _within(one, scope, newest)))
    keep(asked, result)
    return result


def _told(session: Connection, mine: Scope, fake: frozenset[Key], lost: frozenset[Key]) -> Told:
    return Told(
        reads_changes.told_days(session, mine),
        reads_changes.from_days(session, mine),
        reads_sources.source_signatures(session, mine),
        reads.policy_days(session, mine),
        fake,
        lost,
        {},
        heard(session, mine),
        reads_sources.first_seen(session, mine),
    )


def silences(session: Connection, span: Scope) -> list[Gap]:
    """Every silence of a reporter within some days, by what it tells of whichever domain, oldest first."""
    wide = replace(span, domains=())
    assert span.until is not None
    newest = span.until
    return kept(
        place(session, "silences", wide),
        list[Gap],
        lambda: gaps(heard(session, wide), newest, late_by(reads_changes.lateness(session, wide))),
    )


def _of_theirs(session: Connection, span: Scope, found: Sequence[Gap]) -> Sequence[Gap]:
    """Silences of reporters that tell of the span's domains, and what is missing of those: their part of its mail."""
    if not span.domains or not found:
        return found
    asked = place(session, "told of", span, domains=span.domains)
    mine = kept(asked, dict[str, int], lambda: _messages(reads_changes.heard(session, span)))
    every = _messages(heard(session, span))
    parts = ((gap, mine[gap.reporter] / every[gap.reporter]) for gap in found if gap.reporter in mine)
    theirs = [replace(gap, missing=round(gap.missing * share)) for gap, share in parts]
    return [gap for gap in theirs if gap.missing]


def _messages(told: pl.DataFrame) -> dict[str, int]:
    return dict(told.group_by("reporter").agg(pl.col("messages").sum()).sort("reporter").iter_rows())


def _within(one: News, scope: Scope, newest: date) -> bool:
    return scope.since is None or _last(one, newest) >= scope.since


def _last(one: News, newest: date) -> date:
    """The last day on which it was news: what lasts is news while it lasts, the rest on the day it happened."""
    return (one.ended_on or newest) if one.kind in LASTING else one.started_on


def changes(told: Told, newest: date, settings: SourceSettings) -> list[News]:
    """The same from frames at hand, newest first."""
    quiet = _silent(gaps(told.reports, newest, told.late))
    return _sorted([*_of_domains(told, newest, settings), *quiet])


def _of_domains(told: Told, newest: date, settings: SourceSettings) -> list[News]:
    """The same without the reporters' silences, which are no domain's own."""
    gone = list(going(told.days, told.spans, newest, settings))
    found = [*_new(told, newest, settings), *_vanished(told, gone), *_volumes(told, gone, newest)]
    found += [*_forged(told, newest), *_policies(told)]
    return _sorted([*found, *_selectors(told, newest), *_subdomains(told, settings)])


def _sorted(found: Iterable[News]) -> list[News]:
    return sorted(found, key=order)


def order(one: News) -> tuple[int, int, int]:
    """What sorts news, newest first."""
    return -one.started_on.toordinal(), KINDS.index(one.kind), -one.messages


def _new(told: Told, newest: date, settings: SourceSettings) -> Iterable[News]:
    for one in coming(told.days, told.spans, told.first, newest, settings):
        if (one.domain, one.source_key) not in told.forged:
            aligned = f"{100 * one.aligned / max(1, one.messages):.0f} % of them aligned"
            said = f"{count(one.messages, 'message')} on {count(one.days, 'day')} since it was first seen, {aligned}."
            yield _of("new_source", one.domain, one.source_key, (one.day, None), (one.messages, said, ""))


def _vanished(told: Told, gone: Iterable[Departure]) -> Iterable[News]:
    for one in gone:
        if (one.domain, one.source_key) in told.missed:
            said = (
                f"It sent on {count(one.days, 'day')}, and not since; its longest pause was {count(one.pause, 'day')}."
            )
            yield _of("vanished_source", one.domain, one.source_key, (one.day, None), (one.messages, said, ""))


def _volumes(told: Told, left: Iterable[Departure], newest: date) -> Iterable[News]:
    gone = {(one.domain, one.source_key): one.day for one in left}
    for spell in volumes.spells(told.days, told.reports, newest):
        key = (spell.domain, spell.source_key)
        # One thing is told once: a source that fell silent is no drop, and forged mail is a wave of its domain.
        silent = not spell.up and key in gone and (spell.ended_on is None or spell.ended_on >= gone[key])
        if not silent and key not in told.forged:
            yield _spell("volume_spike" if spell.up else "volume_drop", spell, spell.source_key)


def _forged(told: Told, newest: date) -> Iterable[News]:
    named = pl.DataFrame(sorted(told.forged), schema={"domain": pl.String, "source_key": pl.String}, orient="row")
    together = told.days.join(named, on=["domain", "source_key"], how="semi").with_columns(source_key=pl.lit(FORGED))
    for volume in volumes.by_domain(together, told.reports, newest):
        for wave in volumes.waves(volume, FORGED, WAVE):
            yield _spell("spoofing", wave, None)


def _spell(kind: str, spell: volumes.Spell, source_key: str | None) -> News:
    said = f"{count(spell.messages, 'message')} where about {spell.usual:,} are usual on these days."
    more = abs(spell.messages - spell.usual)
    return _of(kind, spell.domain, source_key, (spell.started_on, spell.ended_on), (more, said, ""))


def _policies(told: Told) -> Iterable[News]:
    for edit in policy_history(told.policies):
        said = f"{count(edit.reporters, 'reporter')} saw the new value on the first days."
        subject = shown(f"{edit.tag}: {edit.before} → {edit.after}")
        yield _of("policy_change", edit.domain, None, (edit.day, None), (0, said, subject))


def _selectors(told: Told, newest: date) -> Iterable[News]:
    for one in selectors.turns(told.signatures, told.days, newest):
        verb = "was" if one.messages == 1 else "were"
        said = f"{count(one.messages, 'message')} {verb} signed by it"
        said += " since." if one.begins else " before, and none since."
        also = f"{count(one.also, 'other source')} {'shows' if one.also == 1 else 'show'}"
        said = f"Another selector took over on that day. {said}" if one.rotated else said
        said = f"{said} {also} it too." if one.also else said
        yield _of("selector_change", one.domain, one.source_key, (one.day, None), (one.messages, said, one.selector))


def _silent(found: Iterable[Gap]) -> Iterable[News]:
    for gap in found:
        unknown = (
            f"{count(gap.missing, 'message')} that it would have told of {'is' if gap.missing == 1 else 'are'} unknown"
        )
        said = f"About {unknown}; none of them counts as lost."
        one = _of("reporter_gap", None, None, (gap.started_on, gap.ended_on), (gap.missing, said, ""))
        yield replace(one, reporter=gap.reporter)


def _subdomains(told: Told, settings: SourceSettings) -> Iterable[News]:
    for one in appearing(told.from_days, settings):
        said = f"{count(one.messages, 'message')} since it was first seen in From, {one.aligned:,} of them aligned."
        yield _of("new_subdomain", one.domain, None, (one.day, None), (one.messages, said, one.source_key))


def _of(kind: str, domain: str | None, source_key: str | None, when: When, what: tuple[int, str, str]) -> News:
    messages, evidence, subject = what
    return News(kind, domain, source_key, None, None, *when, messages, evidence, shown(subject))
