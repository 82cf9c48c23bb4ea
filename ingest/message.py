"""A message to the documents in it: a MIME walk (RFC 2045 to 2047, 2231) that no mail can make expensive.

Header fields are read by the standard library's email package; bodies are cut at their boundaries
here. The package's own body parser tests each line against every enclosing boundary, which a mail of
a thousand nested parts turns into hours; this walk looks at each byte once a level, and levels are few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as Fields

from ingest import tnef
from ingest.decoding import base64, decoded, uudecoded
from ingest.errors import UnsafeArchive
from ingest.inflated import Inflated
from ingest.mime import HEADER_LIMIT, Span, cut, split
from ingest.outcome import Reason
from ingest.settings import UnpackLimits
from ingest.tar import is_tar

HEAD = 64 * 2**10
"""Bytes by which a document is told apart from others."""

_FIELD_LIMIT = 2 * 2**10  # bytes of one field: parsing its parameters takes the square of them
_MULTIPART_LEVELS = 10  # of multipart in multipart; mail programs nest three


@dataclass(frozen=True, slots=True)
class Document:
    """A piece of a message that may be a report. `name` and `content_type` are what the sender claims.

    `repair` is the code of what had to be put right while it was unpacked, or "". `deflated` is the one stream
    (RFC 1951) that all of `content` came from, or b"": whoever keeps the document need not compress it again.
    """

    name: str
    content_type: str
    content: bytes | Inflated
    repair: str = ""
    deflated: bytes = b""

    @property
    def data(self) -> bytes:
        """All of it, in memory."""
        return bytes(self.content)

    @property
    def head(self) -> bytes:
        """Its first 64 KiB."""
        whole = self.content
        return (whole if isinstance(whole, bytes) else next(whole.pieces(), b""))[:HEAD]


class Budget:
    """What one message may still cost: parts and unpacked bytes, counted down across all its documents."""

    def __init__(self, limits: UnpackLimits) -> None:
        self.limits = limits
        self.parts = limits.parts
        self.bytes = limits.total_bytes

    def part(self) -> None:
        """Count one MIME part or archive member. Raises UnsafeArchive beyond the limit."""
        self.parts -= 1
        if self.parts < 0:
            raise UnsafeArchive(
                Reason.TOO_MANY_PARTS,
                f"It has more than {self.limits.parts} parts and archive members together.",
            )

    def unpacked(self, size: int) -> None:
        """Count `size` bytes that came out of an archive, which took no more than there were left."""
        self.bytes -= size


# -- mail or file ---------------------------------------------------------------------------------

_OUTLOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] section 2.2: what Outlook's mails are, and other files
_FILE_STARTS = (
    b"\x1f\x8b",  # gzip
    b"PK\x03\x04",  # zip
    b"PK\x05\x06",  # zip without members
    tnef.SIGNATURE,
    _OUTLOOK,
    b"\xff\xfe",  # UTF-16
    b"\xfe\xff",
    b"<",
    b"{",
)
_JSON_LIST = re.compile(rb"\[\s*\{")  # of which a name of a field, too, could be made
_HEADER_START = re.compile(rb"(?:>?From [^\r\n]*[\r\n]+)?[!-9;-~]{1,76}[ \t]*:[^\r\n]*(?:[\r\n]|\Z)")


def is_mail(raw: bytes, name: str = "") -> bool:
    """Whether `raw` is a mail and not itself a document: by content first, by name where that is open."""
    start = raw[:4096].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t \0")
    if start.startswith(_FILE_STARTS) or _JSON_LIST.match(start) or name.lower().endswith(".xml"):
        return False
    if is_tar(raw):  # which begins with the name of a file, of a Maildir's, say
        return False
    return _HEADER_START.match(start) is not None or name.lower().endswith(".eml")


def documents(message_raw: bytes, name: str, budget: Budget) -> Iterator[Document]:
    """Yield what may be a report in a mail; a file that is no mail gives itself.

    Raises UnsafeArchive (too many parts, nested too deep) and MalformedReport (a header of a
    size no mail has). What was yielded before stays valid.
    """
    if is_mail(message_raw, name):
        yield from _Walk(budget).mail(message_raw, 0)
    elif message_raw[:64].lstrip().startswith(_PACKED_BASE64):
        yield Document(name, "", base64(message_raw))
    else:
        yield Document(name, "", message_raw)


# -- the walk -------------------------------------------------------------------------------------

_CONTENT_FIELD = re.compile(
    rb"^(Content-(?:Type|Transfer-Encoding|Disposition))[ \t]*:((?:[^\n]*)(?:\n[ \t][^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_TYPES = ("message/rfc822", "message/global")

REPORT_TYPE = "multipart/report"
"""What a notice is in (RFC 6522). One inside another mail is given as a whole: its parts explain each other."""

NOTICE_TYPES = ("message/feedback-report", "message/delivery-status", "message/global-delivery-status")


class _Walk:
    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.depth = budget.limits.depth

    def mail(self, raw: bytes, messages: int) -> Iterator[Document]:
        """A whole mail, `messages` levels of mail in mail deep."""
        if messages > self.depth:
            raise UnsafeArchive(Reason.NESTED_TOO_DEEP, f"It holds mails in mails, more than {self.depth} deep.")
        if b"\n" not in raw[:HEADER_LIMIT]:
            raw = raw.replace(b"\r", b"\n")  # line ends of old Macs
        start = len(raw) - len(raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t \0"))
        yield from self.entity(Span(raw, start, len(raw)), messages, 0)

    def entity(self, span: Span, messages: int, levels: int) -> Iterator[Document]:
        """A header and a body: a mail, or one part of it."""
        self.budget.part()
        header, body = split(span)
        fields = _fields(header)
        content_type = fields.get_content_type()
        if content_type.startswith("multipart/"):
            if content_type == REPORT_TYPE and (messages or levels):
                yield Document("", content_type, span.data())
            yield from self.multipart(fields, body, messages, levels)
            return
        data = decoded(body.data(), str(fields.get("Content-Transfer-Encoding", "")))
        name = _name(fields)
        if content_type in _MESSAGE_TYPES or (name.lower().endswith(".eml") and is_mail(data)):
            yield from self.mail(data, messages + 1)
        else:
            yield from _leaf(Document(name, content_type, data))

    def multipart(self, fields: Fields, body: Span, messages: int, levels: int) -> Iterator[Document]:
        if levels >= _MULTIPART_LEVELS:
            raise UnsafeArchive(Reason.NESTED_TOO_DEEP, f"Its parts are nested more than {levels} deep.")
        # What a bounce or a failure report returns is not addressed to us (RFC 6522 section 3): a
        # report of ours that could not be delivered must not come back as one we received. The rest of
        # what such a notice says was given as a whole.
        left_out: tuple[str, ...] = ()
        if fields.get_content_type() == REPORT_TYPE:
            left_out = _MESSAGE_TYPES + NOTICE_TYPES if messages or levels else _MESSAGE_TYPES
        found = False
        for part in cut(body, fields.get_boundary() or ""):
            found = True
            if not left_out or _fields(split(part)[0]).get_content_type() not in left_out:
                yield from self.entity(part, messages, levels + 1)
        if not found:
            yield from _leaf(Document("", "text/plain", body.data()))


def _fields(header: bytes) -> Fields:
    """The fields that matter here."""
    fields = Fields()
    for match in _CONTENT_FIELD.finditer(header):
        field = match[1].decode("ascii")
        if field not in fields:
            fields[field] = match[2][:_FIELD_LIMIT].strip().decode("utf-8", "replace")
    return fields


def _name(fields: Fields) -> str:
    """The file name, from either field, in the forms of RFC 2231 and RFC 2047; for people and as a hint."""
    try:
        name = fields.get_filename() or ""
        if "=?" in name:
            name = str(make_header(decode_header(name)))
    except (LookupError, ValueError, TypeError, HeaderParseError):
        return ""
    return _NOT_SHOWN.sub("", name)[:255]


_NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


# -- which leaves are documents --------------------------------------------------------------------

_REPORT_TYPES = frozenset(
    {
        "application/gzip", "application/x-gzip", "application/gzip-compressed", "application/x-gunzip",
        "application/zip", "application/x-zip", "application/x-zip-compressed", "application/x-compressed",
        "application/xml", "text/xml", "application/tlsrpt+json", "application/tlsrpt+gzip", "application/json",
        "application/ms-tnef", *NOTICE_TYPES,
    }
)  # fmt: skip
_REPORT_NAMES = (".xml", ".gz", ".gzip", ".zip", ".json", ".dat", ".tar", ".tgz", ".msg")
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06", tnef.SIGNATURE)
_PACKED_OTHERWISE = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
_PACKED_BASE64 = (b"H4sI", b"UEsDB", b"PD94bW", b"PGZlZWRiYWNr")
_INLINE = re.compile(rb"^[ \t]*(?:<\?xml\b|<(?:[\w.-]+:)?feedback[\s>])", re.MULTILINE)


def _leaf(leaf: Document) -> Iterator[Document]:
    """The leaf where it may be a report, the report inside a text, or nothing."""
    start = leaf.data[:4096].lstrip()
    if start.startswith(_PACKED_BASE64):
        yield Document(leaf.name, leaf.content_type, base64(leaf.data))
    elif _is_candidate(leaf, start):
        yield leaf
    elif leaf.content_type.startswith("text/"):
        yield from _in_text(leaf)
    elif b"feedback" in start:
        yield leaf


def packing(document: Document) -> str:
    """By what name people know what a document is packed with, where that is nothing that is read; else ""."""
    return next((name for start, name in _PACKED_OTHERWISE.items() if document.head.startswith(start)), "")


def is_outlook(document: Document) -> bool:
    """Whether a document is a mail as Outlook saves it ([MS-OXMSG]), by a name that its parts have there."""
    return document.head.startswith(_OUTLOOK) and _OUTLOOK_PART in document.data


_OUTLOOK_PART = "__substg1.0_".encode("utf-16-le")


def _is_candidate(leaf: Document, start: bytes) -> bool:
    if leaf.content_type in _REPORT_TYPES or leaf.name.lower().endswith(_REPORT_NAMES):
        return True
    if packing(leaf) or start[:14].lower() == b"feedback-type:":
        return True
    return (
        start.startswith((*_PACKED, _OUTLOOK))
        or is_tar(leaf.data)
        or start[:64].replace(b"\0", b"").startswith(b"<?xml")
    )


def _in_text(leaf: Document) -> Iterator[Document]:
    """A report pasted into the body, as XML or uuencoded; a quoted one (`> <feedback>`) is none."""
    packed = uudecoded(leaf.data)
    if packed:
        yield Document(leaf.name, leaf.content_type, packed)
        return
    inline = _INLINE.search(leaf.data)
    if inline and b"feedback" in leaf.data:
        yield Document(leaf.name, leaf.content_type, leaf.data[inline.start() :])
