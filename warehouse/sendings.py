"""What was sent to whom: a row before each try, completed after it, so that a crash never sends twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from warehouse.connect import Connection

STALE = timedelta(minutes=15)
"""A try that began longer ago than this will not end: the program died in the middle of it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be sent once: `purpose` is what it is about, for this recipient of this channel."""

    channel: str
    recipient: str
    purpose: str
    content_hash: str
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """A try to send something; see the table."""

    sending_key: int
    channel: str
    recipient: str
    purpose: str
    content_hash: str
    severity: str | None
    state: str
    started_at: datetime
    ended_at: datetime | None
    detail: str | None

    def standing(self, now: datetime) -> str:
        """Its state, where a try that will not end any more is unknown."""
        return "unknown" if self.state == "sending" and now - self.started_at > STALE else self.state


COLUMNS = "sending_key, channel, recipient, purpose, content_hash, severity, state, started_at, ended_at, detail"


def latest(connection: Connection, channel: str, recipient: str, purpose: str) -> Sending | None:
    """The last try with this purpose."""
    row = connection.execute(
        f"""
        SELECT {COLUMNS} FROM sending WHERE channel = ? AND recipient = ? AND purpose = ?
        ORDER BY sending_key DESC LIMIT 1
        """,
        [channel, recipient, purpose],
    ).fetchone()
    return Sending(*row) if row else None


def of_channel(connection: Connection, channel: str) -> list[Sending]:
    """The last try of each purpose on a channel, the oldest first."""
    rows = connection.execute(
        f"""
        SELECT {COLUMNS} FROM sending WHERE channel = ?
        QUALIFY row_number() OVER (PARTITION BY recipient, purpose ORDER BY sending_key DESC) = 1 ORDER BY sending_key
        """,
        [channel],
    ).fetchall()
    return [Sending(*row) for row in rows]


def begin(connection: Connection, parcel: Parcel, now: datetime, *, again: bool = False) -> int | Sending:
    """Claim a parcel in the caller's transaction: the key of the new try, or the earlier one that forbids it.

    Only what certainly failed is tried again, unless `again`. `now` is naive UTC.
    """
    before = latest(connection, parcel.channel, parcel.recipient, parcel.purpose)
    if before and before.state != "failed" and not again:
        return before
    row = connection.execute(
        """
        INSERT INTO sending (sending_key, channel, recipient, purpose, content_hash, severity, state, started_at)
        VALUES (nextval('sending_key_seq'), ?, ?, ?, ?, ?, 'sending', ?) RETURNING sending_key
        """,
        [parcel.channel, parcel.recipient, parcel.purpose, parcel.content_hash, parcel.severity, now],
    ).fetchone()
    assert row is not None
    return int(row[0])


def end(connection: Connection, key: int, state: str, now: datetime, detail: str = "") -> None:
    """Complete a try: sent, failed or unknown."""
    connection.execute(
        "UPDATE sending SET state = ?, ended_at = ?, detail = ? WHERE sending_key = ?",
        [state, now, detail or None, key],
    )
