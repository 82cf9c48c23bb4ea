"""Stored documents parsed again, after an upgrade of a parser: same reports, same keys, better values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ingest.settings import PrivacySettings
from warehouse import pseudonyms, twice
from warehouse.again import KINDS, By, Kind
from warehouse.connect import Connection, Warehouse
from warehouse.differences import between
from warehouse.instants import naive
from warehouse.save import Identify

BATCH, BATCH_RECORDS = 500, 50_000
"""Reports that are read again at a time, or fewer where they hold so many records: parsed, they take much room."""

COUNTS = ("reports", "changed", "refused", "without_document", "duplicates", "conflicts")


@dataclass(slots=True)
class Reparsed:
    """What became of the reports of one kind.

    `changed` reports say something else now, `fields` in how many each column (table.column) does;
    `refused` ones no longer parse and stay as they are, and so do those `without_document`.
    `duplicates` turned out to be another stored report and are gone, and so are `conflicts`, which say otherwise than
    that one and are in quarantine.
    """

    reports: int = 0
    changed: int = 0
    refused: int = 0
    without_document: int = 0
    duplicates: int = 0
    conflicts: int = 0
    fields: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ReparseSummary:
    """All kinds together, and each by the table that it stands in."""

    reports: int
    changed: int
    refused: int
    without_document: int
    duplicates: int
    conflicts: int
    kinds: dict[str, Reparsed]


def reparse(
    warehouse: Warehouse,
    identify: Identify,
    now: datetime,
    *,
    privacy: PrivacySettings | None = None,
    everything: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> ReparseSummary:
    """Parse the documents of reports that an older parser read (or of all); one transaction a batch.

    What is kept of personal data follows `privacy` as it is now. `now` is an aware instant.
    """
    with warehouse.reading() as connection:
        by = By(identify, pseudonyms.privacy(connection, privacy or PrivacySettings()))
    kinds, done = {kind.tables[0]: Reparsed() for kind in KINDS}, 0
    for kind in KINDS:
        told = kinds[kind.tables[0]]
        with warehouse.reading() as connection:
            found = list(batches(_to_parse(connection, kind, everything=everything)))
        for batch in found:
            with warehouse.writing() as connection, between(connection, kind.tables, kind.key, batch) as changes:
                left = kind.again(connection, batch, by)
            told.reports += len(batch)
            told.changed += len(changes.keys)
            told.refused += left.refused
            told.without_document += left.without_document
            told.fields.update(changes.columns)
            done += len(batch)
            progress(done)
        _settle(warehouse, kind, told, now)
    sums = {name: sum(getattr(told, name) for told in kinds.values()) for name in COUNTS}
    return ReparseSummary(**sums, kinds=kinds)


def _settle(warehouse: Warehouse, kind: Kind, told: Reparsed, now: datetime) -> None:
    """Let one stay of reports that are one now; each time, so that it makes good a run that was killed."""
    if kind.place is None:
        return
    with warehouse.reading() as connection:
        found = twice.groups(connection, kind.place, kind.version)
    for first in range(0, len(found), twice.AT_ONCE):
        with warehouse.writing() as connection:
            settled = twice.settle(connection, kind.place, found[first : first + twice.AT_ONCE], naive(now))
        told.duplicates += settled.duplicates
        told.conflicts += settled.conflicts


def _to_parse(connection: Connection, kind: Kind, *, everything: bool) -> list[tuple[int, int]]:
    """The keys of reports that an older parser read, or of all, with how many records each has.

    What was pruned of its records stays so.
    """
    below = kind.version + 1 if everything else kind.version
    aggregate = kind.tables[0] == "aggregate_report"
    records, whole = ("records", "AND pruned_at IS NULL") if aggregate else ("1", "")
    rows = connection.execute(
        f"SELECT DISTINCT {kind.key}, {records} FROM {kind.tables[0]} WHERE parser_version < ? {whole} ORDER BY ALL",
        [below],
    ).fetchall()
    return [(key, records) for key, records in rows]


def batches(reports: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """The keys of reports that are read again together; one that is larger by itself stands alone."""
    batch: list[int] = []
    held = 0
    for key, records in reports:
        if batch and (len(batch) >= BATCH or held + records > BATCH_RECORDS):
            yield batch
            batch, held = [], 0
        batch.append(key)
        held += records
    if batch:
        yield batch
