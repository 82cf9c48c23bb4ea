"""Damaged report bytes put right, where the structure stays the one that was written.

What is repaired: the encoding, bytes around the report, characters that XML forbids, ampersands,
undeclared prefixes. What is not: a document that lacks its end, since what was cut off cannot be guessed.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator

from ingest.errors import MalformedReport
from ingest.outcome import Reason

_OPENING = re.compile(rb"<(?:[\w.-]+:)?feedback[\s>]")
_CLOSING = re.compile(rb"</(?:[\w.-]+:)?feedback\s*>")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# XML 1.0 appendix F.1: how `<` and what follows it begin where there is no mark.
_UNMARKED = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]{0,40})["']""")
# Supersets of ASCII only: in any other encoding, markup could stand where nobody looks for it.
_ASCII_SUPERSETS = re.compile(r"iso8859-\d+|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|euc_(jp|kr)|shift_jis")


def utf8(document: bytes) -> tuple[bytes, str]:
    """The document as UTF-8 without a byte order mark, and what was put right ("" where nothing was).

    Bytes that are valid UTF-8 are UTF-8, whatever the declaration says: text in another encoding that
    happens to be valid UTF-8 is far rarer than a wrong declaration.
    """
    for mark, encoding in _BOMS:
        if document.startswith(mark):
            rest = document[len(mark) :]
            if encoding == "utf-8" and _is_utf8(rest):
                return rest, ""
            return _recoded(rest, encoding), "encoding"
    for start, encoding in _UNMARKED:
        if document.startswith(start):
            return _recoded(document, encoding), "encoding"
    if document.isascii():
        return document, ""
    declared = _declared_encoding(document)
    if _is_utf8(document):
        return document, "encoding" if declared else ""
    return _recoded(document, declared or "utf-8"), "" if declared else "encoding"


