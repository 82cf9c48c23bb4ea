"""One world: sources over 120 days, seen by reporters that come and go; and one of each kind of change or more.

In the way stand what stands in the way of drift: weekly rhythms, holidays, growth, noise, reporters that fall silent,
begin, see other mail, report late, for several days at once, or lose reports; and forged mail at a trickle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from benchmarks.drift_worlds.mail import WEEKS, holidays
from benchmarks.drift_worlds.reporters import DAYS, Floats, Ints, Reporters
from benchmarks.drift_worlds.world import FIRST

DOMAIN = "example.com"
NEWEST = DAYS - 1


@dataclass(frozen=True, slots=True)
class Planted:
    """One change that happened: what it is about (a source, reporter, selector, name or tag), and from which day on.

    `told` is whether reports hold enough of it by the end for anybody to tell.
    """

    kind: str
    about: str
    start: int
    told: bool = True


@dataclass(frozen=True, slots=True)
class Sender:
    """A source: its mean by day, what it is taken for, its selectors by day, and whether its mail aligns."""

    key: str
    mean: Floats
    kind: str
    aligned: float
    selectors: list[str | None]
    name: str = DOMAIN


@dataclass(slots=True)
class Draft:
    """A world in the making."""

    rng: np.random.Generator
    reporters: Reporters
    rest: Floats
    senders: list[Sender] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)

    def mean(self, low: float = 5, high: float = 3000) -> Floats:
        """Messages expected by day of a source that nothing happens to."""
        week = int(self.rng.integers(3))
        mean = np.exp(self.rng.uniform(np.log(low), np.log(high))) * WEEKS[week][np.arange(DAYS) % 7]
        mean *= self.rest if week == 0 else 1.0
        mean *= self.rng.lognormal(0, self.rng.uniform(0.05, 0.4), DAYS)
        if self.rng.random() < 0.3:
            mean *= np.exp(self.rng.uniform(-0.8, 1.5) * np.arange(DAYS) / DAYS)
        return np.asarray(mean)

    def day(self, first: int = 50, last: int = 100) -> int:
        """A day on which something happens."""
        return int(self.rng.integers(first, last))

    def send(self, kind: str, mean: Floats, selectors: Sequence[str | None] | None = None, name: str = DOMAIN) -> str:
        """Add a source."""
        key = f"source-{len(self.senders)}"
        usual = [f"s{len(self.senders)}"] * DAYS
        aligned = 0.0 if kind == "spoofing" else float(self.rng.choice([0.99, 0.9, 0.5]))
        chosen = [None] * DAYS if kind == "spoofing" else selectors or usual
        self.senders.append(Sender(key, mean, kind, aligned, list(chosen), name))
        return key


@dataclass(frozen=True, slots=True)
class World:
    """The frames as the reads give them, what each source is taken for, and the truth."""

    days: pl.DataFrame
    from_days: pl.DataFrame
    signatures: pl.DataFrame
    policies: pl.DataFrame
    kinds: dict[tuple[str, str], str]
    late: dict[str, float]
    planted: list[Planted]


def world(seed: int) -> World:
    """The world of this number."""
    rng = np.random.default_rng(seed)
    draft = Draft(rng, Reporters.of(rng), holidays(rng))
    for _ in range(int(rng.integers(8, 16))):
        draft.send("aligned", draft.mean())
    for plant in PLANTS:
        if rng.random() < 0.7:
            plant(draft)
    forged = [draft.mean(1, 20) for _ in range(3)]
    for mean in forged:
        draft.send("spoofing", mean)
    if rng.random() < 0.5:
        _wave(draft, float(sum(mean.mean() for mean in forged)))
    return _told(draft)


def _new(draft: Draft) -> None:
    start, mean = draft.day(40, 112), draft.mean(10)
    mean[:start] = 0
    draft.planted.append(Planted("new_source", draft.send(_any_kind(draft), mean), start, float(mean.sum()) >= 50))


def _vanished(draft: Draft) -> None:
    start, mean = draft.day(40, 95), draft.mean(20)
    mean[start:] = 0
    draft.planted.append(Planted("vanished_source", draft.send("aligned", mean), start))


def _spike(draft: Draft) -> None:
    start, mean = draft.day(), draft.mean(30)
    mean[start : start + int(draft.rng.integers(1, 6))] *= draft.rng.uniform(5, 20)
    draft.planted.append(Planted("volume_spike", draft.send("aligned", mean), start))


def _drop(draft: Draft) -> None:
    start, mean = draft.day(), draft.mean(50)
    mean[start : start + int(draft.rng.integers(5, 20))] *= draft.rng.uniform(0.0, 0.2)
    draft.planted.append(Planted("volume_drop", draft.send("aligned", mean), start))


def _wave(draft: Draft, trickle: float) -> None:
    start, size = draft.day(30, 112), int(draft.rng.integers(2, 15))
    wave = max(60.0, trickle * draft.rng.uniform(4, 30))
    for _ in range(int(draft.rng.integers(1, 6))):
        mean = np.zeros(DAYS)
        mean[start : start + size] = wave
        draft.send("spoofing", mean)
    draft.planted.append(Planted("spoofing", DOMAIN, start))


def _rotation(draft: Draft) -> None:
    start = draft.day(30, 105)
    old, new = f"old{start}", f"new{start}"
    mean = draft.mean(30)
    draft.send("aligned", mean, [old] * start + [new] * (DAYS - start))
    draft.planted.append(Planted("selector_change", new, start))


def _second(draft: Draft) -> None:
    """A second server begins to sign half of the mail with a selector of its own."""
    start = draft.day(30, 105)
    chosen: list[str | None] = [f"a{start}"] * DAYS
    chosen[start:] = [f"b{start}" if day % 2 else f"a{start}" for day in range(start, DAYS)]
    draft.send("aligned", draft.mean(60), chosen)
    draft.planted.append(Planted("selector_change", f"b{start}", start))


def _subdomain(draft: Draft) -> None:
    start, mean = draft.day(30, 112), draft.mean(10)
    mean[:start] = 0
    name = f"new{start}.{DOMAIN}"
    key = draft.send("aligned", mean, name=name)
    draft.planted.append(Planted("new_subdomain", name, start, float(mean.sum()) >= 50))
    draft.planted.append(Planted("new_source", key, start, float(mean.sum()) >= 50))


def _any_kind(draft: Draft) -> str:
    return str(draft.rng.choice(["aligned", "misaligned", "unknown"]))


PLANTS: tuple[Callable[[Draft], None], ...] = (
    _new, _new, _vanished, _spike, _spike, _drop, _drop, _rotation, _second, _subdomain,
)  # fmt: skip


def _told(draft: Draft) -> World:
    rng, reporters = draft.rng, draft.reporters
    planted, policies = list(draft.planted), _policies(draft)
    arrived = reporters.arrived <= DAYS
    total = np.zeros((reporters.size.size, DAYS))
    frames, signed = [], []
    for sender in draft.senders:
        share = reporters.size * (rng.random(reporters.size.size) < rng.uniform(0.5, 1))
        parts = (share if share.sum() else reporters.size)[:, None] * reporters.moving
        messages = rng.poisson(parts / parts.sum(axis=0) * sender.mean * reporters.present)
        counts = np.where(arrived, reporters.spread(messages), 0)
        total += counts
        frames.append(_rows(sender, counts, rng.binomial(counts, sender.aligned), reporters))
        signed.append(_signatures(sender, counts))
    planted += _silences(total, reporters)
    days = pl.concat(frames)
    names = pl.DataFrame([(s.key, s.name) for s in draft.senders], schema=["source_key", "header_from"], orient="row")
    from_days = (
        days.join(names, on="source_key")
        .group_by("domain", "header_from", "day")
        .agg(pl.col("messages", "aligned", "dkim_aligned", "spf_aligned", "estimated").sum())
    )
    kinds = {(DOMAIN, sender.key): sender.kind for sender in draft.senders}
    planted += [Planted("policy_change", f"{tag}: {old} → {new}", at) for at, tag, old, new in policies[1]]
    return World(days, from_days, pl.concat(signed), policies[0], kinds, _late(reporters), planted)


def _late(reporters: Reporters) -> dict[str, float]:
    """How late each reporter's slower reports were, as far as they are there."""
    took = reporters.arrived - np.arange(DAYS)
    there = (reporters.present > 0) & (reporters.arrived <= DAYS)
    rows = [(row, took[row][there[row]]) for row in range(took.shape[0])]
    return {f"reporter-{row}": float(np.quantile(days, 0.95)) for row, days in rows if days.size}


