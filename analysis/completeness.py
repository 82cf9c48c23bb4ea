"""How much of the newest days is known? Reports on a day come for a day or two after it, each at its own hour."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from analysis.genuine import counted
from warehouse import reads, reads_changes
from warehouse.connect import Warehouse
from warehouse.scope import Scope

NEWEST = 3  # days up to today that reports are still expected on
USUAL = 28  # days before them, that tell who reports how much
BAND = 1.64  # standard deviations: 90 % of a normal variable are within
COMPLETE = 0.95  # share from which a day is as good as whole
MOST = 6  # sentences about newest days
LATEST = 72.0  # hours after which a reporter of unknown habits is not waited for any more

Waits = Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Completeness:
    """The share of a domain's mail of one day that is told already: expected, and the bounds at 90 %.

    `waiting` are the reporters that are as likely as not to report on it still, those with most mail first.
    """

    domain: str
    day: date
    share: float
    low: float
    high: float
    waiting: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether it may be read as a whole day."""
        return self.low >= COMPLETE


@dataclass(frozen=True, slots=True)
class _Due:
    """A reporter that has not reported yet: how likely it still will, and how many messages it then tells of."""

    reporter: str
    chance: float
    messages: float


def of_domains(warehouse: Warehouse, scope: Scope, now: datetime) -> list[Completeness]:
    """The newest days of the scope's domains, oldest first; none where the scope ends before them."""
    today = now.astimezone(UTC).date()
    since, until = today - timedelta(days=NEWEST + USUAL - 1), min(scope.until or today, today)
    if until <= today - timedelta(days=NEWEST):
        return []
    with warehouse.reading() as session:
        span = counted(session, Scope(scope.domains, since, until))
        sent, waits = reads.reporter_days(session, span), reads_changes.waits(session, span)
    return completeness(sent, waits, now, until)


def completeness(sent: pl.DataFrame, waits: pl.DataFrame, now: datetime, until: date) -> list[Completeness]:
    """The same from frames at hand: `sent` as reads.reporter_days, `waits` as reads_changes.waits gives it."""
    today, hours = now.astimezone(UTC).date(), _hours(waits)
    first = today - timedelta(days=NEWEST - 1)
    found = list[Completeness]()
    for (domain,), part in sorted(sent.partition_by("domain", as_dict=True).items()):
        before = part.filter((pl.col("day") < first) & (pl.col("day") >= first - timedelta(days=USUAL)))
        usual = before.group_by("reporter").agg(pl.col("messages").sum(), pl.col("day").n_unique().alias("days"))
        for day in (first + timedelta(days=at) for at in range((until - first).days + 1)):
            told = part.filter(pl.col("day") == day)
            age = (now.astimezone(UTC) - datetime.combine(day, time(), UTC)).total_seconds() / 3600
            absent = usual.filter(~pl.col("reporter").is_in(told["reporter"].to_list()))
            due = [
                _Due(name, _still(days / USUAL, _by_then(hours.get(name, hours.get("", {})), age)), messages / days)
                for name, messages, days in absent.select("reporter", "messages", "days").iter_rows()
            ]
            if told.height or due:
                found.append(_of(str(domain), day, int(told["messages"].sum()), due))
    return sorted(found, key=lambda one: (one.day, one.domain))


def _of(domain: str, day: date, known: int, due: Sequence[_Due]) -> Completeness:
    expected = sum(one.chance * one.messages for one in due)
    spread = BAND * math.sqrt(sum(one.chance * (1 - one.chance) * one.messages**2 for one in due))
    most = sum(one.messages for one in due if one.chance)

    def share(missing: float) -> float:
        return known / (known + missing) if known + missing else 0.0

    waiting = sorted((one for one in due if one.chance >= 0.5), key=lambda one: (-one.messages, one.reporter))
    return Completeness(
        domain,
        day,
        share(expected),
        share(min(most, expected + spread)),
        share(max(0.0, expected - spread)),
        tuple(one.reporter for one in waiting),
    )


def _still(habit: float, came: float) -> float:
    """How likely a report still comes, by Bayes: it comes on so many days, and by this hour mostly has."""
    return habit * (1 - came) / max(1e-9, 1 - habit * came)


def _by_then(waits: Mapping[int, int], age: float) -> float:
    """The share of a reporter's reports that had come at this age of their day."""
    total = sum(waits.values())
    if not total:
        return float(age >= LATEST)
    return sum(count for hour, count in waits.items() if hour < age) / total


def _hours(waits: pl.DataFrame) -> Waits:
    """By reporter, and '' for all of them together: reports by the hour at which they came."""
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for reporter, hour, reports in waits.select("reporter", "hour", "reports").iter_rows():
        found[reporter][hour] += reports
        found[""][hour] += reports
    return found


def incomplete(found: Sequence[Completeness]) -> list[Completeness]:
    """The days that are not whole yet, newest first, a few at the most."""
    return sorted((one for one in found if not one.complete), key=lambda one: one.day, reverse=True)[:MOST]


def so_far(found: Sequence[Completeness]) -> list[str]:
    """A sentence for each of the `incomplete` days; domains are named in them."""
    return [
        f"{one.domain} on {one.day.day} {one.day:%b %Y}: about {100 * one.share:.0f} % of the reported mail is in "
        f"so far ({100 * one.low:.0f} to {100 * one.high:.0f} %)."
        for one in incomplete(found)
    ]
