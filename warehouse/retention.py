"""How long each kind of thing is kept. The rollup stays, so that charts keep their past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from warehouse.connect import Connection
from warehouse.rows import naive
from warehouse.settings import RetentionSettings


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind went."""

    records: int
    documents: int
    messages: int
    quarantined: int
    failure_reports: int = 0
    bounces: int = 0


def prune(connection: Connection, settings: RetentionSettings, now: datetime) -> Pruned:
    """Remove what is older than its days, in the caller's transaction; 0 days keep it for ever.

    A report whose records go keeps its row, so that a resend is still known as a duplicate; the
    rollup keeps its messages. Its document goes with its records: to parse it again would count twice.
    """
    connection.execute("CREATE TEMP TABLE ageing (report_key BIGINT, document_hash VARCHAR)")
    if settings.records_days:
        connection.execute(
            """
            INSERT INTO ageing
            SELECT report_key, document_hash FROM aggregate_report WHERE pruned_at IS NULL AND day < ?
            """,
            [_before(now, settings.records_days).date()],
        )
    records = _deleted(connection, "DELETE FROM aggregate_record WHERE report_key IN (SELECT report_key FROM ageing)")
    connection.execute(
        "UPDATE aggregate_report SET pruned_at = ? WHERE report_key IN (SELECT report_key FROM ageing)", [naive(now)]
    )
    documents = _deleted(
        connection, "DELETE FROM raw_document WHERE document_hash IN (SELECT document_hash FROM ageing)"
    )
    connection.execute("DROP TABLE ageing")
    if settings.documents_days:
        for table in ("aggregate_report", "tls_report"):
            documents += _deleted(
                connection,
                f"{_DOCUMENTS} (SELECT document_hash FROM {table} WHERE day < ?)",
                _before(now, settings.documents_days).date(),
            )
    messages, quarantined = (_older(connection, now, *kind) for kind in _by_time(settings))
    return Pruned(records, documents, messages, quarantined, *forget(connection, settings, now))


def forget(connection: Connection, settings: RetentionSettings, now: datetime) -> tuple[int, int]:
    """Remove the failure reports and bounces that are older than their days, with their mails where those were kept.

    Both are about single people's mail, so this also happens without 'whosends prune': at the end of each load.
    """
    kinds = (("failure_report", settings.failures_days), ("delivery_status", settings.bounces_days))
    for table, days in kinds:
        if days:
            condition = f"(SELECT message_hash FROM {table} WHERE stored_at < ?)"
            _deleted(connection, f"{_DOCUMENTS} {condition}", _before(now, days))
    failures, bounces = (_older(connection, now, table, "stored_at", days) for table, days in kinds)
    return failures, bounces


_DOCUMENTS = "DELETE FROM raw_document WHERE document_hash IN"


def _by_time(settings: RetentionSettings) -> tuple[tuple[str, str, int], ...]:
    return ("message", "seen_at", settings.messages_days), ("quarantine", "last_seen_at", settings.quarantine_days)


def _older(connection: Connection, now: datetime, table: str, column: str, days: int) -> int:
    if not days:
        return 0
    return _deleted(connection, f"DELETE FROM {table} WHERE {column} < ?", _before(now, days))


def _before(now: datetime, days: int) -> datetime:
    return naive(now) - timedelta(days=days)


def _deleted(connection: Connection, sql: str, *values: object) -> int:
    row = connection.execute(sql, list(values)).fetchone()
    return int(row[0]) if row else 0
