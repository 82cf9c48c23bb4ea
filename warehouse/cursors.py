"""How far each mailbox was read, and what is still owed to it. Moves with the rows, never apart from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import pyarrow as pa

from ingest.inputs.base import Message, Position
from warehouse.connect import Connection, insert
from warehouse.rows import table

POSITION = pa.schema(
    [("mailbox", pa.string()), ("folder", pa.string()), ("uidvalidity", pa.int64()), ("uid", pa.int64())]
)


def cursors(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """(mailbox, folder) → (uidvalidity, highest uid whose outcome is committed)."""
    rows = connection.execute("SELECT mailbox, folder, uidvalidity, uid FROM mailbox_cursor").fetchall()
    return {(mailbox, folder): (uidvalidity, uid) for mailbox, folder, uidvalidity, uid in rows}


def advance(connection: Connection, messages: Iterable[Message], now: datetime) -> None:
    """Move the cursors over some messages. A slower second poller never moves one back."""
    known = cursors(connection)
    moved: dict[tuple[str, str], tuple[int, int]] = {}
    for message in messages:
        if at := message.position:
            place = (at.mailbox, at.folder)
            before = moved.get(place, known.get(place))
            if before is None or before[0] != at.uidvalidity or before[1] < at.uid:
                moved[place] = (at.uidvalidity, at.uid)
    for (mailbox, folder), (uidvalidity, uid) in moved.items():
        connection.execute("DELETE FROM mailbox_cursor WHERE mailbox = ? AND folder = ?", [mailbox, folder])
        connection.execute(
            "INSERT INTO mailbox_cursor VALUES (?, ?, ?, ?, ?)", [mailbox, folder, uidvalidity, uid, now]
        )


def owe(connection: Connection, positions: Sequence[Position]) -> None:
    """Note that these messages are committed but not yet marked or moved."""
    if positions:
        insert(connection, "mailbox_action", _table(positions))


def owed(connection: Connection, mailbox: str) -> list[Position]:
    """What is still owed to a mailbox."""
    rows = connection.execute(
        "SELECT mailbox, folder, uidvalidity, uid FROM mailbox_action WHERE mailbox = ? ORDER BY folder, uid",
        [mailbox],
    ).fetchall()
    return [Position(*row) for row in rows]


def paid(connection: Connection, positions: Sequence[Position]) -> None:
    """Forget what was owed for these messages."""
    if positions:
        connection.register("incoming", _table(positions))
        connection.execute(
            """
            DELETE FROM mailbox_action WHERE (mailbox, folder, uidvalidity, uid) IN
            (SELECT (mailbox, folder, uidvalidity, uid) FROM incoming)
            """
        )
        connection.unregister("incoming")


def _table(positions: Sequence[Position]) -> pa.Table:
    return table(POSITION, [(at.mailbox, at.folder, at.uidvalidity, at.uid) for at in positions])
