"""Stored documents parsed again, after an upgrade of the parser: same reports, better values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.attestation import Attestation, Doubt, Grade
from ingest.errors import MalformedReport
from ingest.reports.aggregate import PARSER_VERSION, AggregateReport, parse
from warehouse import rollup
from warehouse.connect import Connection, Warehouse
from warehouse.documents import unpacked
from warehouse.rows import Arrived, staged
from warehouse.save import Identify, replace

BATCH = 500


@dataclass(slots=True)
class ReparseSummary:
    """`changed` reports say something else now; `refused` ones no longer parse and stay as they are."""

    reports: int = 0
    changed: int = 0
    refused: int = 0
    without_document: int = 0


def reparse(
    warehouse: Warehouse,
    identify: Identify,
    *,
    everything: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> ReparseSummary:
    """Parse the documents of reports that an older parser read (or of all); one transaction a batch."""
    below = PARSER_VERSION + 1 if everything else PARSER_VERSION
    summary = ReparseSummary()
    with warehouse.reading() as connection:
        keys = [key for (key,) in connection.execute(_TO_PARSE, [below]).fetchall()]
    for first in range(0, len(keys), BATCH):
        with warehouse.writing() as connection:
            _reparse_batch(connection, keys[first : first + BATCH], identify, summary)
        progress(min(first + BATCH, len(keys)))
    with warehouse.writing() as connection:
        rollup.compact(connection)
    return summary


_TO_PARSE = "SELECT report_key FROM aggregate_report WHERE parser_version < ? AND pruned_at IS NULL ORDER BY report_key"
_DOCUMENTS = """
    SELECT report_key, origin, received_at, r.document_hash, content_hash, data, size,
           [attestation, coalesce(attested_by, ''), attestation_status, doubt]
    FROM aggregate_report r LEFT JOIN raw_document USING (document_hash)
    WHERE report_key IN (SELECT unnest(?::BIGINT[])) ORDER BY report_key
"""


def _reparse_batch(connection: Connection, keys: Sequence[int], identify: Identify, summary: ReparseSummary) -> None:
    rows = connection.execute(_DOCUMENTS, [list(keys)]).fetchall()
    arrived = list(_arrived(rows, summary))
    before = {key: content for key, _, _, _, content, *_ in rows}
    tables = staged([item for _, item in arrived])
    after = tables.reports.column("content_hash").to_pylist()
    summary.reports += len(rows)
    summary.changed += sum(before[key] != content for (key, _), content in zip(arrived, after, strict=True))
    if arrived:
        replace(connection, tables, [key for key, _ in arrived], identify)


def _arrived(
    rows: list[tuple[int, str, datetime, str, str, bytes, int, list[str]]], summary: ReparseSummary
) -> Iterator[tuple[int, Arrived]]:
    for key, origin, received_at, document_hash, _, data, size, vouched in rows:
        report = None
        if data is None:
            summary.without_document += 1
        else:
            report = _parsed(unpacked(data, size))
            summary.refused += report is None
        if report is not None:
            yield key, Arrived(report, document_hash, origin, received_at, _attestation(*vouched))


def _attestation(grade: str, domain: str, status: str, doubt: str) -> Attestation:
    """Who vouched for a report when its mail was at hand; the document alone could not tell."""
    return Attestation(Grade(grade), domain, "", status, Doubt(doubt))


def _parsed(document: bytes) -> AggregateReport | None:
    try:
        return parse(document)
    except MalformedReport:
        return None
