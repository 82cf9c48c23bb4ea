"""Cutting mail into header, body and parts (RFC 5322, RFC 2046), each byte looked at once a level.

The standard library's parser tests each line against every enclosing boundary, which a mail of a thousand
nested parts turns into hours; nothing here goes deeper than it is told to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.errors import MalformedReport
from ingest.outcome import Reason

HEADER_LIMIT = 256 * 2**10
"""Most bytes of one header; Exchange writes about 20 kB."""

FIELD_LIMIT = 8 * 2**10
"""Most characters that are kept of one field."""

FIELDS_LIMIT = 2000
"""Most fields that are kept of one header or block of fields."""

_FOLDS_LIMIT = 200

_HEADER_END = re.compile(rb"\n\r?\n")
_FIELD = re.compile(r"([!-9;-~]{1,76})[ \t]*:(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a message, so that nesting copies nothing until a leaf is reached."""

    raw: bytes
    start: int
    end: int

    def data(self) -> bytes:
        """Its bytes."""
        return self.raw[self.start : self.end]


def split(span: Span) -> tuple[bytes, Span]:
    """The header's bytes and the body. Raises MalformedReport for a header of a size no mail has."""
    raw, start, end = span.raw, span.start, span.end
    if raw.startswith((b"\n", b"\r\n"), start, end):  # no header at all
        return b"", Span(raw, start, end)
    found = _HEADER_END.search(raw, start, min(end, start + HEADER_LIMIT))
    if found is None and end - start > HEADER_LIMIT:
        raise MalformedReport(Reason.BROKEN_MESSAGE, f"Its header has more than {HEADER_LIMIT} bytes, as in no mail.")
    return raw[start : found.start() if found else end], Span(raw, found.end() if found else end, end)


def parts(body: Span, boundary: str) -> Iterator[Span]:
    """The parts between delimiter lines (RFC 2046 section 5.1.1); a missing last one is forgiven."""
    raw, end = body.raw, body.end
    mark = b"\n--" + boundary.encode("utf-8", "replace")
    begin = -1
    # The delimiter's line end belongs to it, but at the very start of a body there is none.
    at = body.start - 1 if raw.startswith(mark[1:], body.start, end) else raw.find(mark, body.start, end)
    while boundary and at >= body.start - 1:
        line_end = raw.find(b"\n", at + len(mark), end)
        line_end = end if line_end < 0 else line_end
        rest = raw[at + len(mark) : line_end].strip()
        if rest in (b"", b"--"):
            if begin >= 0:
                yield Span(raw, begin, max(begin, at - raw.startswith(b"\r", at - 1)))
            begin = line_end + 1
            if rest:
                return
        at = raw.find(mark, line_end, end)
        if at < 0:
            break
    if 0 <= begin < end:
        yield Span(raw, begin, end)


def cut(body: Span, boundary: str) -> Iterator[Span]:
    """The parts by the boundary that the header names; where there is none such, by what looks like one."""
    first = None
    for first in parts(body, boundary):
        yield first
    if first is None and (guessed := _guessed_boundary(body)) != boundary:
        yield from parts(body, guessed)


def _guessed_boundary(body: Span) -> str:
    """The first line that looks like a delimiter."""
    found = re.search(rb"^--([^\s-][^\s]{4,69})\r?$", body.raw[body.start : body.start + 4096], re.MULTILINE)
    return found[1].decode("utf-8", "replace") if found else ""


def fields(block: bytes, limit: int = FIELDS_LIMIT) -> list[tuple[str, str]]:
    """The fields of a header or of a block written like one: names in lower case, values on one line.

    A line that is neither a field nor folded continues the one before: reporters wrap diagnostics by hand.
    """
    found: list[tuple[str, list[str]]] = []
    for line in block.decode("utf-8", "replace").split("\n"):
        start = None if line[:1] in (" ", "\t") else _FIELD.fullmatch(line)
        if start is not None:
            if len(found) >= limit:
                break
            found.append((start[1].lower(), [start[2].strip()[:FIELD_LIMIT]]))
        elif found and len(found[-1][1]) < _FOLDS_LIMIT and line.strip():
            found[-1][1].append(line.strip()[:FIELD_LIMIT])
    return [(name, " ".join(piece for piece in pieces if piece)[:FIELD_LIMIT]) for name, pieces in found]
