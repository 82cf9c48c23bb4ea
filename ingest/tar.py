"""Members of a tar file (POSIX.1-2001 "pax", ustar, GNU), each as it comes, with nothing written to disk.

The standard library's reader is not for strangers' files: of one that was made for it, it takes hours or never ends.
Here each block is looked at once, and of all headers only the name, the size and the type count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ingest.errors import MalformedReport, UnsafeArchive
from ingest.outcome import Reason

_BLOCK = 512
_MAGIC, _MAGIC_AT = b"ustar", 257
_FILES = (b"0", b"\0", b"7")
_NAMES = (b"x", b"L")  # what they hold is about the next member
_WITHOUT_DATA = tuple(b"%d" % kind for kind in range(1, 7))  # links, devices, folders
_IN_PIECES = (b"S", b"M")  # files with holes, and what another volume began: GNU's own
_NAME_LIMIT = 8 * 2**10
_PATH = re.compile(rb"(?:^|\n)[0-9]{1,6} path=([^\n]{1,4096})\n")


class Member(NamedTuple):
    """A file in it; the name is as it is written there."""

    name: str
    data: bytes


def is_tar(head: bytes) -> bool:
    """Whether what begins so is a tar file."""
    return head.startswith(_MAGIC, _MAGIC_AT)


def members(pieces: Iterable[bytes], limit: int) -> Iterator[Member]:
    """Yield each file in it; several tar files joined are one.

    Raises MalformedReport where it is cut off or damaged, UnsafeArchive for a file of more than `limit` bytes. What
    was yielded before stays valid.
    """
    stream, name = _Stream(pieces), ""
    for header in _headers(stream):
        kind, size = header[156:157], _number(header[124:136])
        if kind in _IN_PIECES:
            raise _damaged("it holds a file in pieces, which is not read")
        if kind in _FILES:
            if size > limit:
                raise UnsafeArchive(Reason.EXPANDS_TOO_FAR, f"A file in it has more than {limit} bytes.")
            yield Member(name or _short_name(header), stream.block(size, size))
        elif kind in _NAMES:
            name = _told(kind, stream.block(size, min(size, _NAME_LIMIT))) or name
            continue
        elif kind not in _WITHOUT_DATA:
            stream.block(size, 0)
        name = ""


def _headers(stream: _Stream) -> Iterator[bytes]:
    """The headers; whoever takes one reads what belongs to it before the next. Blocks of zeros stand at the end."""
    found = ended = False
    while header := stream.read(_BLOCK):
        if not any(header):
            ended = True
        elif _is_header(header):
            found, ended = True, False
            yield header
        elif ended and found:
            return  # what follows the end is of no matter
        else:
            raise _damaged("a header is damaged")
    if not ended:
        raise _damaged("its end is missing")


class _Stream:
    """Bytes that come in pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """So many bytes, or fewer at the end."""
        parts: list[memoryview] = []
        while size and (part := self._part(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def block(self, size: int, wanted: int) -> bytes:
        """The first `wanted` of `size` bytes; what fills their last block is passed over. Raises MalformedReport."""
        data, left = self.read(wanted), size - wanted
        while left and (part := self._part(left)):
            left -= len(part)
        if len(data) < wanted or left:
            raise _damaged("it ends within a file")
        self.read(-size % _BLOCK)
        return data

    def _part(self, size: int) -> memoryview:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest = memoryview(piece)
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _is_header(block: bytes) -> bool:
    """Whether its checksum is right, which is computed as if blanks stood in its own place."""
    if len(block) < _BLOCK:
        return False
    try:
        return _number(block[148:156]) == sum(block) - sum(block[148:156]) + 8 * 32
    except MalformedReport:
        return False


def _number(field: bytes) -> int:
    """Octal digits, ended or padded by blanks and zero bytes. Numbers of GNU's own kind are beyond all that is read."""
    digits = field.replace(b"\0", b" ").strip()
    if not re.fullmatch(rb"[0-7]*", digits):
        raise _damaged("a size is no number")
    return int(digits or b"0", 8)


def _short_name(header: bytes) -> str:
    return header[:100].partition(b"\0")[0].decode("utf-8", "replace")


def _told(kind: bytes, data: bytes) -> str:
    """The name that stands in front of a member: GNU's is the text itself, pax writes `30 path=…`."""
    found = _PATH.search(data)
    raw = data.partition(b"\0")[0] if kind == b"L" else found[1] if found else b""
    return raw.decode("utf-8", "replace")


def _damaged(how: str) -> MalformedReport:
    return MalformedReport(
        Reason.BROKEN_ARCHIVE,
        f"The tar file is cut off or damaged: {how}.",
        "Pack it again, or name the files in it.",
    )
