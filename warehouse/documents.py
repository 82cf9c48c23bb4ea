"""Bytes as they came, compressed: documents of stored reports and messages in quarantine."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import pyarrow as pa

from ingest.inflated import Inflated
from warehouse.connect import Connection, insert

ZSTD = pa.Codec("zstd", compression_level=3)
DOCUMENT = pa.schema([("document_hash", pa.string()), ("size", pa.int64()), ("data", pa.binary())])


# No deflate stream begins so: its first bits would announce a stored block, whose length is there twice, the second
# time with all bits turned over (RFC 1951 section 3.2.4), and these are not.
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def packed(data: bytes | Inflated, deflated: bytes = b"") -> bytes:
    """Some bytes, Zstandard-compressed; or the deflate stream that they came in, where it halves them at least."""
    return deflated if 0 < 2 * len(deflated) <= len(data) else bytes(ZSTD.compress(bytes(data), asbytes=True))


def unpacked(data: bytes, size: int) -> bytes:
    """The bytes that `packed` was given; `size` is their number."""
    if not data.startswith(_ZSTD_MAGIC):
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size)
    return bytes(ZSTD.decompress(data, decompressed_size=size, asbytes=True))


def keep(connection: Connection, documents: Iterable[tuple[str, bytes]]) -> None:
    """Keep documents (hash, bytes) that are not kept yet: new reports bring new documents."""
    rows = [(name, len(data), packed(data)) for name, data in documents]
    if rows:
        insert(
            connection,
            "raw_document",
            pa.Table.from_pylist([dict(zip(DOCUMENT.names, r, strict=True)) for r in rows], DOCUMENT),
        )


def document(connection: Connection, report_key: int) -> bytes | None:
    """The document that a report was parsed from; None where it was not kept."""
    row = connection.execute(
        """
        SELECT data, size FROM raw_document
        WHERE document_hash = (SELECT document_hash FROM aggregate_report WHERE report_key = ?) LIMIT 1
        """,
        [report_key],
    ).fetchone()
    return unpacked(*row) if row else None