def _silences(total: Floats, reporters: Reporters) -> list[Planted]:
    """Who fell silent: told where it reported on most of 20 days before, and five days' reports would be there."""
    found = []
    for row, counts in enumerate(total):
        seen = np.flatnonzero(counts)
        if seen.size < 10 or reporters.present[row, seen[-1] + 1 :].sum() > 0.1 * (NEWEST - seen[-1]):
            continue
        start = int(seen[-1]) + 1
        before = counts[max(0, start - 20) : start]
        if NEWEST - start >= 1 and (before > 0).mean() > 0.5 and reporters.present[row, start:].sum() == 0:
            # A reporter of whole weeks, or one with a slow post, can be no more than late.
            due = 5 + int(reporters.period[row]) + 2
            found.append(Planted("reporter_gap", f"reporter-{row}", start, NEWEST - start >= due))
    return found


def _policies(draft: Draft) -> tuple[pl.DataFrame, list[tuple[int, str, str, str]]]:
    rng, count = draft.rng, draft.reporters.size.size
    p, sp = ["none"] * DAYS, ["none"] * DAYS
    edits = []
    if rng.random() < 0.6:
        at = draft.day(20, 110)
        p[at:] = ["quarantine"] * (DAYS - at)
        edits.append((at, "p", "none", "quarantine"))
    if rng.random() < 0.3:
        at = draft.day(20, 110)
        sp[at:] = ["reject"] * (DAYS - at)
        edits.append((at, "sp", "none", "reject"))
    rows = []
    for day in range(DAYS):
        for row in range(count):
            if draft.reporters.present[row, day] and draft.reporters.arrived[row, day] <= DAYS:
                # Some still have yesterday's record in their cache.
                at = max(0, day - int(rng.random() < 0.2))
                rows.append((DOMAIN, FIRST + timedelta(days=day), p[at], sp[at]))
    frame = pl.DataFrame(rows, schema=["domain", "day", "p", "sp"], orient="row")
    frame = frame.group_by("domain", "day", "p", "sp").agg(pl.len().cast(pl.Int64).alias("reporters"))
    blank = pl.lit(None, dtype=pl.String)
    return frame.with_columns(np=blank, adkim=blank, aspf=blank, testing=blank, pct=pl.lit(None, dtype=pl.Int64)), edits


