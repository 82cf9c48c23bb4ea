"""Messages that were refused: kept with the reason and, for a time, their bytes, until a retry succeeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from ingest.inputs.base import Message
from ingest.outcome import Opinion, Quarantined
from warehouse import journal
from warehouse.connect import Connection
from warehouse.instants import naive, utc
from warehouse.packing import document_hash, packed, unpacked
from warehouse.reads import frame

COLUMNS = """
    quarantine_key, reason, sentence, origin, size, received_at, first_seen_at, last_seen_at, times_seen,
    kept, dropped_at, message_hash, parsedmarc_reads, parsedmarc_says
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in quarantine; `message.raw` holds its bytes as they came, unless they were dropped for their age."""

    quarantine_key: int
    reason: str
    sentence: str
    message: Message
    dropped_at: datetime | None = None
    opinion: Opinion | None = None

    @property
    def can_be_read(self) -> bool:
        """Whether there is something to read again; a file that could not be opened never had bytes."""
        return bool(self.message.raw)


def keep(connection: Connection, message: Message, outcome: Quarantined, now: datetime) -> None:
    """Keep a refused message; the same bytes are kept once, and counted."""
    from ingest.reports.aggregate import PARSER_VERSION  # noqa: PLC0415 - whoever lists what is there need not load it

    identity = document_hash(message.raw or message.origin.encode("utf-8", "surrogateescape"))
    opinion = outcome.opinion
    said = (opinion.reads, opinion.sentence) if opinion else (None, None)
    values = [outcome.reason.value, outcome.sentence, now, PARSER_VERSION, *said, identity]
    again = connection.execute(
        """
        UPDATE quarantine SET reason = ?, sentence = ?, last_seen_at = ?, parser_version = ?,
               parsedmarc_reads = ?, parsedmarc_says = ?, times_seen = times_seen + 1
        WHERE message_hash = ? RETURNING dropped_at
        """,
        values,
    ).fetchall()
    if again and again[0][0] is not None:
        # It came again, so its bytes are here again.
        connection.execute(
            "UPDATE quarantine SET kept = ?, data = ?, dropped_at = NULL WHERE message_hash = ?",
            [len(message.raw), packed(message.raw), identity],
        )
    if not again:
        connection.execute(
            """
            INSERT INTO quarantine (quarantine_key, reason, sentence, last_seen_at, parser_version,
                                    parsedmarc_reads, parsedmarc_says, message_hash,
                                    origin, size, received_at, first_seen_at, times_seen, kept, data)
            VALUES (nextval('quarantine_key_seq'), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
            """,
            [
                *values,
                message.origin,
                message.size,
                utc(message.received_at),
                now,
                len(message.raw),
                packed(message.raw),
            ],
        )


def release(connection: Connection, quarantine_key: int) -> None:
    """Let a message go from quarantine: its reports are stored now."""
    connection.execute("DELETE FROM quarantine WHERE quarantine_key = ?", [quarantine_key])


def forget(connection: Connection, before: datetime, now: datetime) -> int:
    """Drop the bytes of messages that were refused last before then; the row stays. How many had some.

    A message that was noted while the clock was far ahead is as old as its mailbox says.
    """
    row = connection.execute(
        """
        UPDATE quarantine SET kept = 0, data = ''::BLOB, dropped_at = ?
        WHERE kept > 0 AND CASE WHEN last_seen_at > ? THEN coalesce(received_at, last_seen_at) ELSE last_seen_at END < ?
        """,
        [now, now + timedelta(days=2), before],
    ).fetchone()
    return int(row[0]) if row else 0


def drop(connection: Connection, keys: Sequence[int], actor: str, now: datetime) -> None:
    """Remove messages for good because a person said so; the journal keeps who, and what they were."""
    for key in keys:
        kept = show(connection, key)
        if kept:
            before: journal.State = {
                "reason": kept.reason,
                "origin": kept.message.origin,
                "size": str(kept.message.size),
            }
            entry = journal.Entry(naive(now), actor, "quarantine.drop", str(key), before, None)
            journal.append(connection, entry)
            release(connection, key)


def listing(connection: Connection, reason: str | None = None) -> pl.DataFrame:
    """What is in quarantine, latest first, without the bytes; `reason` narrows it."""
    return frame(
        connection,
        f"SELECT {COLUMNS} FROM quarantine WHERE reason = coalesce(?, reason) ORDER BY quarantine_key DESC",
        [reason],
    )


def show(connection: Connection, quarantine_key: int) -> Kept | None:
    """One message with its bytes; None where there is none by this key."""
    row = connection.execute(
        """
        SELECT quarantine_key, reason, sentence, data, kept, size, origin, received_at, dropped_at,
               parsedmarc_reads, parsedmarc_says
        FROM quarantine WHERE quarantine_key = ?
        """,
        [quarantine_key],
    ).fetchone()
    if row is None:
        return None
    key, reason, sentence, data, kept, size, origin, received_at, dropped_at, reads, says = row
    raw = unpacked(data, kept) if kept else b""
    opinion = None if says is None else Opinion(bool(reads), says)
    return Kept(key, reason, sentence, Message(raw, origin, size, received_at), dropped_at, opinion)
