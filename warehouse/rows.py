"""Parsed reports as Arrow tables: the shape in which they are saved.

Pure: no database and no clock, so that a worker process can make the tables and hand them over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingest.attestation import NOT_CHECKED, Attestation
from ingest.reports.aggregate import PARSER_VERSION, AggregateReport
from warehouse.instants import utc
from warehouse.packing import document_hash
from warehouse.records import records

TEXT, INSTANT = pa.string(), pa.timestamp("us")
REPAIRS = pa.list_(pa.struct([("code", TEXT), ("what", TEXT), ("where", TEXT)]))

REPORT = pa.schema(
    [
        ("report_index", pa.int64()),
        ("identity_hash", TEXT),
        ("content_hash", TEXT),
        ("document_hash", TEXT),
        ("origin", TEXT),
        ("received_at", INSTANT),
        ("parser_version", pa.int32()),
        ("standard", TEXT),
        ("version", TEXT),
        ("reporter", TEXT),
        ("email", TEXT),
        ("extra_contact_info", TEXT),
        ("report_id", TEXT),
        ("begin_at", INSTANT),
        ("end_at", INSTANT),
        ("day", pa.date32()),
        ("days", pa.int32()),
        ("errors", pa.list_(TEXT)),
        ("generator", TEXT),
        ("domain", TEXT),
        ("adkim", TEXT),
        ("aspf", TEXT),
        ("p", TEXT),
        ("sp", TEXT),
        ("np", TEXT),
        ("pct", pa.int32()),
        ("fo", TEXT),
        ("testing", TEXT),
        ("discovery_method", TEXT),
        ("records", pa.int32()),
        ("messages", pa.int64()),
        ("repairs", REPAIRS),
        ("attestation", TEXT),
        ("attested_by", TEXT),
        ("attestation_status", TEXT),
        ("doubt", TEXT),
    ]
)


ADDRESS = pa.schema(
    [
        *((name, TEXT) for name in ("source_ip", "source_key", "service", "service_type")),
        ("asn", pa.int64()),
        *((name, TEXT) for name in ("as_name", "as_domain", "country", "ptr")),
        ("ptr_confirmed", pa.bool_()),
        ("ptr_at", INSTANT),
        ("bound_by", TEXT),
        ("carrier", TEXT),
    ]
)


class Arrived(NamedTuple):
    """A parsed report, the hash of the document it was parsed from, where that came from, and who vouches for it."""

    report: AggregateReport
    document_hash: str
    origin: str
    received_at: datetime | None
    attestation: Attestation = NOT_CHECKED


@dataclass(frozen=True, slots=True)
class Staged:
    """Reports ready to be saved: `reports` follows REPORT, `records` RECORD and `shapes` SHAPE of warehouse/records.py.

    `report_index` counts the reports from 0 until keys are given; that of `records` always does.
    """

    reports: pa.Table
    records: pa.Table
    shapes: pa.Table

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return int(self.reports.nbytes + self.records.nbytes + self.shapes.nbytes)

    def keyed(self, keys: pa.Array, chosen: pa.Array) -> Staged:
        """The chosen reports and their records, with report_key in the place of report_index."""
        reports, records = self.reports.set_column(0, "report_key", keys), self.records
        if not pc.all(chosen).as_py():
            place = pc.subtract(pc.cumulative_sum(chosen.cast(pa.int32())), pa.scalar(1, pa.int32()))
            reports = reports.filter(chosen)
            records = records.filter(chosen.take(records.column("report_index")))
            records = records.set_column(0, records.field(0), place.take(records.column("report_index")))
        return Staged(reports, records, self.shapes)


def counted_days(begin_at: datetime, end_at: datetime) -> tuple[date, int]:
    """The first day that a report's messages count on, and over how many days they are spread.

    A period of about a day counts on the day that holds its middle, so that one from 07:00 to 07:00
    is not smeared over two. Longer ones are cut into slices of about a day.
    """
    span = max(end_at - begin_at, timedelta())
    days = max(1, round(span / timedelta(days=1)))
    return (begin_at + span / days / 2).date(), days


def staged(arrived: Sequence[Arrived]) -> Staged:
    """The tables for some reports, in their order."""
    reports = [item.report for item in arrived]
    found, shapes, digests = records(reports)
    contents = [_content(report, digest) for report, digest in zip(reports, digests, strict=True)]
    heads = [_report_row(*of) for of in zip(range(len(arrived)), contents, arrived, strict=True)]
    return Staged(table(REPORT, heads), found, shapes)


def joined(found: Sequence[Staged]) -> Staged:
    """Some reports and others behind them, as one."""
    reports, records, before, shapes = [], [], 0, 0
    for each in found:
        reports.append(_moved(each.reports, "report_index", before))
        records.append(_moved(_moved(each.records, "report_index", before), "shape_index", shapes))
        before += each.reports.num_rows
        shapes += each.shapes.num_rows
    tables = reports, records, [each.shapes for each in found]
    return Staged(*(pa.concat_tables(each).combine_chunks() for each in tables))


def _moved(rows: pa.Table, name: str, by: int) -> pa.Table:
    """Rows whose numbers of something are counted from another one on."""
    at, kind = rows.column_names.index(name), rows.field(name)
    return rows.set_column(at, kind, pc.add(rows.column(name), pa.scalar(by, kind.type)))


def table(schema: pa.Schema, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    """Rows, each in the schema's order, as a table."""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.Table.from_arrays(
        [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _report_row(index: int, content: str, item: Arrived) -> tuple[object, ...]:
    report, meta, policy = item.report, item.report.report_metadata, item.report.policy_published
    day, days = counted_days(meta.begin_at, meta.end_at)
    return (
        index,
        _identity(report),
        content,
        item.document_hash,
        item.origin,
        utc(item.received_at),
        PARSER_VERSION,
        report.schema,
        report.version,
        meta.org_name,
        meta.email,
        meta.extra_contact_info,
        meta.report_id,
        utc(meta.begin_at),
        utc(meta.end_at),
        day,
        days,
        meta.errors,
        meta.generator,
        policy.domain,
        policy.adkim,
        policy.aspf,
        policy.p,
        policy.sp,
        policy.np,
        policy.pct,
        policy.fo,
        policy.testing,
        policy.discovery_method,
        len(report.records),
        report.messages,
        report.repairs,
        item.attestation.grade,
        item.attestation.domain or None,
        item.attestation.status,
        item.attestation.doubt,
    )


def _identity(report: AggregateReport) -> str:
    meta = report.report_metadata
    parts = (
        meta.org_name.casefold(),
        report.policy_published.domain,
        meta.report_id,
        str(meta.begin_at.timestamp()),
        str(meta.end_at.timestamp()),
    )
    return document_hash("\x1f".join(parts).encode())


def _content(report: AggregateReport, records: bytes) -> str:
    """What the report says, by its policy and the digest of its records."""
    policy = "\x1f".join(str(value) for value in _policy_values(report))
    return document_hash(records + policy.encode("utf-8", "replace"))


def _policy_values(report: AggregateReport) -> tuple[object, ...]:
    policy = report.policy_published
    return (policy.domain, policy.p, policy.sp, policy.np, policy.adkim, policy.aspf, policy.pct)
