"""One world: some sources over 120 days, what happened to them, and what only looks as if something had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from benchmarks.drift_worlds.mail import Mail, Noise, holidays, mail, noise, rates
from benchmarks.drift_worlds.reporters import DAYS, Floats, Ints, Reporters
from benchmarks.drift_worlds.truth import Break, Event, broken, events

FIRST = date(2026, 3, 2)  # a Monday


@dataclass(frozen=True, slots=True)
class World:
    """The reports of a world as reads.source_days gives them (and `arrived`), and the truth."""

    frame: pl.DataFrame
    events: list[Event]
    sources: int

    def known(self, day: int) -> pl.DataFrame:
        """What is there on the morning of a day."""
        return self.frame.filter(pl.col("arrived") <= day).drop("arrived")


def world(seed: int) -> World:
    """The world of this number."""
    rng = np.random.default_rng(seed)
    reporters, rest = Reporters.of(rng), holidays(rng)
    frames, found = [], list[Event]()
    sources = int(rng.integers(15, 40))
    for number in range(sources):
        frame, happened = _source(f"source-{number}", reporters, rest, rng)
        frames.append(frame)
        found += happened
    return World(pl.concat(frames), found, sources)


def _source(key: str, reporters: Reporters, rest: Floats, rng: np.random.Generator) -> tuple[pl.DataFrame, list[Event]]:
    sent = mail(reporters, rest, rng)
    breaks = [broken(rng) if rng.random() < 0.2 else Break(np.ones(DAYS), []) for _ in range(2)]
    base = [float(rng.choice([0.999, 0.99, 0.95, 0.8, 0.5, 0.01], p=[0.4, 0.2, 0.1, 0.05, 0.05, 0.2])) for _ in breaks]
    unrest = [noise(reporters, rng) for _ in breaks]
    faulty = (1.0, float(rng.random() < 0.3))
    expected = [
        rates(*parts[:2], float(rng.random() < 0.3), sent, parts[2]) * (1 - reporters.fault * parts[3])
        for parts in zip(base, (part.factor for part in breaks), unrest, faulty, strict=True)
    ]
    dkim, spf = (rng.binomial(sent.messages, rate) for rate in expected)
    # Messages fail one check independently of the other.
    either = dkim + rng.hypergeometric(spf, sent.messages - spf, sent.messages - dkim)
    counts = tuple(reporters.spread(part) for part in (sent.messages, either, dkim, spf))
    frame = _frame(key, counts, reporters)
    told = _told(counts[0], reporters)
    return frame, events(key, told, breaks, base, _scatter(expected, sent, unrest))


def _told(messages: Ints, reporters: Reporters) -> Ints:
    """Messages by day that are known when the last day is over, and by which day each day's first report is there."""
    late = np.where(reporters.arrived <= DAYS, messages, 0).sum(axis=0)
    first = np.where(messages > 0, reporters.arrived, DAYS + 30).min(axis=0)
    return np.stack([late, first])


def _scatter(expected: list[Floats], sent: Mail, unrest: list[Noise]) -> list[tuple[Floats, float]]:
    """By mechanism: each day's true rate over all its mail, and the memory of its noise."""
    total = np.maximum(1, sent.messages.sum(axis=0))
    whole = [(rate * sent.messages).sum(axis=0) / total for rate in expected]
    either = 1 - (1 - expected[0]) * (1 - expected[1])
    memory = max(part.memory for part in unrest)
    return [
        *zip(whole, (part.memory for part in unrest), strict=True),
        ((either * sent.messages).sum(axis=0) / total, memory),
    ]


def _frame(key: str, counts: tuple[Ints, ...], reporters: Reporters) -> pl.DataFrame:
    reporter, day = np.nonzero(counts[0])
    messages, either, dkim, spf = (part[reporter, day] for part in counts)
    return pl.DataFrame(
        {
            "domain": ["example.com"] * day.size,
            "source_key": [key] * day.size,
            "day": [FIRST + timedelta(days=int(at)) for at in day],
            "reporter": [f"reporter-{at}" for at in reporter],
            "messages": messages,
            "aligned": either,
            "dkim_aligned": dkim,
            "spf_aligned": spf,
            "estimated": np.where(reporters.period[reporter] > 1, messages, 0),
            "arrived": reporters.arrived[reporter, day],
        },
        schema_overrides={name: pl.String for name in ("domain", "source_key", "reporter")} | {"day": pl.Date},
    )