def _rows(sender: Sender, counts: Ints, aligned: Ints, reporters: Reporters) -> pl.DataFrame:
    reporter, day = np.nonzero(counts)
    good = aligned[reporter, day]
    return pl.DataFrame(
        {
            "domain": [DOMAIN] * day.size,
            "source_key": [sender.key] * day.size,
            "day": [FIRST + timedelta(days=int(at)) for at in day],
            "reporter": [f"reporter-{at}" for at in reporter],
            "messages": counts[reporter, day],
            "aligned": good,
            "dkim_aligned": good,
            "spf_aligned": np.zeros(day.size, dtype=np.int64),
            "estimated": np.where(reporters.period[reporter] > 1, counts[reporter, day], 0),
        },
        schema_overrides={name: pl.String for name in ("domain", "source_key", "reporter")} | {"day": pl.Date},
    )


def _signatures(sender: Sender, counts: Ints) -> pl.DataFrame:
    daily = counts.sum(axis=0)
    rows: list[tuple[str, str, date, str | None, str | None, str | None, int]] = [
        (
            DOMAIN,
            sender.key,
            FIRST + timedelta(days=day),
            DOMAIN if selector else None,
            selector,
            "pass" if selector else None,
            int(daily[day]),
        )
        for day, selector in enumerate(sender.selectors)
        if daily[day]
    ]
    columns: dict[str, Any] = dict.fromkeys(("domain", "source_key"), pl.String) | {"day": pl.Date}
    columns |= dict.fromkeys(("signing_domain", "selector", "result"), pl.String) | {"messages": pl.Int64}
    return pl.DataFrame(rows, schema=columns, orient="row")