def plain(head: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a document as they are, where that is one report, and UTF-8 if it is valid as such.

    `head` is how it begins. Raises MalformedReport where it may be otherwise: `utf8` and `split` want all of it.
    """
    odd = head.startswith((*(mark for mark, _ in _BOMS), *(start for start, _ in _UNMARKED)))
    declared, found, before = _declared_encoding(head), 0, b""
    for piece in pieces:
        found += piece.count(_NAME) + (before + piece[: len(_NAME) - 1]).count(_NAME)
        if odd or found > _NAMED or (declared and not piece.isascii()):
            raise MalformedReport(Reason.XML_BROKEN, "It takes the whole document to tell what it is.")
        before = (before + piece[1 - len(_NAME) :])[1 - len(_NAME) :]
        yield piece


def _declared_encoding(document: bytes) -> str:
    """The declared encoding by Python's name, where it is one that is not UTF-8 and can be read safely."""
    match = _DECLARED.search(document[:512])
    if match is None:
        return ""
    try:
        name = codecs.lookup(match[1].decode("ascii")).name
    except LookupError:
        return ""
    return name if _ASCII_SUPERSETS.fullmatch(name) else ""


def _pieces(document: bytes) -> Iterator[bytes]:
    view = memoryview(document)
    for start in range(0, len(document), 2**20):
        yield bytes(view[start : start + 2**20])
    yield b""


def _is_utf8(document: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(document):
            decoder.decode(piece, final=not piece)
    except UnicodeDecodeError:
        return False
    return True


def _recoded(document: bytes, encoding: str) -> bytes:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    out = io.BytesIO()
    for piece in _pieces(document):
        # A replacement character is three bytes: of nothing else could a document grow threefold.
        out.write(decoder.decode(piece, final=not piece).replace("\ufffd", "?").encode("utf-8", "replace"))
    return out.getvalue()


_TAG = re.compile(rb"</?[A-Za-z_][\w.:-]*")
SHOUTED = re.compile(rb"<(?:[\w.-]+:)?FEEDBACK[\s>]", re.IGNORECASE)
"""The report's own tag in whichever letters."""


def unshouted(data: bytes) -> tuple[bytes, str]:
    """A document with its elements' names in small letters where that of the report is not, and what was put right."""
    found = SHOUTED.search(data[: 64 * 2**10])
    if found is None or found[0].islower() or len(data) > MENDED_UP_TO:
        return data, ""
    return _TAG.sub(lambda tag: tag[0].lower(), data), "name"


def refuse_doctype(data: bytes) -> None:
    """Raise MalformedReport where `data`, which is UTF-8 by now, holds a document type declaration anywhere."""
    if b"!" in data and b"<!DOCTYPE" in data:  # the one byte is found ten times as fast
        raise MalformedReport(
            Reason.XML_FORBIDDEN,
            "It carries a document type declaration (DOCTYPE), which no report needs and attacks use.",
        )


_NAME, _NAMED = b"feedback", 2  # times, in nearly every report


def split(document: bytes) -> list[bytes]:
    """The reports of one document: nearly always the document itself; each one where several are joined."""
    if document.count(_NAME) <= _NAMED:
        return [document]
    spans: list[tuple[int, int]] = []
    end = 0
    while opening := _OPENING.search(document, end):
        closing = _CLOSING.search(document, opening.end())
        if closing is None:
            # The last one is cut off. It is kept as it is, so that parsing it says so.
            spans.append((opening.start(), len(document)))
            break
        end = closing.end()
        spans.append((opening.start(), end))
    if len(spans) <= 1:
        return [document]
    return [document[start:end] for start, end in spans]


_FORBIDDEN = bytes({*range(32)} - {9, 10, 13})
_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)(#[0-9]{1,7};|#x[0-9A-Fa-f]{1,6};)?")
_PREFIX = re.compile(rb"</?([A-Za-z_][\w.-]*):[A-Za-z_]")
_PREFIX_LIMIT = 20
_AMPERSAND_LIMIT = 300_000  # each one is looked at in Python
_DECLARATION = re.compile(rb"<\?xml\s[^>]*\?>")


MENDED_UP_TO = 64 * 2**20
"""Bytes up to which damage is repaired: it takes copies of the whole document."""


def mended(data: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    """A document that is not well-formed, with its harmless damage put right, and what that was.

    Raises MalformedReport where there is no report in it, or only the beginning of one.
    """
    if len(data) > MENDED_UP_TO:
        raise MalformedReport(Reason.XML_BROKEN, "It is damaged, and larger than what is repaired.")
    repairs: list[tuple[str, str]] = []
    cleaned = data.translate(None, _FORBIDDEN).replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    if len(cleaned) != len(data):
        repairs.append(("characters", f"{len(data) - len(cleaned)} bytes that XML forbids"))
        refuse_doctype(cleaned)
    report, around = _cut_out(cleaned)
    if around:
        repairs.append(("surroundings", around))
    if report.count(b"&") > _AMPERSAND_LIMIT:
        raise MalformedReport(Reason.XML_BROKEN, "It is damaged, and has more ampersands than what is repaired.")
    report, ampersands = _ampersands_escaped(report)
    if ampersands:
        repairs.append(("ampersands", f"{ampersands} & that stand for themselves"))
    prefixes = _undeclared(report)
    if prefixes:
        declarations = b"".join(b' xmlns:%s="urn:undeclared"' % prefix for prefix in prefixes)
        at = report.index(b"feedback") + len(b"feedback")
        report = report[:at] + declarations + report[at:]
        repairs.append(("prefix", ", ".join(prefix.decode("ascii", "replace") for prefix in prefixes)))
    return report, repairs


def _cut_out(data: bytes) -> tuple[bytes, str]:
    opening = _OPENING.search(data)
    if opening is None:
        raise MalformedReport(Reason.XML_BROKEN, "It holds no feedback element: it is no aggregate report.")
    end = max((match.end() for match in _CLOSING.finditer(data, opening.end())), default=0)
    if not end:
        raise MalformedReport(
            Reason.XML_BROKEN,
            "The report is cut off: its end is missing, and with it an unknown number of records.",
            "Ask the reporter to send it again, or look whether the mail server shortens large messages.",
        )
    before = _DECLARATION.sub(b"", data[: opening.start()]).strip()
    after = data[end:].strip()
    around = [f"{len(before)} bytes before"] if before else []
    around += [f"{len(after)} bytes after"] if after else []
    return data[opening.start() : end], ", ".join(around)


def _ampersands_escaped(report: bytes) -> tuple[bytes, int]:
    changed = 0

    def escaped(match: re.Match[bytes]) -> bytes:
        nonlocal changed
        if match[1] is not None and _is_character(match[1]):
            return match[0]
        changed += 1
        return b"&amp;" + (match[1] or b"")

    return _AMPERSAND.sub(escaped, report), changed


def _is_character(reference: bytes) -> bool:
    """Whether `#10;` or `#xA;` stands for a character that XML 1.0 section 2.2 allows."""
    number = int(reference[2:-1], 16) if reference[1:2] == b"x" else int(reference[1:-1])
    if number < 32:
        return number in (9, 10, 13)
    return number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000


def _undeclared(report: bytes) -> list[bytes]:
    """Prefixes in use that are declared nowhere: their declaration stood on a wrapper that is gone."""
    found: set[bytes] = set()
    for match in _PREFIX.finditer(report):
        found.add(match[1])
        if len(found) > _PREFIX_LIMIT:
            return []  # no report has as many; the parser will refuse it
    return sorted(prefix for prefix in found if b"xmlns:" + prefix not in report and prefix != b"xml")
