"""What happened to a source, and what somebody who knows everything but the answer could tell of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.drift_worlds.reporters import DAYS, Floats, Ints

MECHANISMS = ("dkim", "spf", "dmarc")


@dataclass(frozen=True, slots=True)
class Event:
    """A source's rate by one mechanism went from `before` to `after`, from day `start` to day `end`.

    `messages` is the smaller count of both sides, `days` the smaller number of days with mail, and `daily` the
    median day's messages in the four weeks around it. `reported` is the day on which the first report that
    shows it is there. `errors` is the size of the change in standard errors for an oracle: it is told the
    day, both levels, the mail, and how much and how long the rate is restless.
    """

    source_key: str
    mechanism: str
    kind: str
    start: int
    end: int
    before: float
    after: float
    messages: int
    days: int
    daily: float
    reported: int
    errors: float

    @property
    def size(self) -> float:
        """How far the rate moved."""
        return abs(self.after - self.before)


@dataclass(frozen=True, slots=True)
class Break:
    """What happens to one mechanism of a source: factors of its rate by day, and the turns between them."""

    factor: Floats
    turns: list[tuple[str, int, int]]


def broken(rng: np.random.Generator) -> Break:
    """A step, a fresh step, a slide, a dip that recovers, or a repair; whole or in part."""
    factor = np.ones(DAYS)
    whole = rng.random() < 0.4
    left = rng.uniform(0, 0.02) if whole else rng.uniform(0.3, 0.92)
    kind = str(rng.choice(["step", "fresh step", "slide", "dip", "gain"], p=[0.35, 0.1, 0.25, 0.2, 0.1]))
    start = int(rng.integers(112, 117)) if kind == "fresh step" else int(rng.integers(10, 110))
    if kind in ("step", "fresh step"):
        factor[start:] = left
        return Break(factor, [(kind if whole or kind != "step" else "partial", start, start)])
    if kind == "gain":
        factor[:start] = left
        return Break(factor, [(kind, start, start)])
    if kind == "dip":
        end = min(DAYS, start + int(rng.integers(7, 45)))
        factor[start:end] = left
        return Break(factor, [(kind, start, start)] + ([("recovery", end, end)] if end < DAYS else []))
    start = int(rng.integers(10, 85))
    end = start + int(rng.integers(14, 60))
    factor = 1 - (1 - left) * np.clip((np.arange(DAYS) - start + 1) / (end - start), 0, 1)
    return Break(factor, [(kind, start, min(end, DAYS - 1))])


def events(
    key: str, told: Ints, breaks: list[Break], base: list[float], scatter: list[tuple[Floats, float]]
) -> list[Event]:
    """The turns of a source as events of the mechanism itself and of dmarc."""
    curves = [rate * part.factor for rate, part in zip(base, breaks, strict=True)]
    curves.append(1 - (1 - curves[0]) * (1 - curves[1]))
    turns = [(at, turn) for at, part in enumerate(breaks) for turn in part.turns]
    edges = [0, *sorted(start for _, (_, start, _) in turns), DAYS]
    found = []
    for at, (kind, start, end) in turns:
        begin = max(edge for edge in edges if edge < start or edge == 0)
        until = min(edge for edge in edges if edge > start)
        sides = [told[0, begin:start], told[0, start:until]]
        around = told[0, max(0, start - 14) : start + 14]
        for mechanism in (at, 2):
            curve, late = curves[mechanism], slice(min(end, until - 1), until)
            # What else moves meanwhile is another event's, so a step is what happens on its day.
            before, after = float(curve[start - 1]), float(curve[late].mean() if end > start else curve[start])
            found.append(
                Event(
                    key,
                    MECHANISMS[mechanism],
                    kind,
                    start,
                    end,
                    before,
                    after,
                    int(min(side.sum() for side in sides)),
                    int(min((side > 0).sum() for side in sides)),
                    float(np.median(around)),
                    int(told[1, start:until].min()),
                    _errors(told[0], curve, scatter[mechanism], (begin, start, until)),
                )
            )
    return found


def _errors(messages: Ints, curve: Floats, scatter: tuple[Floats, float], days: tuple[int, int, int]) -> float:
    """The mean change over its error: counting, the true scatter of the days, and their memory."""
    begin, start, until = days
    rate, memory = scatter
    off = [(rate - curve)[part][messages[part] > 0] for part in (slice(begin, start), slice(start, until))]
    restless = float(np.mean([np.var(side) for side in off])) if all(side.size for side in off) else 0.0
    variance = np.maximum(curve * (1 - curve), 1e-4) / np.maximum(messages, 1) + restless
    weight = np.where(messages > 0, 1 / variance, 0.0)
    early, late = slice(begin, start), slice(start, until)
    if not weight[early].sum() or not weight[late].sum():
        return 0.0
    levels = [float(weight[part] @ curve[part] / weight[part].sum()) for part in (early, late)]
    error = 1 / weight[early].sum() + 1 / weight[late].sum()
    return abs(levels[1] - levels[0]) / float(np.sqrt(error * (1 + memory) / (1 - memory)))
