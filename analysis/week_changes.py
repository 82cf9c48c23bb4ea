"""What is news in a week: what it shows and the week before did not show yet, and what moved the domains' rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import polars as pl

from analysis import apart
from analysis.decomposition import decomposed
from analysis.drift import Drift, drifts
from analysis.genuine import counted
from analysis.grounds import Grounds
from analysis.news import News, news, order, resting_on, silent
from analysis.settings import AnalysisSettings
from analysis.sources import Source, by_domain, sources
from warehouse import reads_changes
from warehouse.connect import Connection, Warehouse
from warehouse.scope import Scope

WEEK: Final = timedelta(days=7)
SAME: Final = timedelta(days=14)  # two looks at one thing may tell its first day differently by so much
BACK: Final = timedelta(days=28)  # looked back over before the week: silence is told of late
GAP: Final = "reporter_gap"
SILENCE: Final = ("vanished_source", GAP)
WORTH, TOUCHED = 2.0, 50  # points, and messages, from which it is worth a word that a week's rate moved


@dataclass(frozen=True, slots=True)
class Moved:
    """A domain whose rate moved from the week before to this one, as shares, and what that is made of in words.

    The words may hold a reporter's name, which is text from reports: to be shown as such.
    """

    domain: str
    before: float
    after: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One change, and what its source is called; "" where it is about none."""

    news: News
    name: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """What rests on the reports about the scope's domains: all but silent reporters, whom any report may wake.

    `new` are the (domain, source_key) of new sources, `changed` is what changed beside alignment and these.
    """

    new: tuple[tuple[str, str], ...] = ()
    drifts: tuple[Drift, ...] = ()
    changed: tuple[Changed, ...] = ()
    moved: tuple[Moved, ...] = ()


def fresh(
    warehouse: Warehouse,
    week: Scope,
    as_of: date,
    settings: AnalysisSettings,
    found: Sequence[Source],
    known: Sequence[Drift],
) -> Fresh:
    """What is news in a week, of which both ends are given; `found` are its sources, `known` the drifts to its end."""
    assert week.since is not None
    if not found:
        return Fresh()  # a week without mail shows nothing, least of all what came later
    every = sources(warehouse, replace(week, since=week.since - BACK), as_of, settings.sources)
    names = {(one.domain, one.source_key): one.name for one in every}
    told = _changed(warehouse, week, as_of, settings)
    new = {(one.domain, one.source_key) for one in told if one.kind == "new_source"}
    return Fresh(
        new=tuple((one.domain, one.source_key) for one in found if (one.domain, one.source_key) in new),
        drifts=_drifted(warehouse, week, known, settings),
        changed=tuple(
            Changed(one, names.get((one.domain or "", one.source_key or ""), one.source_key or ""))
            for one in told
            if one.kind not in ("new_source", GAP)
        ),
        moved=tuple(_moved(warehouse, week, every, known)),
    )


def rests_on(session: Connection, week: Scope, as_of: date, settings: AnalysisSettings) -> Grounds:
    """What `fresh` rests on beside the reports about the week's domains, its sources and the drifts."""
    return tuple(resting_on(session, scope, day, settings) for scope, day in _looks(week, as_of))


def with_silent(
    warehouse: Warehouse, week: Scope, as_of: date, settings: AnalysisSettings, others: Sequence[Changed]
) -> tuple[Changed, ...]:
    """What changed, and the reporters that fell silent, newest first."""
    assert week.since is not None
    with warehouse.reading() as session:
        now, then = (silent(session, scope, scope.until or as_of, settings) for scope, _ in _looks(week, as_of))
    gaps = (Changed(one, "") for one in _unseen(now, then, week.since))
    return tuple(sorted([*others, *gaps], key=lambda one: order(one.news)))


def _looks(week: Scope, as_of: date) -> tuple[tuple[Scope, date], ...]:
    """The days that are looked at, and as of which day: now, and a week ago.

    What began on a week's last days could not be told then, and silence only weeks later, so both look back further.
    """
    assert week.since is not None
    assert week.until is not None
    before = replace(week, since=week.since - BACK - WEEK, until=week.until - WEEK)
    return (replace(week, since=week.since - BACK), as_of), (before, min(as_of, week.since))


def _changed(warehouse: Warehouse, week: Scope, as_of: date, settings: AnalysisSettings) -> tuple[News, ...]:
    """What else changed and the week before did not show yet, the newest first."""
    assert week.since is not None
    now, then = (news(warehouse, scope, day, settings) for scope, day in _looks(week, as_of))
    return _unseen(now, then, week.since)


def _unseen(now: Sequence[News], then: Sequence[News], monday: date) -> tuple[News, ...]:
    """Those of the first, but what began long before that Monday, of which the second do not tell."""
    told: dict[tuple[object, ...], list[date]] = {}
    for one in then:
        told.setdefault(_what(one), []).append(one.started_on)
    return tuple(
        one
        for one in now
        if (one.kind in SILENCE or one.started_on >= monday - WEEK)
        and not any(abs(one.started_on - day) <= SAME for day in told.get(_what(one), ()))
    )


def _what(one: News) -> tuple[object, ...]:
    return one.kind, one.domain, one.source_key, one.reporter, one.subject


def _drifted(
    warehouse: Warehouse, week: Scope, known: Sequence[Drift], settings: AnalysisSettings
) -> tuple[Drift, ...]:
    """The drifts, of those `known` as of the week's end, that the week before did not show yet."""
    assert week.until is not None
    then = drifts(warehouse, Scope(week.domains, None, week.until - WEEK), settings.drift)
    # A source may have lost alignment and won it back: each of the two is told once.
    told: dict[tuple[str, str, str], list[date]] = {}
    for one in then:
        told.setdefault((one.domain, one.source_key, one.mechanism), []).append(one.started_on)
    return tuple(
        one
        for one in known
        if not any(
            abs(one.started_on - day) <= SAME for day in told.get((one.domain, one.source_key, one.mechanism), ())
        )
    )


def _moved(warehouse: Warehouse, week: Scope, found: Sequence[Source], known: Sequence[Drift]) -> Iterator[Moved]:
    """What moved each domain's rate since the week before, where that is worth a word; the most mail first."""
    assert week.since is not None
    assert week.until is not None
    early, late = (week.since - WEEK, week.since - timedelta(days=1)), (week.since, week.until)
    with warehouse.reading() as session:
        days = reads_changes.told_days(session, counted(session, replace(week, since=early[0])))
    mail = days.filter(pl.col("day") >= week.since).group_by("domain").agg(pl.col("messages").sum())
    parts, mine = days.partition_by("domain", as_dict=True), by_domain(found)
    for domain, messages in mail.sort(["messages", "domain"], descending=[True, False]).iter_rows():
        split = decomposed(parts[domain,], domain, "dmarc", early, late)
        if split and abs(split.points) >= WORTH and abs(split.points) / 100 * messages >= TOUCHED:
            said = apart.sentence(split, apart.parts(split, mine.get(domain, ()), known))
            yield Moved(domain, split.before, split.after, said)
