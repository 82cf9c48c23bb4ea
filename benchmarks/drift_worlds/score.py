"""What was found of what happened, how far off the day was, and what was claimed that did not happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from analysis.settings import DriftSettings
from benchmarks.drift_worlds.alarms import Alarm
from benchmarks.drift_worlds.reporters import DAYS
from benchmarks.drift_worlds.truth import Event
from benchmarks.drift_worlds.world import World

SLACK = 10  # days that an alarm may be off and still mean the event
FELT = 0.01  # a change smaller than a point did not happen, as far as anyone can tell
PLAIN, DAILY = 0.3, 30  # the events that a tool must not miss: so many points, so many messages on most days
SOON = 3  # days after the first report that shows it
CERTAIN = 4.0  # standard errors from which an oracle could tell, at the false alarms that are allowed


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one event fared: `off` is the error of its first day; None where it was not found.

    `inside`: its first day is in the interval that was given."""

    event: Event
    off: int | None
    shape: str = ""
    soon: bool | None = None
    inside: bool | None = None


Subset = Callable[[Event], bool]


def plain(event: Event) -> bool:
    """A step of 30 points or more on a source with 30 messages on most days."""
    return event.kind != "slide" and event.size >= PLAIN and event.daily >= DAILY


def partial(event: Event) -> bool:
    """A slide, or a break of one server or selector of several, on such a source."""
    return event.daily >= DAILY and (event.kind == "slide" or event.size < PLAIN)


SUBSETS: dict[str, Subset] = {
    "steps of 30 points, 30 a day": plain,
    "slides, 30 a day": lambda e: e.kind == "slide" and e.daily >= DAILY,
    "steps below 30 points, 30 a day": lambda e: e.kind != "slide" and e.size < PLAIN and e.daily >= DAILY,
    "fewer than 30 a day": lambda e: e.daily < DAILY,
    "everything": lambda e: True,
}


@dataclass(slots=True)
class Score:
    """Sums over worlds. `early` are false drifts that were told at any of the looks before the last day."""

    outcomes: list[Outcome] = field(default_factory=list)
    false: int = 0
    early: int = 0
    looks: int = 0
    source_months: float = 0.0

    def add(self, world: World, alarms: list[Alarm], soon: dict[int, list[Alarm]] | None = None) -> None:
        """Count one world: the alarms of its last day, and those on earlier mornings (by day)."""
        self.source_months += world.sources * DAYS / 30
        for event in world.events:
            if told(event):
                self.outcomes.append(_outcome(event, alarms, soon))
        self.false += len(_distinct([a for a in alarms if not any(means(a, e) for e in world.events)]))
        for_all = [alarm for morning in (soon or {}).values() for alarm in morning]
        self.early += len(_distinct([a for a in for_all if not any(means(a, e) for e in world.events)]))
        self.looks += len(soon or {})

    def of(self, subset: Subset) -> list[Outcome]:
        """The outcomes of some events."""
        return [outcome for outcome in self.outcomes if subset(outcome.event)]

    def lines(self) -> list[str]:
        """The scores as text."""
        lines = [_line(name, self.of(subset)) for name, subset in SUBSETS.items()]
        for kind in sorted({outcome.event.kind for outcome in self.outcomes}):
            lines.append(_line(f"  of these: {kind}", self.of(lambda e, k=kind: e.kind == k)))  # type: ignore[misc]
        per = 200 / self.source_months
        lines.append(
            f"  false drifts per 200 source-months: {self.false * per:.2f} ({self.false} in {self.source_months:.0f})"
        )
        if self.looks:
            lines.append(f"  told on {self.looks} earlier mornings as well: {self.early * per:.2f} ({self.early})")
        return lines


def told(event: Event) -> bool:
    """Whether it is one to be found: as large, and with as much mail on both sides, as the settings ask for."""
    settings = DriftSettings()
    return event.size >= settings.points / 100 and event.messages >= settings.messages and event.days >= 3


def means(alarm: Alarm, event: Event) -> bool:
    """Whether an alarm can be taken to mean an event."""
    return (
        (alarm.source_key, alarm.mechanism) == (event.source_key, event.mechanism)
        and event.size >= FELT
        and alarm.up == (event.after > event.before)
        and event.start - SLACK <= alarm.start <= event.end + SLACK
    )


def share(hits: list[bool]) -> float:
    """The share of hits; NaN without any trial."""
    return float(np.mean(hits)) if hits else float("nan")


def _outcome(event: Event, alarms: list[Alarm], soon: dict[int, list[Alarm]] | None) -> Outcome:
    mine = [alarm for alarm in alarms if means(alarm, event)]
    nearest = min(mine, key=lambda alarm: abs(alarm.start - event.start), default=None)
    morning = None if soon is None else soon.get(event.reported + SOON)
    early = None if morning is None else any(means(alarm, event) for alarm in morning)
    if nearest is None:
        return Outcome(event, None, soon=early)
    inside = nearest.between and nearest.between[0] <= event.start <= nearest.between[1]
    return Outcome(event, nearest.start - event.start, nearest.shape, early, inside)


def _line(name: str, outcomes: list[Outcome]) -> str:
    off = [abs(outcome.off) <= 2 for outcome in outcomes if outcome.off is not None]
    soon = [outcome.soon for outcome in outcomes if outcome.soon is not None]
    inside = [outcome.inside for outcome in outcomes if outcome.inside is not None]
    oracle = [outcome.event.errors >= CERTAIN for outcome in outcomes]
    return (
        f"  {name:<32} found {len(off):>4} of {len(outcomes):>4} ({len(off) / max(1, len(outcomes)):6.1%}; "
        f"an oracle {share(oracle):6.1%}); first day within 2: {share(off):6.1%}"
        + (f"; in the interval: {share(inside):6.1%}" if inside else "")
        + (f"; within {SOON} days of the first report: {share(soon):6.1%}" if soon else "")
    )


def _distinct(alarms: list[Alarm]) -> list[Alarm]:
    """Alarms about one source within a week of each other are one to the person who reads them."""
    found = list[Alarm]()
    for alarm in sorted(alarms, key=lambda a: (a.source_key, a.start)):
        if not found or alarm.source_key != found[-1].source_key or alarm.start - found[-1].start > 7:
            found.append(alarm)
    return found
