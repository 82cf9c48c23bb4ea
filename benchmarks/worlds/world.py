"""A whole world from its number: who sends what, who passes it on, who forges it, who reports it, and what is true."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.worlds import document, servers
from benchmarks.worlds.addresses import Book, Host
from benchmarks.worlds.chance import pick
from benchmarks.worlds.draft import Draft
from benchmarks.worlds.evaluation import Row
from benchmarks.worlds.forwarding import forward
from benchmarks.worlds.lies import lie
from benchmarks.worlds.mail import Stream, Turn
from benchmarks.worlds.organisation import Organisation, organisation
from benchmarks.worlds.reporters import Reporter, reporters
from benchmarks.worlds.reporting import Reporting, Slot
from benchmarks.worlds.services import Service, invented, of_group
from benchmarks.worlds.spoofing import spoof
from benchmarks.worlds.tenancy import tenant


@dataclass(frozen=True, slots=True)
class World:
    """What happened and what was told of it.

    `truth`: messages by domain (of the record), source_ip, day (number of the day, from 0), stream and aligned, of
    exactly those messages that the reports tell of. `hosts`: what DNS says of each address. `zone`: the records of
    the organisation's domains that its set-up with services left there, by name and kind. `turns`: whose set-up
    changed on which day, for better or worse.
    """

    seed: int
    days: int
    organisation: Organisation
    reporters: tuple[Reporter, ...]
    streams: dict[str, Stream]
    reports: dict[Slot, Counter[Row]]
    truth: pl.DataFrame
    hosts: dict[str, Host]
    zone: dict[tuple[str, str], str]
    turns: tuple[Turn, ...]

    def write(self, folder: Path) -> int:
        """Write every report as a file into an existing folder; how many."""
        domains = {domain.name: domain for domain in self.organisation.domains}
        for slot, rows in self.reports.items():
            policy = domains[slot.domain].policy(slot.day)
            document.write(folder, slot, self.reporters[slot.reporter], policy, rows)
        return len(self.reports)


def world(seed: int) -> World:
    """The world of this number: always the same."""
    days = int(_random(seed, 0).integers(75, 126))
    draft = Draft(_random(seed, 1), days, Book(_random(seed, 2)), organisation(_random(seed, 3), days))
    for part, process in enumerate((_mailboxes, _services, _machines, forward, spoof), start=10):
        draft.rng = _random(seed, part)
        process(draft)
    draft.rng = _random(seed, 20)
    found = (*reporters(_random(seed, 4), days), *lie(draft))
    reporting = Reporting(draft, _random(seed, 5), found)
    reporting.tell()
    return World(
        seed, days, draft.organisation, found, draft.streams, reporting.reports, _truth(reporting), draft.book.hosts,
        draft.zone, tuple(draft.turns),
    )  # fmt: skip


def _random(seed: int, part: int) -> np.random.Generator:
    return np.random.default_rng([seed, part])


def _truth(reporting: Reporting) -> pl.DataFrame:
    rows = [(*told, messages) for told, messages in sorted(reporting.truth.items())]
    names = ["domain", "source_ip", "day", "stream", "aligned", "messages"]
    kinds = [pl.String, pl.String, pl.Int64, pl.String, pl.Boolean, pl.Int64]
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def _mailboxes(draft: Draft) -> None:
    """Where the people's mailboxes are: the same for all domains, mostly; some send through a filter."""
    kind = draft.choice(("Google Workspace", "Microsoft 365", "other", "own"), (0.28, 0.37, 0.15, 0.2))
    gateway = pick(draft.rng, of_group("gateway")) if draft.chance(0.15) else None
    for domain in draft.organisation.senders:
        mean = draft.organisation.size * domain.weight * float(draft.rng.uniform(0.1, 0.5))
        if gateway:
            tenant(draft, gateway, domain, mean)
        elif kind == "own" or (kind == "Microsoft 365" and draft.chance(0.1)):
            servers.mail_server(draft, domain, mean)
        else:
            options = [one for one in of_group("mailbox") if kind in (one.name, "other")]
            tenant(draft, pick(draft.rng, options), domain, mean)


def _services(draft: Draft) -> None:
    """Up to nine services, one or two of them unknown to everybody."""
    real = of_group("mailing", "transactional", "business")
    for _ in range(int(draft.rng.integers(1, 8))):
        _hire(draft, pick(draft.rng, real))
    for _ in range(int(draft.rng.integers(0, 3))):
        _hire(draft, invented(draft))


def _hire(draft: Draft, service: Service) -> None:
    mean = draft.organisation.size * float(10 ** draft.rng.uniform(-2.5, 0))
    domains = {domain.name: domain for domain in (draft.domain() for _ in range(2 if draft.chance(0.3) else 1))}
    for domain in domains.values():
        tenant(draft, service, domain, mean * domain.weight)


def _machines(draft: Draft) -> None:
    """Web servers and what was forgotten."""
    for _ in range(int(draft.rng.integers(0, 3))):
        servers.web_server(draft, draft.domain(), draft.organisation.size * float(10 ** draft.rng.uniform(-3, -1)))
    for _ in range(int(draft.rng.integers(0, 3))):
        servers.legacy(draft, draft.domain(), draft.organisation.size * float(10 ** draft.rng.uniform(-3, -1.3)))
