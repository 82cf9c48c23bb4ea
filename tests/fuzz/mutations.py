"""Damage that knows what it damages. Each function takes a source of chance and bytes, and gives other bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.fuzz.values import ADDRESSES, NAMES, NUMBERS, some_value, values

Mutation = Callable[[Random, bytes], bytes]

_SPLIT = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<[^>]*>|[^<]+", re.DOTALL)


def _span(chance: Random, size: int, most: int = 200) -> tuple[int, int]:
    at = chance.randrange(size + 1)
    return at, min(size, at + chance.choice((0, 1, 1, 2, 4, 8, 30, most)))


# -- bytes -----------------------------------------------------------------------------------------


def flip(chance: Random, raw: bytes) -> bytes:
    """One byte becomes another."""
    at, _ = _span(chance, len(raw))
    return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]


def cut(chance: Random, raw: bytes) -> bytes:
    """A stretch, or everything from somewhere on, is missing."""
    at, end = _span(chance, len(raw), 5000)
    return raw[:at] if chance.random() < 0.2 else raw[:at] + raw[end:]


def double(chance: Random, raw: bytes) -> bytes:
    """A stretch stands there twice or more often."""
    at, end = _span(chance, len(raw), 2000)
    return raw[:at] + raw[at:end] * chance.choice((2, 2, 3, 50)) + raw[end:]


def noise(chance: Random, raw: bytes) -> bytes:
    """Something stands where nothing was, or instead of what was."""
    at, end = _span(chance, len(raw))
    pieces = (
        chance.randbytes(4),
        some_value(chance),
        b"\0",
        b"\r\n\r\n",
        b"<",
        b">",
        b'"',
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    )
    return raw[:at] + chance.choice(pieces) + raw[chance.choice((at, end)) :]


# -- XML -------------------------------------------------------------------------------------------


def _tokens(raw: bytes) -> list[bytes]:
    return _SPLIT.findall(raw)


def xml_text(chance: Random, raw: bytes) -> bytes:
    """A text becomes another; escaped mostly, so that the document stays whole."""
    tokens = _tokens(raw)
    texts = [at for at, token in enumerate(tokens) if not token.startswith(b"<") and token.strip()]
    if texts:
        value = some_value(chance)
        if chance.random() < 0.7:
            value = value.replace(b"&", b"&amp;").replace(b"<", b"&lt;")
        tokens[chance.choice(texts)] = value
    return b"".join(tokens)


def xml_number(chance: Random, raw: bytes) -> bytes:
    """A count, date or address becomes another."""
    name = chance.choice((b"count", b"count", b"begin", b"end", b"source_ip", b"pct"))
    found = list(re.finditer(rb"<" + name + rb">([^<]*)<", raw))
    if not found:
        return xml_text(chance, raw)
    one = chance.choice(found)
    pool = ADDRESSES if name == b"source_ip" else NUMBERS
    return raw[: one.start(1)] + chance.choice(pool).encode() + raw[one.end(1) :]


def xml_tags(chance: Random, raw: bytes) -> bytes:
    """A tag is renamed, removed, doubled, or gets attributes."""
    tokens = _tokens(raw)
    tags = [at for at, token in enumerate(tokens) if token.startswith(b"<")]
    if not tags:
        return raw
    at = chance.choice(tags)
    tag, name = tokens[at], chance.choice(NAMES).encode()
    match chance.randrange(6):
        case 0:
            tokens[at] = re.sub(rb"^</?[^\s/>]+", (b"</" if tag.startswith(b"</") else b"<") + name, tag)
        case 1:
            tokens[at] = b""
        case 2:
            tokens[at] = tag * 2
        case 3:
            many = chance.choice((1, 1, 3, 2000))
            extra = b"".join(b' a%d="%d"' % (n if chance.random() < 0.9 else 0, n) for n in range(many))
            tokens[at] = tag[:-1] + extra + tag[-1:]
        case 4:
            tokens[at] = tag[:-1] + b' xmlns="urn:' + name + b'"' + tag[-1:]
        case _:
            tokens[at] = b"<" + name + b">" + tag
    return b"".join(tokens)


def xml_elements(chance: Random, raw: bytes) -> bytes:
    """An element is moved, nested, repeated or taken away with all that is in it."""
    name = chance.choice(NAMES[:19]).encode()
    found = list(re.finditer(rb"<%s[\s>].*?</%s>" % (name, name), raw, re.DOTALL))
    if not found:
        return xml_tags(chance, raw)
    one = chance.choice(found)
    piece, before, after = one[0], raw[: one.start()], raw[one.end() :]
    if chance.random() < 0.2:
        rest = before + after
        at = rest.find(b">", chance.randrange(len(rest) + 1)) + 1
        return rest[:at] + piece + rest[at:]
    instead = (
        b"",
        piece * chance.choice((2, 3, 20)),
        b"<%s>%s</%s>" % (name, piece, name),
        b"<!--" + piece + b"-->",
        b"<x>" * chance.choice((1, 5, 300)) + piece,
    )
    return before + chance.choice(instead) + after


def xml_insert(chance: Random, raw: bytes) -> bytes:
    """Something that XML allows, or forbids, between or inside texts."""
    pieces = (
        b"<!-- x -->", b"<?pi x?>", b"<![CDATA[1]]>", b"<![CDATA[]]>", b"&#49;", b"&#x31;", b"&amp;", b"&nbsp;",
        b"&x;",
        b"<!DOCTYPE feedback>", b'<!DOCTYPE a [<!ENTITY x "1">]>', b"<!doctype x>", b"<a/>", b"</feedback>",
        b"<feedback>",
        b"<?xml version='1.1'?>", b"<?xml version='1.0' encoding='utf-7'?>", b" " * 70_000, b"\n", b"\xe2\x80\xae",
        b"]]>",
    )  # fmt: skip
    at = chance.randrange(len(raw) + 1)
    if chance.random() < 0.6:
        at = raw.find(chance.choice((b">", b"<")), at) + chance.randrange(2)
    return raw[:at] + chance.choice(pieces) + raw[at:]


def xml_many(chance: Random, raw: bytes) -> bytes:
    """The same records many times over: large enough to be read in pieces."""
    end = raw.rfind(b"</record>")
    start = raw.rfind(b"<record>", 0, end)
    if start < 0:
        return raw
    record = raw[start : end + 9] + b"\n"
    wanted = chance.choice((2, 30, 200)) if len(record) < 3000 else 2
    return raw[:start] + record * wanted + raw[end + 9 :]


def xml_encoding(chance: Random, raw: bytes) -> bytes:
    """Another encoding, declared or not, with a byte order mark or a wrong one."""
    encoding = chance.choice(
        ("utf-16-le", "utf-16-be", "utf-32-le", "latin-1", "cp1252", "utf-7", "cp037", "utf-8", "gb18030")
    )
    declared = chance.choice(("utf-16", "UTF-8", "iso-8859-1", "utf-7", "x-nothing", "cp037", "us-ascii", "gbk"))
    text = raw.decode("utf-8", "replace")
    text = re.sub(r'encoding=["\'][^"\']*["\']', f'encoding="{declared}"', text, count=1)
    mark = chance.choice((b"", b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"\0\0\xfe\xff"))
    return mark + text.encode(encoding, "replace")


# -- JSON ------------------------------------------------------------------------------------------


def json_value(chance: Random, raw: bytes) -> bytes:
    """A member becomes something else, disappears, or stands there twice."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return noise(chance, raw)
    holders = list(_holders(found))
    if not holders:
        return noise(chance, raw)
    holder = chance.choice(holders)
    key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    match chance.randrange(5):
        case 0:
            del holder[key]
        case 1:
            holder[key] = [holder[key]] * chance.choice((1, 2, 500))
        case 2:
            holder[key] = {"x": holder[key]}
        case _:
            holder[key] = chance.choice((None, True, -1, 1.5, 1e300, 2**53, 2**70, [], {}, chance.choice(values())))
    written = json.dumps(found, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, 1)))
    return written.encode("utf-8", "surrogatepass")


