"""One kind of report at a time: stored documents parsed again, and put in the place of what they gave before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from ingest.attestation import Attestation, Doubt, Grade
from ingest.errors import MalformedReport
from ingest.inputs.base import Message
from ingest.reading import ARCHIVE, Privacy, Reading, ReadReport, read
from ingest.reports import aggregate, dsn, failure
from ingest.reports import tls as tls_parser
from ingest.reports.words import Repair
from ingest.settings import UnpackLimits
from warehouse import deliveries, failures, rollup, tls, twice
from warehouse.connect import Connection
from warehouse.packing import unpacked
from warehouse.rows import Arrived, staged
from warehouse.save import Identify, replace
from warehouse.terms import Terms
from warehouse.twice import Place

# A document was within its limits when it was stored.
LIMITS = UnpackLimits(message_bytes=2**40, total_bytes=2**40)


@dataclass(frozen=True, slots=True)
class By:
    """How addresses are identified, and what is kept of personal data."""

    identify: Identify
    privacy: Privacy


class Left(NamedTuple):
    """How many reports stay as they were: their document no longer parses, or there is none."""

    refused: int
    without_document: int


@dataclass(frozen=True, slots=True)
class Kind:
    """Where reports of a kind stand (their own table first), who parses them, and how that is done again.

    `place` is set where two documents may be one report.
    """

    tables: tuple[str, ...]
    key: str
    version: int
    again: Callable[[Connection, Sequence[int], By], Left]
    place: Place | None = None


def _aggregate(connection: Connection, keys: Sequence[int], by: By) -> Left:
    rows = connection.execute(
        """
        SELECT report_key, origin, received_at, r.document_hash, data, size,
               [attestation, coalesce(attested_by, ''), attestation_status, doubt], repairs
        FROM aggregate_report r LEFT JOIN raw_document USING (document_hash)
        WHERE report_key IN (SELECT unnest(?::BIGINT[])) ORDER BY report_key
        """,
        [list(keys)],
    ).fetchall()
    kept, arrived = [], []
    for key, origin, received_at, document_hash, data, size, vouched, repairs in rows:
        if data is not None and (report := _parsed(aggregate.parse, unpacked(data, size))):
            kept.append(key)
            report = _with_packing(report, repairs)
            arrived.append(Arrived(report, document_hash, origin, received_at, _attestation(*vouched)))
    if kept:
        days = rollup.days_of(f"SELECT unnest({kept}::BIGINT[])")
        connection.execute(f"CREATE TEMP TABLE stood AS {days}")
        replace(connection, staged(arrived), kept, by.identify)
        # No row of nothing is to be left where the old numbers were taken away, which may be told of other days now.
        rollup.melt_days(connection, f"{days} UNION SELECT domain, day FROM stood")
        connection.execute("DROP TABLE stood")
    return _left(rows, [row[4] for row in rows], len(kept))


def _attestation(grade: str, domain: str, status: str, doubt: str) -> Attestation:
    """Who vouched for a report when its mail was at hand; the document alone could not tell."""
    return Attestation(Grade(grade), domain, "", status, Doubt(doubt))


def _with_packing(report: Any, repairs: Sequence[dict[str, str]] | None) -> Any:
    """The report with what was put right of its archive, of which the document alone does not tell."""
    packing = [Repair(**one) for one in repairs or () if one["where"] == ARCHIVE]
    return dataclass_replace(report, repairs=(*report.repairs, *packing)) if packing else report


def _parsed(parse: Callable[[bytes], Any], document: bytes) -> Any:
    try:
        return parse(document)
    except MalformedReport:
        return None


class _Stored(NamedTuple):
    """A report as it is stored: what its document alone does not say, and the document."""

    key: int
    run_key: int
    stored_at: datetime
    origin: str
    received_at: datetime | None
    data: bytes | None
    size: int | None
    repairs: list[dict[str, str]] | None


def _other(
    kind: str, key: str, document: str, parse: Callable[[_Stored, bytes, By], Any], put: Callable[..., None]
) -> Callable[[Connection, Sequence[int], By], Left]:
    """How a kind is parsed again whose rows are deleted and inserted by key; `document` names its document's column."""

    def again(connection: Connection, keys: Sequence[int], by: By) -> Left:
        rows = connection.execute(
            f"""
            SELECT DISTINCT {key}, run_key, stored_at, origin, received_at, data, size, r.repairs
            FROM {kind} r LEFT JOIN raw_document d ON d.document_hash = r.{document}
            WHERE {key} IN (SELECT unnest(?::BIGINT[])) ORDER BY ALL
            """,
            [list(keys)],
        ).fetchall()
        read_again = []
        for stored in map(_Stored._make, rows):
            if stored.data is not None and (found := parse(stored, unpacked(stored.data, stored.size or 0), by)):
                read_again.append((stored, found))
        for table in next(one.tables for one in KINDS if one.tables[0] == kind):
            gone = [stored.key for stored, _ in read_again]
            connection.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT unnest(?::BIGINT[]))", [gone])
        for (run_key, stored_at), group in groupby(read_again, lambda pair: (pair[0].run_key, pair[0].stored_at)):
            terms = Terms(run_key, stored_at, by.identify, keep_documents=False)
            arrived = [(s.key, Message(b"", s.origin, 0, s.received_at), found) for s, found in group]
            put(connection, arrived, terms)
        return _left(rows, [row[5] for row in rows], len(read_again))

    return again


def _tls(stored: _Stored, document: bytes, by: By) -> Any:
    del by
    report = _parsed(tls_parser.parse, document)
    return ReadReport(_with_packing(report, stored.repairs), document) if report else None


def _mail(which: Callable[[Reading], list[Any]]) -> Callable[[_Stored, bytes, By], Any]:
    """A failure report or a bounce: the whole mail, or the part of it, is read as it was when it came."""

    def parse(stored: _Stored, document: bytes, by: By) -> Any:
        found = which(read(Message(document, stored.origin, len(document)), LIMITS, by.privacy))
        return found[0] if len(found) == 1 and found[0].document == document else None

    return parse


def _left(rows: Sequence[object], documents: Sequence[bytes | None], read_again: int) -> Left:
    without = sum(document is None for document in documents)
    return Left(len(rows) - without - read_again, without)


KINDS = (
    Kind(twice.AGGREGATE.tables, twice.AGGREGATE.key, aggregate.PARSER_VERSION, _aggregate, twice.AGGREGATE),
    Kind(
        twice.TLS.tables,
        twice.TLS.key,
        tls_parser.PARSER_VERSION,
        _other("tls_report", "tls_report_key", "document_hash", _tls, tls.put),
        twice.TLS,
    ),
    Kind(
        ("failure_report",),
        "failure_report_key",
        failure.PARSER_VERSION,
        _other(
            "failure_report", "failure_report_key", "message_hash",
            _mail(lambda reading: reading.failure_reports), failures.put,
        ),
    ),
    Kind(
        ("delivery_status",),
        "notice_key",
        dsn.PARSER_VERSION,
        _other("delivery_status", "notice_key", "message_hash", _mail(lambda reading: reading.notices), deliveries.put),
    ),
)  # fmt: skip
