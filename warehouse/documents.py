"""The documents that reports were parsed from, once each."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow as pa

from warehouse.connect import Connection, insert
from warehouse.packing import columns, packed, unpacked


def keep(connection: Connection, documents: Iterable[tuple[str, bytes]]) -> None:
    """Keep documents (hash, bytes) that are not kept yet: new reports bring new documents."""
    rows = [(name, len(data), packed(data)) for name, data in documents]
    if rows:
        insert(
            connection,
            "raw_document",
            pa.Table.from_pylist([dict(zip(columns().names, r, strict=True)) for r in rows], columns()),
        )


def document(connection: Connection, report_key: int) -> bytes | None:
    """The document that a report was parsed from; None where it was not kept."""
    return _first(connection, "(SELECT document_hash FROM aggregate_report WHERE report_key = ?)", report_key)


def of(connection: Connection, document_hash: str) -> bytes | None:
    """The document with this hash; None where it was not kept."""
    return _first(connection, "?", document_hash)


def _first(connection: Connection, name: str, value: int | str) -> bytes | None:
    sql = f"SELECT data, size FROM raw_document WHERE document_hash = {name} LIMIT 1"
    row = connection.execute(sql, [value]).fetchone()
    return unpacked(*row) if row else None


def forget(connection: Connection, hashes: Collection[str], table: str) -> None:
    """Of these documents, keep those that a report of a table (of a kind) was parsed from."""
    connection.execute(
        f"""
        DELETE FROM raw_document WHERE document_hash IN (SELECT unnest(?::VARCHAR[]))
        AND document_hash NOT IN (SELECT document_hash FROM {table})
        """,
        [sorted(hashes)],
    )
