"""How long each kind of thing is kept. The rollup stays, so that charts keep their past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from warehouse import quarantine
from warehouse.connect import Connection
from warehouse.instants import naive
from warehouse.settings import RetentionSettings

SILENCE = timedelta(days=7)
"""The clock is believed as far as data and runs lead to it without a longer gap: a poller that runs and data that comes
tell that time has passed. A clock that jumped ahead leaves a gap, and makes nothing old."""

AHEAD = timedelta(days=2)
"""An instant of ours that lies further ahead than this was noted while the clock was wrong."""

PERSONAL = {
    "failure_report": ("mail_from", "message_id", "subject"),
    "delivery_status": ("recipient", "message_id", "subject"),
}


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind went; `quarantined` and `personal` lost their bytes and personal fields, not the row.

    `counted_to` is the instant that ages were counted to: now, or earlier where nothing speaks for the clock.
    """

    records: int
    documents: int
    messages: int
    quarantined: int
    failure_reports: int
    bounces: int
    personal: int
    counted_to: datetime


def prune(connection: Connection, settings: RetentionSettings, now: datetime, *, sure: bool = False) -> Pruned:
    """Remove what is older than its days, in the caller's transaction; 0 days keep it for ever.

    A report whose records go keeps its row, so that a resend is still known as a duplicate; the
    rollup keeps its messages. Its document goes with its records: to parse it again would count twice.
    `sure` trusts `now` whatever speaks against it.
    """
    at = naive(now) if sure else trusted(connection, now)
    connection.execute("CREATE TEMP TABLE ageing (report_key BIGINT, document_hash VARCHAR)")
    if settings.records_days:
        connection.execute(
            """
            INSERT INTO ageing
            SELECT report_key, document_hash FROM aggregate_report WHERE pruned_at IS NULL AND day < ?
            """,
            [_before(at, settings.records_days).date()],
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
                _before(at, settings.documents_days).date(),
            )
    messages = _older(connection, at, "message", _SEEN, settings.messages_days)
    return Pruned(records, documents, messages, *_forget(connection, settings, at), at)


def forget(connection: Connection, settings: RetentionSettings, now: datetime) -> tuple[int, int, int, int]:
    """Remove what is about single people's mail and older than its days; this happens at the end of each load, too.

    The bytes of refused mails, failure reports, bounces, and the personal fields of younger ones; how many of each.
    """
    return _forget(connection, settings, trusted(connection, now))


def trusted(connection: Connection, now: datetime) -> datetime:
    """The instant that ages are counted to: `now`, unless neither data from outside nor runs lead up to it.

    What others wrote speaks for the clock: the ends of reports, and when mails arrived at their server.
    """
    at = naive(now)
    row = connection.execute(_WITNESSES, [at + AHEAD]).fetchone()
    if row is None or row[0] is None:
        return at
    last: datetime = row[0]
    for (run,) in connection.execute(_RUNS, [last, at]).fetchall():
        if run > last + SILENCE:
            break
        last = run
    return min(at, last + SILENCE)


_WITNESSES = """
    SELECT max(told_at) FROM (
        SELECT end_at AS told_at FROM aggregate_report
        UNION ALL SELECT end_at FROM tls_report
        UNION ALL SELECT received_at FROM message
        UNION ALL SELECT arrival_at FROM failure_report
        UNION ALL SELECT sent_at FROM delivery_status
    ) WHERE told_at <= ?
"""
_RUNS = """
    SELECT max(started_at) FROM load_run WHERE started_at > ? AND started_at <= ?
    GROUP BY started_at::DATE ORDER BY ALL
"""
_DOCUMENTS = "DELETE FROM raw_document WHERE document_hash IN"

# When something came to us; where our clock was ahead at that time, when it is said to have happened.
_STORED = "CASE WHEN stored_at > ? THEN least(stored_at, day) ELSE stored_at END"
_SEEN = "CASE WHEN seen_at > ? THEN coalesce(received_at, seen_at) ELSE seen_at END"


def _forget(connection: Connection, settings: RetentionSettings, at: datetime) -> tuple[int, int, int, int]:
    quarantined = 0
    if settings.quarantine_days:
        quarantined = quarantine.forget(connection, _before(at, settings.quarantine_days), at)
    kinds = (("failure_report", settings.failures_days), ("delivery_status", settings.bounces_days))
    personal = sum(_depersonalise(connection, table, at, settings.personal_days) for table, _ in kinds)
    for table, days in kinds:
        _forget_mails(connection, table, at, days)
    failures, bounces = (_older(connection, at, table, _STORED, days) for table, days in kinds)
    return quarantined, failures, bounces, personal


def _depersonalise(connection: Connection, table: str, at: datetime, days: int) -> int:
    """Empty the personal fields of reports that are older, with the mails that hold them; how many had some."""
    if not days:
        return 0
    _forget_mails(connection, table, at, days)
    lists = ", rcpt_to = []" if table == "failure_report" else ""
    some = [f"{column} IS NOT NULL" for column in PERSONAL[table]] + (["len(rcpt_to) > 0"] if lists else [])
    empty = ", ".join(f"{column} = NULL" for column in PERSONAL[table])
    sql = f"UPDATE {table} SET {empty}{lists} WHERE ({' OR '.join(some)}) AND {_STORED} < ?"
    return _deleted(connection, sql, at + AHEAD, _before(at, days))


def _forget_mails(connection: Connection, table: str, at: datetime, days: int) -> None:
    if days:
        older = f"(SELECT message_hash FROM {table} WHERE {_STORED} < ?)"
        _deleted(connection, f"{_DOCUMENTS} {older}", at + AHEAD, _before(at, days))


def _older(connection: Connection, at: datetime, table: str, column: str, days: int) -> int:
    if not days:
        return 0
    return _deleted(connection, f"DELETE FROM {table} WHERE {column} < ?", at + AHEAD, _before(at, days))


def _before(at: datetime, days: int) -> datetime:
    try:
        return at - timedelta(days=days)
    except OverflowError:  # more days than there are: that is for ever
        return datetime.min  # noqa: DTZ901 - as the tables hold it


def _deleted(connection: Connection, sql: str, *values: object) -> int:
    row = connection.execute(sql, list(values)).fetchone()
    return int(row[0]) if row else 0
