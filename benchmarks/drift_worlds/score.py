"""What was found of what happened, how far off the day was, and what was claimed that did not happen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from analysis.settings import DriftSettings
from benchmarks.drift_worlds.alarms import Alarm
from benchmarks.drift_worlds.world import DAYS, Event, World

SLACK = 10  # days that an alarm may be off and still mean the event
FELT = 0.01  # a change smaller than a point did not happen, as far as anyone can tell


@dataclass(slots=True)
class Score:
    """Sums over worlds. `found` and `missed` count by kind of event; `off` are errors of the first day."""

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    off: dict[str, list[int]] = field(default_factory=dict)
    shapes: Counter[tuple[str, str]] = field(default_factory=Counter)
    false: int = 0
    false_losses: int = 0
    source_months: float = 0.0

    def add(self, world: World, alarms: list[Alarm]) -> None:
        """Count one world."""
        settings = DriftSettings()
        self.source_months += world.sources * DAYS / 30
        for event in world.events:
            if abs(event.after - event.before) >= settings.points / 100 and tellable(event, settings):
                self._event(event, [alarm for alarm in alarms if means(alarm, event)])
        wrong = [a for a in alarms if not any(means(a, e) for e in world.events)]
        self.false += _distinct(wrong)
        self.false_losses += _distinct([alarm for alarm in wrong if not alarm.up])

    def _event(self, event: Event, alarms: list[Alarm]) -> None:
        if not alarms:
            self.missed[event.kind] += 1
            return
        nearest = min(alarms, key=lambda alarm: abs(alarm.start - event.start))
        self.found[event.kind] += 1
        self.off.setdefault(event.kind, []).append(nearest.start - event.start)
        self.shapes[event.kind, nearest.shape] += 1

    def lines(self) -> list[str]:
        """The scores as text."""
        lines = []
        for kind in sorted({*self.found, *self.missed}):
            off = np.abs(self.off.get(kind, [DAYS]))
            total = self.found[kind] + self.missed[kind]
            slides = self.shapes[kind, "slide"] / max(1, self.found[kind])
            lines.append(
                f"  {kind:<11} found {self.found[kind]:>4} of {total:>4} ({self.found[kind] / total:6.1%}); first day "
                f"within 2: {np.mean(off <= 2):6.1%}, median off by {np.median(off):4.1f}; called slides {slides:6.1%}"
            )
        found, missed = self.found.total(), self.missed.total()
        per = 200 / self.source_months
        lines.append(
            f"  all         found {found:>4} of {found + missed:>4} ({found / max(1, found + missed):6.1%}); "
            f"false drifts per 200 source-months: {self.false * per:.2f} "
            f"({self.false} in {self.source_months:.0f} source-months; losses {self.false_losses * per:.2f})"
        )
        return lines


def tellable(event: Event, settings: DriftSettings) -> bool:
    """Whether there is as much mail on both sides as the settings ask for, on three days at least."""
    return event.messages >= settings.messages and event.days >= 3


def means(alarm: Alarm, event: Event) -> bool:
    """Whether an alarm can be taken to mean an event."""
    return (
        (alarm.source_key, alarm.mechanism) == (event.source_key, event.mechanism)
        and abs(event.after - event.before) >= FELT
        and alarm.up == (event.after > event.before)
        and event.start - SLACK <= alarm.start <= event.end + SLACK
    )


def _distinct(alarms: list[Alarm]) -> int:
    """Alarms about one source within a week of each other are one to the person who reads them."""
    count, last = 0, ("", -DAYS)
    for alarm in sorted(alarms, key=lambda a: (a.source_key, a.start)):
        if alarm.source_key != last[0] or alarm.start - last[1] > 7:
            count += 1
        last = (alarm.source_key, alarm.start)
    return count
