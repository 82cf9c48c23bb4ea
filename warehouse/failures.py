"""Failure reports into their table, each mail once."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ingest.inputs.base import Message
from ingest.reading import ReadReport
from ingest.reports.failure import PARSER_VERSION, FailureReport
from warehouse import documents
from warehouse.connect import Connection, insert
from warehouse.instants import utc
from warehouse.once import Ended, Place, decide, message_hash
from warehouse.rows import INSTANT, REPAIRS, TEXT, table
from warehouse.save import NEW
from warehouse.terms import Terms

PLACE = Place("failure_report", "failure_report_key", "failure_report_key_seq")

REPORT = pa.schema(
    [
        ("failure_report_key", pa.int64()),
        ("message_hash", TEXT),
        ("run_key", pa.int64()),
        ("origin", TEXT),
        ("received_at", INSTANT),
        ("stored_at", INSTANT),
        ("parser_version", pa.int32()),
        ("form", TEXT),
        ("reporter", TEXT),
        ("day", pa.date32()),
        *((name, TEXT) for name in ("domain", "feedback_type", "source_ip")),
        ("arrival_at", INSTANT),
        ("incidents", pa.int64()),
        ("auth_failure", pa.list_(TEXT)),
        ("delivery_result", TEXT),
        ("identity_alignment", pa.list_(TEXT)),
        *((name, TEXT) for name in ("spf_result", "dkim_result", "dmarc_result", "authentication_results")),
        *((name, TEXT) for name in ("dkim_domain", "dkim_selector", "spf_dns", "header_from")),
        *((name, TEXT) for name in ("mail_from_domain", "mail_from_pseudonym")),
        ("rcpt_to_domains", pa.list_(TEXT)),
        *((name, TEXT) for name in ("original_envelope_id", "message_id_domain", "user_agent", "mail_from")),
        ("rcpt_to", pa.list_(TEXT)),
        *((name, TEXT) for name in ("message_id", "subject")),
        ("repairs", REPAIRS),
    ]
)


def save(
    connection: Connection, arrived: Sequence[tuple[Message, ReadReport[FailureReport]]], terms: Terms
) -> list[Ended]:
    """Insert what is new, in the caller's transaction; what became of each, in order."""
    hashes = [message_hash(read.document) for _, read in arrived]
    ended = decide(connection, PLACE, hashes)
    put(connection, [(one.key, *item) for one, item in zip(ended, arrived, strict=True) if one.status == NEW], terms)
    return ended


def put(
    connection: Connection, arrived: Sequence[tuple[int, Message, ReadReport[FailureReport]]], terms: Terms
) -> None:
    """Insert reports under these keys, in the caller's transaction."""
    rows, originals = [], {}
    for key, message, read in arrived:
        name = message_hash(read.document)
        originals[name] = read.document
        rows.append((key, name, *_row(message, read.report, terms)))
    if rows:
        insert(connection, "failure_report", table(REPORT, rows))
        if terms.keep_failures:
            documents.keep(connection, originals.items())


def _row(message: Message, report: FailureReport, terms: Terms) -> tuple[object, ...]:
    sender, recipients = report.original_mail_from, report.original_rcpt_to
    return (
        terms.run_key,
        message.origin,
        utc(message.received_at),
        terms.now,
        PARSER_VERSION,
        report.form,
        report.reporter,
        terms.day(report.arrival_at, report.sent_at, message.received_at),
        report.reported_domain,
        report.feedback_type,
        report.source_ip,
        utc(report.arrival_at),
        report.incidents,
        report.auth_failure,
        report.delivery_result,
        report.identity_alignment,
        report.spf_result,
        report.dkim_result,
        report.dmarc_result,
        report.authentication_results,
        report.dkim_domain,
        report.dkim_selector,
        report.spf_dns,
        report.header_from,
        sender.domain if sender else None,
        sender.pseudonym if sender else None,
        sorted({recipient.domain for recipient in recipients}),
        report.original_envelope_id,
        report.message_id_domain,
        report.user_agent,
        sender.address if sender else None,
        [recipient.address for recipient in recipients if recipient.address],
        report.message_id,
        report.subject,
        report.repairs,
    )