def _holders(value: Any) -> list[Any]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return ([value] if inner else []) + [found for one in inner for found in _holders(one)]


def json_insert(chance: Random, raw: bytes) -> bytes:
    """Something that JSON allows or forbids, anywhere between its marks."""
    pieces = (
        b'"policies": [],',
        b"[" * 2000,
        b"NaN",
        b"1e999",
        b'"\\ud800"',
        b"\0",
        b"//",
        b",",
        b"{}",
        b'"a":',
        b"\xff",
    )
    at = raw.find(chance.choice((b",", b":", b"{", b"[")), chance.randrange(len(raw) + 1)) + 1
    return raw[:at] + chance.choice(pieces) + raw[at:]


# -- mail ------------------------------------------------------------------------------------------

_FIELDS = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b", b"Content-Type: message/rfc822",
    b"Content-Type: multipart/mixed", b"Content-Type: text/html; charset=utf-7", b"Content-Type: application/gzip",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Transfer-Encoding: x-uue",
    b"Subject: Delivery Status Notification (Failure)", b"Subject: =?utf-8?b?PT0=?=",
    b"From: MAILER-DAEMON@example.net",
    b"X-Failed-Recipients: a@example.org, b@example.org", b"Action: failed", b"Status: 5.1.1", b"Status: 9.999.999",
    b"Final-Recipient: rfc822;", b"Feedback-Type: auth-failure", b"Source-IP: 192.0.2.1",
    b"Auto-Submitted: auto-replied",
    b"Diagnostic-Code: smtp; 550 5.7.26 <a@b.example>", b" folded", b"Arrival-Date: x",
    b"Incidents: 99999999999999999999",
)  # fmt: skip


