"""What an older parser made of a stored report is compared by its document: the hashes of two parsers tell nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.errors import MalformedReport
from warehouse import documents
from warehouse.connect import Connection


@dataclass(frozen=True, slots=True)
class Reader:
    """Which parser reads the reports of a table, and the hash of what one of their documents says to it."""

    table: str
    key: str
    version: int
    content: Callable[[bytes], str]

    def finds_the_same(self, connection: Connection, key: int, document_hash: str, content: str) -> bool:
        """Whether a stored report that an older parser read says what a document says to this one: `content`.

        Of a report that this parser read its hash has told that already, and so it does where its document is gone.
        """
        row = connection.execute(
            f"SELECT document_hash FROM {self.table} WHERE {self.key} = ? AND parser_version < ?", [key, self.version]
        ).fetchone()
        if row is None:
            return False
        if row[0] == document_hash:
            return True
        document = documents.of(connection, row[0])
        try:
            return document is not None and self.content(document) == content
        except MalformedReport:
            return False
