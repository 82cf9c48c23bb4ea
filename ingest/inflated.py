"""A large document that stays packed: it is inflated anew, piece by piece, each time it is read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

PIECE = 2**18
"""Most bytes of a piece, packed or not."""


@dataclass(frozen=True, slots=True, eq=False)
class Inflated:
    """What a deflate stream (RFC 1951) holds that was read to its end before, within limits: `size` bytes.

    `digest` is their BLAKE2b-128 in hexadecimal. `bytes(it)` are all of them: for what needs the whole.
    """

    deflated: bytes
    size: int
    digest: str

    def pieces(self) -> Iterator[bytes]:
        """All of it, in order."""
        for piece, _ in inflating(self.deflated, -zlib.MAX_WBITS):
            yield piece

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())

    def __len__(self) -> int:
        return self.size

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bytes) and len(other) == self.size:
            return blake2b(other, digest_size=16).hexdigest() == self.digest
        return isinstance(other, Inflated) and self.digest == other.digest

    __hash__ = None  # type: ignore[assignment]


def inflating(packed: bytes | memoryview, wbits: int) -> Iterator[tuple[bytes, int]]:
    """One deflate stream or gzip member in pieces, each with how many bytes of `packed` all until then took.

    Raises zlib.error.
    """
    stream, view, at = zlib.decompressobj(wbits), memoryview(packed), 0
    while not stream.eof:
        piece = stream.unconsumed_tail
        if not piece:
            piece = bytes(view[at : at + PIECE])
            at += len(piece)
        data = stream.decompress(piece, PIECE)
        if not piece and not data and not stream.eof:
            raise zlib.error("it ends too early")
        # What follows the end may be told as both.
        yield data, at - len(stream.unused_data or stream.unconsumed_tail)
