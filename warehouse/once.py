"""What was stored before, for reports that are told apart by a hash: each is stored once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from warehouse.connect import Connection
from warehouse.rows import document_hash
from warehouse.save import CONFLICT, DUPLICATE, NEW, next_keys


@dataclass(frozen=True, slots=True)
class Place:
    """Where reports of a kind are: the table, its key, the sequence of keys, the column that tells them apart."""

    table: str
    key: str
    sequence: str
    identity: str = "message_hash"
    content: str = "message_hash"


class Ended(NamedTuple):
    """What became of one report: NEW, DUPLICATE or CONFLICT; and the key of the one that is stored."""

    status: str
    key: int


def message_hash(raw: bytes) -> str:
    """A mail's hash, the same however it was fetched: line ends and blank lines around it do not count."""
    return document_hash(raw.replace(b"\r\n", b"\n").strip())


def decide(
    connection: Connection, place: Place, identities: Sequence[str], contents: Sequence[str] | None = None
) -> list[Ended]:
    """For each identity, in order: whether it is new. New ones get their keys.

    The same identity with other content is a conflict; what is told by its whole content has none.
    """
    if not identities:
        return []
    contents = contents or identities
    known = _known(connection, place, identities)
    keys = iter(next_keys(connection, place.sequence, len(set(identities) - known.keys())))
    ended = []
    for identity, content in zip(identities, contents, strict=True):
        if identity in known:
            key, stored = known[identity]
            ended.append(Ended(DUPLICATE if stored == content else CONFLICT, key))
        else:
            key = next(keys)
            known[identity] = (key, content)
            ended.append(Ended(NEW, key))
    return ended


def _known(connection: Connection, place: Place, identities: Sequence[str]) -> dict[str, tuple[int, str]]:
    rows = connection.execute(
        f"""
        SELECT DISTINCT {place.identity}, {place.key}, {place.content} FROM {place.table}
        WHERE {place.identity} IN (SELECT unnest(?::VARCHAR[]))
        """,
        [list(set(identities))],
    ).fetchall()
    return {identity: (key, content) for identity, key, content in rows}
