"""A mail that a mail system wrote about another mail: its fields, its parts, its text, and what it returns.

What failure reports (RFC 5965) and bounces (RFC 3464) have in common is their envelope, multipart/report (RFC 6522),
and that many systems leave it away.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Fields
from itertools import islice

from ingest import mime
from ingest.decoding import decoded
from ingest.errors import MalformedReport
from ingest.mime import Span
from ingest.outcome import Reason

PARTS_LIMIT = 100
LEVELS_LIMIT = 10
TEXT_BYTES = 128 * 2**10
"""Most bytes that are read of a text for people, and of a returned header."""

_PARAMETERS_LIMIT = 2 * 2**10  # of one content field: parsing its parameters takes the square of them

_MESSAGES = ("message/rfc822", "message/global")
_HEADERS = ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers")
_CHARSET = re.compile(r"(?:utf|iso|windows|cp|latin|us-ascii|ascii|koi8|gb|big5|euc|shift|sjis|tis)[\w.-]{0,20}")


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the mail, without its transfer encoding. A returned message is a leaf too."""

    content_type: str
    charset: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """A whole mail. `fields` are those of its own header, names in lower case."""

    fields: dict[str, list[str]]
    content_type: str
    report_type: str
    parts: tuple[Part, ...] = field(default=())

    def first(self, name: str) -> str:
        """The value of a field of its header, b"" where it has none; encoded words (RFC 2047) decoded."""
        values = self.fields.get(name, ())
        return decoded_words(values[0]) if values else ""

    def part(self, *content_types: str) -> Part | None:
        """The first part of one of these types."""
        return next((part for part in self.parts if part.content_type in content_types), None)

    def text(self) -> str:
        """The text for people: the first plain one, else the first in HTML without its markup."""
        plain = self.part("text/plain")
        if plain is not None and plain.data.strip():
            return as_text(plain)
        marked_up = self.part("text/html")
        return _without_markup(as_text(marked_up)) if marked_up is not None else ""

    def returned(self) -> tuple[str, dict[str, list[str]]]:
        """What it returns of the other mail as a part: "message", "headers" or "", and that mail's header."""
        for kind, content_types in (("message", _MESSAGES), ("headers", _HEADERS)):
            part = self.part(*content_types)
            if part is not None:
                return kind, header(part.data)
        return "", {}


def read(raw: bytes) -> Notice:
    """Take a mail apart. Raises MalformedReport where it has more parts or levels than a notice has."""
    if b"\n" not in raw[: mime.HEADER_LIMIT]:
        raw = raw.replace(b"\r", b"\n")  # line ends of old Macs
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t \0").replace(b"\r\n", b"\n")
    raw = raw.partition(b"\n")[2] if raw.startswith((b"From ", b">From ")) else raw
    head, body = mime.split(Span(raw, 0, len(raw)))
    own = grouped(mime.fields(head))
    content = _content(own)
    parts = tuple(islice(_leaves(content, body, 0), PARTS_LIMIT + 1))
    if len(parts) > PARTS_LIMIT:
        raise MalformedReport(Reason.TOO_MANY_PARTS, f"It has more than {PARTS_LIMIT} parts.")
    return Notice(own, content.get_content_type(), str(content.get_param("report-type", "")).lower(), parts)


def grouped(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Fields by their names."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


def header(raw: bytes) -> dict[str, list[str]]:
    """The header of a returned mail, whether its body follows or not."""
    raw = raw[:TEXT_BYTES].lstrip(b"\r\n\t >").replace(b"\r\n", b"\n")
    raw = raw.partition(b"\n")[2] if raw.startswith((b"From ", b">From ")) else raw
    return grouped(mime.fields(raw.partition(b"\n\n")[0]))


def _leaves(content: Fields, body: Span, levels: int) -> Iterator[Part]:
    content_type = content.get_content_type()
    if not content_type.startswith("multipart/"):
        data = decoded(body.data(), str(content.get("Content-Transfer-Encoding", "")))
        yield Part(content_type, str(content.get_param("charset", "") or ""), data)
        return
    if levels >= LEVELS_LIMIT:
        raise MalformedReport(Reason.NESTED_TOO_DEEP, f"Its parts are nested more than {levels} deep.")
    found = 0
    for part in mime.cut(body, _boundary(content)):
        found += 1
        if found > PARTS_LIMIT:
            raise MalformedReport(Reason.TOO_MANY_PARTS, f"It has more than {PARTS_LIMIT} parts.")
        head, inner = mime.split(part)
        yield from _leaves(_content(grouped(mime.fields(head))), inner, levels + 1)
    if not found:
        yield Part("text/plain", "", body.data())


def _content(fields: dict[str, list[str]]) -> Fields:
    """The content fields as the email package reads parameters."""
    content = Fields()
    for name in ("Content-Type", "Content-Transfer-Encoding"):
        for value in fields.get(name.lower(), ())[:1]:
            # A value from a stranger: what would break the header is taken out.
            content[name] = re.sub(r"[\r\n\0]+", " ", value[:_PARAMETERS_LIMIT])
    return content


def _boundary(content: Fields) -> str:
    try:
        return content.get_boundary() or ""
    except (LookupError, ValueError, TypeError):
        return ""


# -- text -----------------------------------------------------------------------------------------


def as_text(part: Part) -> str:
    """The text of a part in its charset, whatever is not in it replaced."""
    charset = part.charset.strip("\"' ").lower()
    data = part.data[:TEXT_BYTES]
    if _CHARSET.fullmatch(charset):
        try:
            return data.decode(charset, "replace")
        except (LookupError, UnicodeError):
            pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def decoded_words(value: str) -> str:
    """A field's value with its encoded words (RFC 2047) decoded; as it is where that fails."""
    if "=?" not in value:
        return value
    pieces = []
    try:
        for text, charset in decode_header(value[:2048]):
            if isinstance(text, bytes):
                pieces.append(as_text(Part("", charset or "", text)))
            else:
                pieces.append(text)
    except (ValueError, LookupError, HeaderParseError):
        return value
    return "".join(pieces)


_UNSEEN = re.compile(r"<(style|script|title)\b", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d|/?table|hr)\b[^<>]*>", re.IGNORECASE)
_MAILTO = re.compile(r"<a\b[^<>]{0,500}?\bhref=[\"']?mailto:([^\"'\s<>?]{3,320})[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def _without_markup(text: str) -> str:
    """The words of an HTML text, a line for each block. For finding codes and addresses, not for display."""
    pieces, at = [], 0
    for unseen in _UNSEEN.finditer(text):
        if unseen.start() >= at:
            pieces.append(text[at : unseen.start()])
            end = text.lower().find(f"</{unseen[1].lower()}", unseen.end()) if len(pieces) < 20 else -1
            at = len(text) if end < 0 else end
    pieces.append(text[at:])
    named = _MAILTO.sub(r"\1 ", _BREAK.sub("\n", "".join(pieces)))
    return html.unescape(_TAG.sub(" ", named))
