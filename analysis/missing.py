"""How many of our senders are likely still unseen, domain by domain, and until when to wait for them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil

from analysis.genuine import counted
from analysis.sources import Source, each
from analysis.unseen import TURN, unseen
from analysis.wording import count
from warehouse import reads_sources
from warehouse.connect import Warehouse
from warehouse.scope import Scope

OURS = ("aligned", "misaligned")
QUARTER = 92  # days that hold the end of a quarter
LONGEST = 365  # days beyond which waiting is no plan


TOLD = 5  # domains of which something is said, where many are asked about


@dataclass(frozen=True, slots=True)
class Missing:
    """What `unseen.Unseen` says of one domain, with the day until which to wait (None: no longer), as a sentence too.

    `low` and `high` are whole senders, `sentence` is made of numbers and dates alone.
    """

    domain: str
    seen: int
    days: int
    expected: float
    low: int
    high: int
    coverage: float
    month_end: bool
    quarter_end: bool
    wait_until: date | None
    sentence: str


def missing(warehouse: Warehouse, scope: Scope, found: Sequence[Source]) -> list[Missing]:
    """The estimate for each domain with sources among `found`, which are those of the scope; the largest first."""
    with warehouse.reading() as connection:
        scope = counted(connection, scope)
        since = scope.since and scope.since - timedelta(days=QUARTER)
        days = reads_sources.reported_days(connection, replace(scope, since=since))
    reported: dict[str, list[date]] = {}
    for domain, day in days.iter_rows():
        reported.setdefault(domain, []).append(day)
    return estimated(found, reported, scope)


def estimated(found: Sequence[Source], reported: Mapping[str, Sequence[date]], scope: Scope) -> list[Missing]:
    """The same from the days with reports of each domain, which may begin before the scope's."""
    mine: dict[str, list[int]] = {}
    for domain, kind, decided, days in each(found, "domain", "kind", "decided", "days"):
        own = mine.setdefault(domain, [])
        if kind in OURS and decided != "retired":
            own.append(days)
    return [_estimate(domain, days, reported[domain], scope) for domain, days in mine.items() if reported.get(domain)]


def sentences(found: Sequence[Missing]) -> list[str]:
    """What to say of some domains: of one its sentence, of many those in which somebody is waited for."""
    if len(found) == 1:
        return [found[0].sentence]
    waiting = sorted((one for one in found if one.expected >= 1), key=lambda one: -one.expected)
    told = [f"{one.domain}: {one.sentence}" for one in waiting[:TOLD]]
    if len(waiting) > TOLD:
        told.append(f"In {count(len(waiting) - TOLD, 'more domain')} senders are likely still unseen.")
    turns = [one.wait_until for one in found if one.expected < 1 and not one.month_end and one.wait_until]
    if turns:
        until = max(turns)
        told.append(
            f"In {count(len(turns), 'domain')} no end of a month was reported on, so what is sent once a month may "
            f"still be unseen; wait until {until.day} {until:%B %Y}."
        )
    return told or ["Hardly any sender of yours is likely still unseen."] * bool(found)


def _estimate(domain: str, active: Sequence[int], reported: Sequence[date], scope: Scope) -> Missing:
    judged = [day for day in reported if scope.since is None or day >= scope.since]
    one = unseen(active, len(judged), reported)
    last = max(reported)
    until = _wait(last, one.more_days, month_end=one.month_end)
    low, high = ceil(one.low), ceil(one.high)
    return Missing(
        domain, one.seen, one.days, round(max(one.expected, 0.0), 1), low, high, round(one.coverage, 4), one.month_end,
        one.quarter_end, until, _sentence(one.seen, one.expected, (low, high), until, month_end=one.month_end),
    )  # fmt: skip


def _wait(last: date, more: int | None, *, month_end: bool) -> date | None:
    """The day until which to wait, from the last day with reports on."""
    ends = [last + timedelta(days=min(more, LONGEST))] if more else []
    if not month_end:
        turn = last.replace(day=monthrange(last.year, last.month)[1])
        ends.append(turn + timedelta(days=TURN))
    return max(ends, default=None)


def _sentence(seen: int, expected: float, ends: Collection[int], until: date | None, *, month_end: bool) -> str:
    wait = f"wait until {until.day} {until:%B %Y}" if until else ""
    if not seen:
        return "No sender of yours was seen, so nothing tells how many there are."
    if expected < 1:
        if month_end:
            return "Hardly any sender of yours is likely still unseen."
        return f"No end of a month was reported on, so what is sent once a month may still be unseen; {wait}."
    about = count(round(expected), "more sender")
    low, high = ends
    verb = "is" if round(expected) == 1 else "are"
    told = f"About {about} of yours {verb} likely still unseen ({low:,} to {high:,})"
    return f"{told}; {wait}." if wait else f"{told}."
