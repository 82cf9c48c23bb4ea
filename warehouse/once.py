"""What was stored before, for reports that are told apart by a hash: each is stored once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from warehouse.connect import Connection
from warehouse.outdated import Reader
from warehouse.packing import document_hash
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


class Said(NamedTuple):
    """What reports say beside their identities: hashes of content and of document; and which parser read them."""

    contents: Sequence[str]
    documents: Sequence[str]
    reader: Reader


def decide(connection: Connection, place: Place, identities: Sequence[str], said: Said | None = None) -> list[Ended]:
    """For each identity, in order: whether it is new. New ones get their keys.

    The same identity with other content is a conflict; what is told by its whole content has none. The same bytes are
    the same report, though an older parser may have taken them for another.
    """
    if not identities:
        return []
    contents, documents = (said.contents, said.documents) if said else (identities, identities)
    known = _known(connection, place, identities)
    if said:
        known = _older(connection, place, identities, said) | known
    keys = iter(next_keys(connection, place.sequence, len(set(identities) - known.keys())))
    ended = []
    for identity, content, document in zip(identities, contents, documents, strict=True):
        if identity in known:
            key, stored = known[identity]
            same = stored == content or (said and said.reader.finds_the_same(connection, key, document, content))
            ended.append(Ended(DUPLICATE if same else CONFLICT, key))
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


def _older(connection: Connection, place: Place, identities: Sequence[str], said: Said) -> dict[str, tuple[int, str]]:
    """The same by their documents, of what an older parser read."""
    rows = connection.execute(
        f"""
        SELECT DISTINCT document_hash, {place.key} FROM {place.table}
        WHERE parser_version < ? AND document_hash IN (SELECT unnest(?::VARCHAR[]))
        """,
        [said.reader.version, list(set(said.documents))],
    ).fetchall()
    keys = dict(rows)
    of = zip(identities, said.contents, said.documents, strict=True)
    return {identity: (keys[document], content) for identity, content, document in of if document in keys}
