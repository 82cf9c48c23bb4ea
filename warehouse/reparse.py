"""Stored documents parsed again, after an upgrade of a parser: same reports, same keys, better values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.settings import PrivacySettings
from warehouse import pseudonyms
from warehouse.again import KINDS, By, Kind
from warehouse.connect import Connection, Warehouse
from warehouse.differences import between
from warehouse.save import Identify

BATCH = 500
COUNTS = ("reports", "changed", "refused", "without_document")


@dataclass(slots=True)
class Reparsed:
    """What became of the reports of one kind.

    `changed` reports say something else now, `fields` in how many each column (table.column) does;
    `refused` ones no longer parse and stay as they are, and so do those `without_document`.
    """

    reports: int = 0
    changed: int = 0
    refused: int = 0
    without_document: int = 0
    fields: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ReparseSummary:
    """All kinds together, and each by the table that it stands in."""

    reports: int
    changed: int
    refused: int
    without_document: int
    kinds: dict[str, Reparsed]


def reparse(
    warehouse: Warehouse,
    identify: Identify,
    *,
    privacy: PrivacySettings | None = None,
    everything: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> ReparseSummary:
    """Parse the documents of reports that an older parser read (or of all); one transaction a batch.

    What is kept of personal data follows `privacy` as it is now.
    """
    with warehouse.reading() as connection:
        by = By(identify, pseudonyms.privacy(connection, privacy or PrivacySettings()))
    kinds, done = {kind.tables[0]: Reparsed() for kind in KINDS}, 0
    for kind in KINDS:
        told = kinds[kind.tables[0]]
        with warehouse.reading() as connection:
            keys = _to_parse(connection, kind, everything=everything)
        for first in range(0, len(keys), BATCH):
            batch = keys[first : first + BATCH]
            with warehouse.writing() as connection, between(connection, kind.tables, kind.key, batch) as found:
                left = kind.again(connection, batch, by)
            told.reports += len(batch)
            told.changed += len(found.keys)
            told.refused += left.refused
            told.without_document += left.without_document
            told.fields.update(found.columns)
            done += len(batch)
            progress(done)
    sums = {name: sum(getattr(told, name) for told in kinds.values()) for name in COUNTS}
    return ReparseSummary(**sums, kinds=kinds)


def _to_parse(connection: Connection, kind: Kind, *, everything: bool) -> list[int]:
    """The keys of reports that an older parser read, or of all; what was pruned of its records stays so."""
    below = kind.version + 1 if everything else kind.version
    whole = "AND pruned_at IS NULL" if kind.tables[0] == "aggregate_report" else ""
    rows = connection.execute(
        f"SELECT DISTINCT {kind.key} FROM {kind.tables[0]} WHERE parser_version < ? {whole} ORDER BY ALL", [below]
    ).fetchall()
    return [key for (key,) in rows]
