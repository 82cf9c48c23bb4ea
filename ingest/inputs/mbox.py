"""The mails of an mbox file (RFC 4155), one at a time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import BinaryIO

from ingest.inputs.base import Message

PROBE = 4096
"""Bytes by which a file is told to be one."""

HEAD_BYTES = 2**20
"""How much is kept of a file or message that is too large to read."""

# RFC 4155 appendix A, and what is found: "From ", an address, and a time of day somewhere. Without the
# time, a paragraph that begins with the word would cut a mail in two.
FROM_LINE = re.compile(rb"From [^\r\n]*\d{1,2}:\d\d[^\r\n]*\r?\n")
_QUOTED_FROM = re.compile(rb">+From ")


def messages(start: bytes, stream: BinaryIO, origin: str, limit: int) -> Iterator[Message]:
    """The mails of an mbox file, one at a time; `>From ` loses one mark (the mboxrd way)."""
    number = 0
    mail = _Growing(limit)
    blank = True
    for line in _lines(start, stream):
        if blank and line.startswith(b"From ") and FROM_LINE.match(line):
            if number:
                yield mail.message(f"{origin}#{number}")
            number += 1
            mail = _Growing(limit, line)
        else:
            mail.add(line[1:] if _QUOTED_FROM.match(line) else line)
        blank = line in (b"\n", b"\r\n")
    yield mail.message(f"{origin}#{number}")


def _lines(start: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; one that is longer than a mebibyte comes in several pieces."""
    whole, end, rest = start.rpartition(b"\n")
    yield from io.BytesIO(whole + end)
    if first := rest + stream.readline(2**20):
        yield first
    while line := stream.readline(2**20):
        yield line


class _Growing:
    """A mail of an mbox while it is read: all of it, or its head once it is too large."""

    def __init__(self, limit: int, from_line: bytes = b"") -> None:
        self._limit = limit
        self._from_line = from_line
        self._raw = io.BytesIO()
        self._size = 0

    def add(self, line: bytes) -> None:
        self._size += len(line)
        if self._size <= self._limit:
            self._raw.write(line)

    def message(self, origin: str) -> Message:
        raw = self._raw.getvalue()
        if self._size > self._limit:
            raw = raw[: min(HEAD_BYTES, self._limit)]
        return Message(raw=raw, origin=origin, size=self._size, received_at=self._moment())

    def _moment(self) -> datetime | None:
        """The delivery time in the From_ line, which is in UTC (RFC 4155 appendix A) unless it says otherwise."""
        date = self._from_line.decode("ascii", "replace").strip().split(" ", 2)[-1]
        try:
            moment = parsedate_to_datetime(date)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
