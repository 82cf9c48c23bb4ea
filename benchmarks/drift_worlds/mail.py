"""How much mail a source sends, and what share of it aligns while nobody changes anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.drift_worlds.reporters import DAYS, Floats, Ints, Reporters

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
class Mail:
    """One source: messages by reporter and day, and the share of each day's that belongs to a campaign of its own."""

    messages: Ints
    campaign: Floats


@dataclass(frozen=True, slots=True)
class Noise:
    """What moves a source's rate without a cause: `shift` (logit, reporters by days) and `factor` (by day).

    `memory` is how much of a day's part in common is the day before's.
    """

    shift: Floats
    factor: Floats
    memory: float


def holidays(rng: np.random.Generator) -> Floats:
    """By day what is left of business mail: one or two spells of one to ten days at a twentieth or so."""
    left = np.ones(DAYS)
    for _ in range(int(rng.integers(1, 3))):
        start = int(rng.integers(DAYS))
        left[start : start + int(rng.integers(1, 11))] = rng.uniform(0.02, 0.2)
    return left


def mail(reporters: Reporters, rest: Floats, rng: np.random.Generator) -> Mail:
    """A week's rhythm, holidays, noise, growth, campaigns, and a life that begins or ends."""
    day = np.arange(DAYS)
    week = int(rng.integers(len(WEEKS)))
    mean = np.exp(rng.uniform(np.log(2), np.log(5000))) * WEEKS[week][day % 7]
    mean *= rest if week in (0, 3, 4) else 1.0
    mean *= rng.lognormal(0, rng.uniform(0.1, 0.8), DAYS)
    if rng.random() < 0.3:
        mean *= np.exp(rng.uniform(-1.5, 1.5) * day / DAYS)
    if rng.random() < 0.1:
        # A forwarder that grows: the domain's rate falls, its own stays as it is.
        mean *= np.exp(rng.uniform(1.5, 4.0) * day / DAYS)
    if rng.random() < 0.15:
        mean[: rng.integers(10, 100)] = 0
    if rng.random() < 0.1:
        mean[rng.integers(20, 115) :] = 0
    bursts = np.zeros(DAYS)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.3 else 0):
        start = rng.integers(DAYS)
        bursts[start : start + rng.integers(1, 4)] = mean[start] * rng.uniform(4, 49)
    share = reporters.size * (rng.random(reporters.size.size) < rng.uniform(0.3, 1))
    parts = (share if share.sum() else reporters.size)[:, None] * reporters.moving
    if rng.random() < 0.3:
        parts = parts * np.exp(np.cumsum(rng.normal(0, 0.08, parts.shape), axis=1))
    everything = mean + bursts
    messages = rng.poisson(parts / parts.sum(axis=0) * everything * reporters.present)
    # One campaign in two goes out by another way than the source's usual mail.
    own = bursts * (rng.random() < 0.5)
    return Mail(messages, np.divide(own, everything, out=np.zeros(DAYS), where=everything > 0))


def noise(reporters: Reporters, rng: np.random.Generator) -> Noise:
    """Noise by day (perhaps with memory), by reporter, and by both; weekends; bad days."""
    count = reporters.size.size
    memory = float(rng.choice([0.0, rng.uniform(0.2, 0.6), rng.uniform(0.7, 0.92)], p=[0.65, 0.25, 0.1]))
    shock = rng.normal(0, rng.uniform(0, 0.8), DAYS)
    for at in range(1, DAYS):
        # The scatter is the same with memory as without; a long one makes rates wander for weeks.
        shock[at] = memory * shock[at - 1] + np.sqrt(1 - memory**2) * shock[at]
    shift = shock + reporters.odd[:, None]
    shift = shift + rng.normal(0, rng.uniform(0, 0.5), (count, 1)) + rng.normal(0, rng.uniform(0, 0.4), (count, DAYS))
    if rng.random() < 0.2:
        shift[:, np.arange(DAYS) % 7 >= 5] += rng.normal(0, 1)
    bad = np.where(rng.random(DAYS) < rng.uniform(0.01, 0.06), rng.uniform(0.2, 0.9, DAYS), 1.0)
    bad = bad if rng.random() < 0.25 else np.ones(DAYS)
    return Noise(shift, bad, memory)


def rates(level: float, factor: Floats, campaign: float, sent: Mail, unrest: Noise) -> Floats:
    """By reporter and day, the share that aligns: `level` times what broke, and the campaign's at its own."""
    logit = np.log(level / (1 - level)) + unrest.shift
    usual = factor * unrest.factor / (1 + np.exp(-logit))
    found: Floats = usual * (1 - sent.campaign) + campaign * sent.campaign
    return found
