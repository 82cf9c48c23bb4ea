"""Who did what: an append-only log in which each entry carries the hash of the one before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from warehouse.connect import Connection

State = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did: `action` as noun.verb, `subject` what it was done to."""

    written_at: datetime
    actor: str
    action: str
    subject: str
    before: State | None
    after: State | None


def append(connection: Connection, entry: Entry) -> None:
    """Add an entry, in the transaction of what it tells of."""
    last = connection.execute("SELECT hash FROM journal ORDER BY entry_key DESC LIMIT 1").fetchone()
    previous = last[0] if last else ""
    values = _values(entry)
    connection.execute(
        """
        INSERT INTO journal (entry_key, written_at, actor, action, subject, before, after, previous, hash)
        VALUES (nextval('entry_key_seq'), ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [entry.written_at, *values, previous, _hash(entry.written_at, values, previous)],
    )


def entries(connection: Connection, subject: str | None = None, limit: int | None = None) -> list[Entry]:
    """The entries about a subject, or all of them, the oldest first; of more than `limit` the latest."""
    rows = connection.execute(
        """
        SELECT written_at, actor, action, subject, before, after FROM (
            FROM journal WHERE ? IS NULL OR subject = ? ORDER BY entry_key DESC LIMIT ?
        ) ORDER BY entry_key
        """,
        [subject, subject, limit if limit is not None else 2**62],
    ).fetchall()
    return [Entry(*row[:4], *(json.loads(state) if state else None for state in row[4:])) for row in rows]


def length(connection: Connection) -> tuple[int, str]:
    """How many entries there are, and the hash of the last: noted elsewhere, it proves that none was cut off."""
    row = connection.execute("SELECT count(*), max_by(hash, entry_key) FROM journal").fetchone()
    return (int(row[0]), row[1] or "") if row else (0, "")


def holds(connection: Connection, noted: str) -> bool:
    """Whether an entry has this hash, or one that begins so: what once was noted must still be there."""
    row = connection.execute("SELECT count(*) FROM journal WHERE starts_with(hash, ?)", [noted.lower()]).fetchone()
    return bool(row and row[0])


def verify(connection: Connection) -> int | None:
    """The key of the first entry that was changed, or follows one that is gone; None where all hold."""
    rows = connection.execute(
        """
        SELECT entry_key, written_at, actor, action, subject, before, after, previous, hash
        FROM journal ORDER BY entry_key
        """
    ).fetchall()
    expected = ""
    for key, written_at, actor, action, subject, before, after, previous, noted in rows:
        values = (actor, action, subject, before, after)
        if previous != expected or noted != _hash(written_at, values, previous):
            return int(key)
        expected = noted
    return None


def _values(entry: Entry) -> tuple[str | None, ...]:
    before, after = (
        None if state is None else json.dumps(state, sort_keys=True) for state in (entry.before, entry.after)
    )
    return entry.actor, entry.action, entry.subject, before, after


def _hash(written_at: datetime, values: tuple[str | None, ...], previous: str) -> str:
    return sha256(json.dumps([written_at.isoformat(), *values, previous]).encode()).hexdigest()
