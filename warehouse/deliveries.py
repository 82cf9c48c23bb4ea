"""Bounces and other delivery status notifications into their table, a row for each recipient, each mail once."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ingest.inputs.base import Message
from ingest.reading import ReadReport
from ingest.reports.dsn import PARSER_VERSION, DeliveryNotice, DeliveryStatus
from ingest.reports.enhanced import CLASSES
from warehouse import documents
from warehouse.connect import Connection, insert
from warehouse.instants import utc
from warehouse.once import Ended, Place, decide, message_hash
from warehouse.rows import INSTANT, REPAIRS, TEXT, table
from warehouse.save import NEW
from warehouse.terms import Terms

PLACE = Place("delivery_status", "notice_key", "notice_key_seq")

STATUS = pa.schema(
    [
        ("notice_key", pa.int64()),
        ("recipient_index", pa.int32()),
        ("message_hash", TEXT),
        ("run_key", pa.int64()),
        ("origin", TEXT),
        ("received_at", INSTANT),
        ("stored_at", INSTANT),
        ("parser_version", pa.int32()),
        ("form", TEXT),
        ("day", pa.date32()),
        *((name, TEXT) for name in ("domain", "sender_domain", "notified_domain")),
        ("sent_at", INSTANT),
        ("reporting_mta", TEXT),
        ("arrival_at", INSTANT),
        *((name, TEXT) for name in ("original_envelope_id", "returned", "header_from", "envelope_from")),
        *((name, TEXT) for name in ("message_id_domain", "message_id", "subject")),
        ("repairs", REPAIRS),
        *((name, TEXT) for name in ("recipient_domain", "recipient_pseudonym", "original_recipient_domain")),
        *((name, TEXT) for name in ("action", "code", "code_class", "code_subject", "code_meaning", "status")),
        ("smtp_code", pa.int32()),
        *((name, TEXT) for name in ("diagnostic_type", "diagnostic", "remote_mta")),
        ("last_attempt_at", INSTANT),
        ("will_retry_until", INSTANT),
        ("recipient", TEXT),
    ]
)


def save(
    connection: Connection, arrived: Sequence[tuple[Message, ReadReport[DeliveryNotice]]], terms: Terms
) -> list[Ended]:
    """Insert what is new, in the caller's transaction; what became of each, in order."""
    hashes = [message_hash(read.document) for _, read in arrived]
    ended = decide(connection, PLACE, hashes)
    put(connection, [(one.key, *item) for one, item in zip(ended, arrived, strict=True) if one.status == NEW], terms)
    return ended


def put(
    connection: Connection, arrived: Sequence[tuple[int, Message, ReadReport[DeliveryNotice]]], terms: Terms
) -> None:
    """Insert notices under these keys, in the caller's transaction."""
    rows, originals = [], {}
    for key, message, read in arrived:
        name = message_hash(read.document)
        originals[name] = read.document
        of_notice = (name, *_notice_row(message, read.report, terms))
        for place, status in enumerate(read.report.statuses, 1):
            rows.append((key, place, *of_notice, *_status_row(status)))
    if rows:
        insert(connection, "delivery_status", table(STATUS, rows))
        if terms.keep_bounces:
            documents.keep(connection, originals.items())


def _notice_row(message: Message, notice: DeliveryNotice, terms: Terms) -> tuple[object, ...]:
    return (
        terms.run_key,
        message.origin,
        utc(message.received_at),
        terms.now,
        PARSER_VERSION,
        notice.form,
        terms.day(notice.sent_at, message.received_at, notice.arrival_at),
        notice.header_from or notice.envelope_from or notice.notified_domain or "",
        notice.sender_domain,
        notice.notified_domain,
        utc(notice.sent_at),
        notice.reporting_mta,
        utc(notice.arrival_at),
        notice.original_envelope_id,
        notice.returned,
        notice.header_from,
        notice.envelope_from,
        notice.message_id_domain,
        notice.message_id,
        notice.subject,
        notice.repairs,
    )


def _status_row(status: DeliveryStatus) -> tuple[object, ...]:
    code, recipient, original = status.code, status.recipient, status.original_recipient
    # Where there is no x.y.z, the first digit of the SMTP code says the class (RFC 5321 section 4.2.1).
    of_reply = CLASSES.get((status.smtp_code or 0) // 100)
    return (
        recipient.domain if recipient else None,
        recipient.pseudonym if recipient else None,
        original.domain if original else None,
        status.action,
        str(code) if code else None,
        code.class_name if code else of_reply,
        code.subject_name if code else None,
        code.meaning or None if code else None,
        status.status,
        status.smtp_code,
        status.diagnostic_type,
        status.diagnostic,
        status.remote_mta,
        utc(status.last_attempt_at),
        utc(status.will_retry_until),
        recipient.address if recipient else None,
    )
