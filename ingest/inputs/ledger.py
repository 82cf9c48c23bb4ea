"""Numbers for messages that have none: what UIDs are to IMAP, for mailboxes that are read through an API.

Gmail and Graph name messages by opaque texts that do not rise, and the time of receipt is no
cursor either: two messages share it, and mail that is moved or imported into a folder brings an
old one along. So each message gets a number here when it is listed first, and from there on
everything works as with IMAP: the warehouse's cursor is (validity, highest number committed), what
stands above it is fetched, and what is owed to the mailbox is found by its number.

The ledger is a cache, not a truth: without it a new validity begins, everything is read again, and
the reports' identity makes that harmless.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import MailboxError, MailboxUnreachable

_WAIT = 30.0  # seconds for another poller
_CHUNK = 500  # SQLite takes 999 parameters at least
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    uid INTEGER PRIMARY KEY AUTOINCREMENT, folder TEXT NOT NULL, key TEXT NOT NULL, received_at REAL,
    UNIQUE (folder, key));
CREATE TABLE IF NOT EXISTS ledger (account TEXT NOT NULL, validity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS listing (folder TEXT PRIMARY KEY, at REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as the API lists it; `received_at` in seconds since 1970, None where it is not told yet."""

    key: str
    received_at: float | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message with the number that the ledger gave it."""

    uid: int
    key: str


class Ledger:
    """The numbers of one mailbox, in one small file. `account` is whose they are: another's are forgotten."""

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        self._account = account

    def validity(self) -> int:
        """What UIDVALIDITY is to IMAP (RFC 9051 section 2.3.1.1): another one means other numbers."""
        with self._transaction() as connection:
            return int(connection.execute("SELECT validity FROM ledger").fetchone()[0])

    def note(self, folder: str, listed: Sequence[Listed]) -> int:
        """Number what is new, in this order; says how many that were."""
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT INTO message (folder, key, received_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(folder, each.key, each.received_at) for each in listed],
            )
            return connection.total_changes - before

    def above(self, folder: str, uid: int) -> list[Numbered]:
        """What has a higher number, rising."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT uid, key FROM message WHERE folder = ? AND uid > ? ORDER BY uid", (folder, uid)
            ).fetchall()
        return [Numbered(*row) for row in rows]

    def keys(self, uids: Sequence[int]) -> dict[int, str]:
        """The API's names of numbers that are known."""
        found: dict[int, str] = {}
        with self._transaction() as connection:
            for start in range(0, len(uids), _CHUNK):
                part = uids[start : start + _CHUNK]
                marks = ",".join("?" * len(part))
                found.update(connection.execute(f"SELECT uid, key FROM message WHERE uid IN ({marks})", part))  # noqa: S608
        return found

    def received(self, at: Sequence[tuple[int, float]]) -> None:
        """Note when messages were received, where that was not listed."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE message SET received_at = ? WHERE uid = ?", [(when, uid) for uid, when in at]
            )

    def forget(self, uids: Sequence[int]) -> None:
        """Drop messages that are gone from the mailbox."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM message WHERE uid = ?", [(uid,) for uid in uids])

    def newest(self, folder: str) -> float | None:
        """When the newest known message of a folder was received."""
        with self._transaction() as connection:
            row = connection.execute("SELECT max(received_at) FROM message WHERE folder = ?", (folder,)).fetchone()
        return None if row[0] is None else float(row[0])

    def listed_at(self, folder: str) -> float:
        """When the whole folder was listed last."""
        with self._transaction() as connection:
            row = connection.execute("SELECT at FROM listing WHERE folder = ?", (folder,)).fetchone()
        return float(row[0]) if row else 0.0

    def listed(self, folder: str, at: float) -> None:
        """Note that the whole folder was listed."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO listing VALUES (?, ?)", (folder, at))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Opened for a moment each time, so that pollers share the file and nothing is held by a thread."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            with contextlib.closing(sqlite3.connect(self._path, timeout=_WAIT)) as connection, connection:
                self._begin(connection)
                yield connection
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise self._unusable(error) from error
            raise MailboxUnreachable(
                f"{str(self._path)!r} is in use by another process.", "Try again later."
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _begin(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        row = connection.execute("SELECT account FROM ledger").fetchone()
        if row is None or row[0] != self._account:
            for table in ("message", "ledger", "listing"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            # 31 bits, as UIDVALIDITY has 32; by chance, so that a lost ledger does not come back with the same.
            connection.execute("INSERT INTO ledger VALUES (?, ?)", (self._account, 1 + secrets.randbelow(2**31 - 1)))

    def _unusable(self, error: Exception) -> MailboxError:
        return MailboxError(
            f"The ledger {str(self._path)!r} cannot be used: {error}.",
            "Check ledger_file and its owner. It can be deleted: everything is read again, and nothing counts twice.",
        )
