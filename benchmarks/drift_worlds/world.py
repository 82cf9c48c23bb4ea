"""One world: some sources over 120 days, what happened to them, and what only looks as if something had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAYS = 120
FIRST = date(2026, 3, 2)  # a Monday
MECHANISMS = ("dkim", "spf", "dmarc")
WEEKS = np.array(
    [
        [1.1, 1.1, 1.1, 1.0, 0.9, 0.1, 0.08],
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [0.9, 0.9, 0.9, 0.9, 1.0, 1.3, 1.3],
        [0.05, 3.0, 0.05, 0.05, 2.5, 0.02, 0.02],
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
    ]
)


@dataclass(frozen=True, slots=True)
class Event:
    """A source's rate by one mechanism went from `before` to `after`, from day `start` to day `end`.

    `messages` is the smaller count of both sides, `days` the smaller number of days with mail.
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


@dataclass(frozen=True, slots=True)
class World:
    """The reports of a world as reads.source_days gives them, and the truth."""

    frame: pl.DataFrame
    events: list[Event]
    sources: int


@dataclass(frozen=True, slots=True)
class Break:
    """What happens to one mechanism of a source: factors of its rate by day, and the turns between them."""

    factor: Floats
    turns: list[tuple[str, int, int]]


def world(seed: int) -> World:
    """The world of this number."""
    rng = np.random.default_rng(seed)
    reporters = _Reporters.of(rng)
    frames, events = [], list[Event]()
    sources = int(rng.integers(15, 40))
    for number in range(sources):
        frame, found = _source(f"source-{number}", reporters, rng)
        frames.append(frame)
        events += found
    return World(pl.concat(frames), events, sources)


@dataclass(frozen=True, slots=True)
class _Reporters:
    """Who reports: sizes, on which days (silent ones stop, new ones begin), and whose own checks fail."""

    size: Floats
    present: Floats
    fault: Floats
    odd: Floats

    @classmethod
    def of(cls, rng: np.random.Generator) -> _Reporters:
        count = int(rng.integers(4, 12))
        present, fault, odd = np.ones((count, DAYS)), np.zeros((count, DAYS)), np.zeros(count)
        if rng.random() < 0.5:
            present[rng.integers(count), rng.integers(20, 115) :] = 0
        if rng.random() < 0.4:
            new = rng.integers(count)
            present[new, : rng.integers(10, 110)] = 0
            odd[new] = rng.normal(-1, 0.7)
        if rng.random() < 0.4:
            start = int(rng.integers(10, 115))
            fault[rng.integers(count), start : start + int(rng.integers(3, 60))] = rng.uniform(0.3, 1)
        # Reports get lost, now and then.
        present *= rng.random((count, DAYS)) > 0.01
        return cls(rng.lognormal(0, 1.3, count), present, fault, odd)


def _source(key: str, reporters: _Reporters, rng: np.random.Generator) -> tuple[pl.DataFrame, list[Event]]:
    messages = _messages(reporters, rng)
    broken = [_broken(rng) if rng.random() < 0.2 else Break(np.ones(DAYS), []) for _ in range(2)]
    base = [float(rng.choice([0.999, 0.99, 0.95, 0.8, 0.5, 0.01], p=[0.4, 0.2, 0.1, 0.05, 0.05, 0.2])) for _ in broken]
    curves = [rate * part.factor for rate, part in zip(base, broken, strict=True)]
    dkim, spf = (
        rng.binomial(messages, _rates(rate, part.factor, reporters, rng) * (1 - reporters.fault * faulty))
        for rate, part, faulty in zip(base, broken, (1.0, float(rng.random() < 0.3)), strict=True)
    )
    # Messages fail one check independently of the other.
    either = dkim + rng.hypergeometric(spf, messages - spf, messages - dkim)
    curves.append(1 - (1 - curves[0]) * (1 - curves[1]))
    return _frame(key, messages, (either, dkim, spf)), _events(key, messages.sum(axis=0), broken, curves)


