"""Findings with their state: look, put it beside what is recorded, and record what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import polars as pl

from analysis import lifecycle
from analysis.findings import found
from analysis.genuine import counted
from analysis.lifecycle import Look
from app.config import Config
from app.render import clean
from warehouse import findings as states
from warehouse import reads
from warehouse.connect import Connection, Warehouse
from warehouse.findings import FindingRecord
from warehouse.scope import Scope

OURSELVES: Final = "whosends"
NO_MAIL: Final = pl.DataFrame(
    schema={
        "domain": pl.String, "source_key": pl.String, "day": pl.Date,
        "messages": pl.Int64, "aligned": pl.Int64, "dkim_aligned": pl.Int64,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tracked:
    """A finding as people see it: its record, who is to act, its age in days, and how far its proof is."""

    record: FindingRecord
    owner: str
    age: int
    snoozed: bool
    progress: str

    @property
    def waiting(self) -> bool:
        """Whether somebody is to act on it now."""
        return self.record.state == "open" and not self.snoozed


@dataclass(frozen=True, slots=True)
class Tracking:
    """All findings that were ever told, those to act on first, and what to record of them."""

    findings: tuple[Tracked, ...]
    look: Look
    moves: tuple[states.Move, ...]


def look(warehouse: Warehouse, today: date, config: Config) -> Look:
    """What is there to be found now, in all domains."""
    settings = config.analysis
    seen = found(warehouse, Scope(), today, settings, config.targets)
    mail = NO_MAIL
    with warehouse.reading() as connection:
        since = seen.newest and lifecycle.proofs_since(states.every(connection), settings.findings, seen.newest)
        if since:
            mail = reads.source_days(connection, counted(connection, Scope((), since, seen.newest)))
    return Look(seen, mail, settings.findings)


def tracked(warehouse: Warehouse, seen: Look, config: Config) -> Tracking:
    """What was seen beside what is recorded; nothing is written."""
    with warehouse.reading() as connection:
        records = states.every(connection)
    return _beside(seen, records, config)


def recorded(warehouse: Warehouse, today: date, config: Config, now: datetime | None = None) -> Tracking:
    """The same, and what changed is recorded: two at once record it once."""
    seen = look(warehouse, today, config)
    result = tracked(warehouse, seen, config)
    if not result.moves:
        return result
    with warehouse.writing(reports=False) as connection:
        records = record(connection, seen, now)
    return _beside(seen, records, config)


def record(connection: Connection, seen: Look, now: datetime | None = None) -> dict[str, FindingRecord]:
    """Record what was seen, in the caller's transaction; the records before.

    Somebody else may have written since the look: what changes is judged anew, by what stands there now.
    """
    at = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    records = states.every(connection)
    for move in lifecycle.moves(seen, records):
        states.keep(connection, move, OURSELVES, at)
    return records


def _beside(seen: Look, records: Mapping[str, FindingRecord], config: Config) -> Tracking:
    made = tuple(lifecycle.moves(seen, records))
    today = seen.found.today
    findings = [
        Tracked(
            record,
            owner_of(record, config),
            max(0, (today - record.since).days),
            record.snoozed(today),
            lifecycle.progress(seen, record) if seen.found.newest else "",
        )
        for record in lifecycle.after(records, made)
    ]
    return Tracking(tuple(sorted(findings, key=lambda one: not one.waiting)), seen, made)


def owner_of(record: FindingRecord, config: Config) -> str:
    """Who is to act: who it was given to, else its source's owner, its domain's, its client's, everybody's."""
    return clean(record.owner or record.source_owner or config.owner_of(record.domain))
