"""How documents and messages are compressed: no table is touched, so whoever only reads need not load DuckDB."""

from __future__ import annotations

import zlib
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from ingest.inflated import Inflated

if TYPE_CHECKING:
    import pyarrow as pa

# No deflate stream begins so: its first bits would announce a stored block, whose length is there twice, the second
# time with all bits turned over (RFC 1951 section 3.2.4), and these are not.
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@cache
def columns() -> pa.Schema:
    """The columns of documents."""
    import pyarrow as pa  # noqa: PLC0415 - whoever only reads answers need not load it

    return pa.schema([("document_hash", pa.string()), ("size", pa.int64()), ("data", pa.binary())])


@cache
def _zstd() -> pa.Codec:
    import pyarrow as pa  # noqa: PLC0415 - as above

    return pa.Codec("zstd", compression_level=3)


def document_hash(document: bytes) -> str:
    """BLAKE2b-128 of some bytes, in hexadecimal: how documents and messages are told apart."""
    return blake2b(document, digest_size=16).hexdigest()


def packed(data: bytes | Inflated, deflated: bytes = b"") -> bytes:
    """Some bytes, Zstandard-compressed; or the deflate stream that they came in, where it halves them at least."""
    return deflated if 0 < 2 * len(deflated) <= len(data) else bytes(_zstd().compress(bytes(data), asbytes=True))


def unpacked(data: bytes, size: int) -> bytes:
    """The bytes that `packed` was given; `size` is their number."""
    if not data.startswith(_ZSTD_MAGIC):
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size)
    return bytes(_zstd().decompress(data, decompressed_size=size, asbytes=True))