def mail_lines(chance: Random, raw: bytes) -> bytes:
    """A line is doubled, moved, removed, or another one stands in its place."""
    lines = raw.split(b"\n")
    at = chance.randrange(len(lines))
    line = lines.pop(at) if chance.random() < 0.5 else lines[at]
    new = chance.choice((line, chance.choice(_FIELDS), line.partition(b":")[0] + b": " + some_value(chance), b""))
    lines.insert(chance.randrange(len(lines) + 1) if chance.random() < 0.3 else at, new)
    return b"\n".join(lines)


def mail_boundaries(chance: Random, raw: bytes) -> bytes:
    """Delimiters removed, doubled, or said to be others."""
    marks = list(re.finditer(rb"(?m)^--[^\r\n]+", raw))
    if not marks or chance.random() < 0.3:
        return re.sub(
            rb'boundary="?[^"\r\n;]+', b"boundary=" + chance.choice((b"", b"b", b'"', b"=_b", b"\xff")), raw, count=1
        )
    one = chance.choice(marks)
    new = chance.choice((b"", one[0] + b"--", one[0] + b"\r\n\r\n" + one[0], one[0][:-1], one[0] + b" "))
    return raw[: one.start()] + new + raw[one.end() :]


def mail_ends(chance: Random, raw: bytes) -> bytes:
    """Other line ends."""
    plain = raw.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", chance.choice((b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\n")))


BYTES: Sequence[Mutation] = (flip, cut, double, noise)
OF_FORM: dict[str, Sequence[Mutation]] = {
    "xml": (
        xml_text, xml_text, xml_number, xml_number, xml_tags, xml_elements, xml_elements, xml_insert, xml_many,
        xml_encoding
    ),
    "json": (json_value, json_value, json_value, json_insert, xml_encoding),
    "mail": (mail_lines, mail_lines, mail_lines, mail_boundaries, mail_ends),
}  # fmt: skip
"""Mutations by the form of what they damage; what stands twice happens twice as often."""


def mutated(chance: Random, form: str, raw: bytes, other: bytes) -> bytes:
    """A few mutations one after the other; now and then a piece of another seed."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        if chance.random() < 0.05:
            at, _ = _span(chance, len(raw))
            start, end = _span(chance, len(other), 3000)
            raw = raw[:at] + other[start:end] + raw[at:]
        raw = chance.choice(OF_FORM[form] if chance.random() < 0.8 else BYTES)(chance, raw)
    return raw