def _messages(reporters: _Reporters, rng: np.random.Generator) -> NDArray[np.int64]:
    """Messages by reporter and day: a week's rhythm, noise, growth, campaigns, and a life that begins or ends."""
    day = np.arange(DAYS)
    mean = np.exp(rng.uniform(np.log(2), np.log(5000))) * WEEKS[rng.integers(len(WEEKS))][day % 7]
    mean *= rng.lognormal(0, rng.uniform(0.1, 0.8), DAYS)
    if rng.random() < 0.3:
        mean *= np.exp(rng.uniform(-1.5, 1.5) * day / DAYS)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.3 else 0):
        start = rng.integers(DAYS)
        mean[start : start + rng.integers(1, 4)] *= rng.uniform(5, 50)
    if rng.random() < 0.15:
        mean[: rng.integers(10, 100)] = 0
    if rng.random() < 0.1:
        mean[rng.integers(20, 115) :] = 0
    share = reporters.size * (rng.random(reporters.size.size) < rng.uniform(0.3, 1))
    share = share if share.sum() else reporters.size
    moving = np.ones((share.size, DAYS))
    if rng.random() < 0.3:
        moving = np.exp(np.cumsum(rng.normal(0, 0.08, moving.shape), axis=1))
    parts = share[:, None] * moving
    counts: NDArray[np.int64] = rng.poisson(parts / parts.sum(axis=0) * mean * reporters.present)
    return counts


def _rates(rate: float, factor: Floats, reporters: _Reporters, rng: np.random.Generator) -> Floats:
    """Rates by reporter and day around one: noise by day (perhaps with memory), reporter, weekend; bad days."""
    count = reporters.size.size
    memory = float(rng.choice([0.0, rng.uniform(0.2, 0.6), rng.uniform(0.7, 0.92)], p=[0.65, 0.25, 0.1]))
    shock = rng.normal(0, rng.uniform(0, 0.8), DAYS)
    for at in range(1, DAYS):
        # The scatter is the same with memory as without; a long one makes rates wander for weeks.
        shock[at] = memory * shock[at - 1] + np.sqrt(1 - memory**2) * shock[at]
    logit = np.log(rate / (1 - rate)) + shock + reporters.odd[:, None]
    logit = logit + rng.normal(0, rng.uniform(0, 0.5), (count, 1)) + rng.normal(0, rng.uniform(0, 0.4), (count, DAYS))
    if rng.random() < 0.2:
        logit[:, np.arange(DAYS) % 7 >= 5] += rng.normal(0, 1)
    bad = np.where(rng.random(DAYS) < rng.uniform(0.01, 0.06), rng.uniform(0.2, 0.9, DAYS), 1.0)
    bad = bad if rng.random() < 0.25 else np.ones(DAYS)
    found: Floats = factor * bad / (1 + np.exp(-logit))
    return found


def _broken(rng: np.random.Generator) -> Break:
    factor = np.ones(DAYS)
    left = rng.uniform(0, 0.02) if rng.random() < 0.4 else rng.uniform(0.3, 0.92)
    kind = str(rng.choice(["step", "fresh step", "slide", "dip", "gain"], p=[0.35, 0.1, 0.25, 0.2, 0.1]))
    start = int(rng.integers(112, 117)) if kind == "fresh step" else int(rng.integers(10, 110))
    if kind in ("step", "fresh step"):
        factor[start:] = left
        return Break(factor, [(kind, start, start)])
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


def _events(key: str, messages: NDArray[np.int64], broken: list[Break], curves: list[Floats]) -> list[Event]:
    turns = [(at, turn) for at, part in enumerate(broken) for turn in part.turns]
    edges = [0, *sorted(start for _, (_, start, _) in turns), DAYS]
    found = []
    for at, (kind, start, end) in turns:
        begin = max(edge for edge in edges if edge < start or edge == 0)
        until = min(edge for edge in edges if edge > start)
        for mechanism in (at, 2):
            curve, late = curves[mechanism], slice(min(end, until - 1), until)
            before, after = float(curve[begin:start].mean()), float(curve[late].mean())
            sides = [messages[begin:start], messages[start:until]]
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
                )
            )
    return found


def _frame(key: str, messages: NDArray[np.int64], aligned: tuple[NDArray[np.int64], ...]) -> pl.DataFrame:
    reporter, day = np.nonzero(messages)
    either, dkim, spf = (part[reporter, day] for part in aligned)
    return pl.DataFrame(
        {
            "domain": ["example.com"] * day.size,
            "source_key": [key] * day.size,
            "day": [FIRST + timedelta(days=int(at)) for at in day],
            "reporter": [f"reporter-{at}" for at in reporter],
            "messages": messages[reporter, day],
            "aligned": either,
            "dkim_aligned": dkim,
            "spf_aligned": spf,
        },
        schema_overrides={"day": pl.Date, "reporter": pl.String},
    )
