"""Messages that attack whoever reads them. Each is built by a function, so that a fresh process can build one."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from ingest.outcome import Reason
from tests.ingest import hostile_mail, hostile_packing, wrap
from tests.ingest.hostile_mail import NOT_A_REPORT, STORED
from tests.ingest.writer import write

RECORD = b"<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>"
REPORT = write({"records": [{"source_ip": "192.0.2.1", "messages": 1, "header_from": "example.com"}]})
HEAD = REPORT[: REPORT.index(b"<record>")]
TAIL = b"</feedback>"
ODD_RESULTS = b"<auth_results>" + b"<dkim><domain>x y</domain></dkim>" * 28_000 + b"</auth_results>"


def noise(size: int) -> bytes:
    """Bytes that no packer can shorten, the same each time."""
    out, state = bytearray(), 1
    while len(out) < size:
        state = state * 6364136223846793005 + 1442695040888963407 & (2**64 - 1)
        out += struct.pack("<I", state >> 32)
    return bytes(out[:size])


def deflated_zip(members: int, size: int) -> bytes:
    return wrap.zipped(*((f"{n}.xml", bytes(size)) for n in range(members)))


def slow_bomb() -> bytes:
    """300 MB of a ratio below any limit: only the number of bytes tells."""
    piece = noise(16_384) + bytes(2**20 - 16_384)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(piece) for _ in range(300)), packer.flush()])


def overlapping_zip(entries: int) -> bytes:
    """Many directory entries for one member's bytes (a better zip bomb): the file is small, what comes out is not."""
    single = wrap.zipped(("a.xml", bytes(10 * 2**20)))
    start = single.index(b"PK\x01\x02")
    end = single.index(b"PK\x05\x06")
    directory = single[start:end] * entries
    told = min(entries, 2**16 - 1)
    finish = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, told, told, len(directory), start, 0)
    return single[:start] + directory + finish


def lying_zip() -> bytes:
    """The directory says one byte; a hundred megabytes come out."""
    packed = bytearray(wrap.zipped(("a.xml", bytes(100 * 2**20))))
    for at in (22, packed.index(b"PK\x01\x02") + 24):
        packed[at : at + 4] = struct.pack("<I", 1)
    return bytes(packed)


def quine_like() -> bytes:
    """An archive in an archive in an archive, without end as far as anyone looks."""
    raw = REPORT
    for level in range(200):
        raw = wrap.zipped((f"{level}.zip", raw)) if level % 2 else gzip.compress(raw)
    return raw


def many_names() -> bytes:
    """Element names that are all different: libxml2 would keep each one for the life of the thread."""
    names = (b"n%x" % (n * 2654435761) for n in range(400_000))
    records = (
        b"<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row>"
        + b"".join(b"<%s/>" % next(names) for _ in range(40))
        + b"</record>"
        for _ in range(10_000)
    )
    return HEAD + b"".join(records) + TAIL


def deep_mail(levels: int) -> bytes:
    body = wrap.TEXT
    for level in range(levels):
        body = wrap.multipart(body, boundary=f"b{level}")
    return wrap.HEADER + body


def deep_forward(levels: int) -> bytes:
    nested = b"Content-Type: message/rfc822\r\n\r\n" * levels
    return wrap.HEADER + nested + wrap.common_mail(REPORT)


def entity_chain(levels: int) -> bytes:
    entities = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, levels))
    doctype = b'<!DOCTYPE feedback [<!ENTITY e0 "lol">' + entities + b"]>"
    return doctype + HEAD.partition(b"?>")[2].replace(b"Example Mail", b"&e%d;" % (levels - 1)) + TAIL


def utf16(document: bytes) -> bytes:
    return b"\xff\xfe" + document.decode().replace("UTF-8", "UTF-16").encode("utf-16-le")


def with_count(count: str) -> bytes:
    return REPORT.replace(b"<count>1<", b"<count>" + count.encode() + b"<")


def stored_zip_of_zeros(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.xml", bytes(size))
    return out.getvalue()


EXTERNAL = b'<!DOCTYPE feedback [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + REPORT.partition(b"?>")[2].replace(
    b"Example Mail", b"&x;"
)
PARAMETER = b'<!DOCTYPE feedback [<!ENTITY % d SYSTEM "http://192.0.2.1/x.dtd"> %d;]>' + REPORT.partition(b"?>")[2]
QUADRATIC = (
    b'<!DOCTYPE feedback [<!ENTITY a "'
    + b"a" * 100_000
    + b'">]>'
    + HEAD.partition(b"?>")[2].replace(b"Example Mail", b"&a;" * 50_000)
    + TAIL
)

XML = Reason.XML_FORBIDDEN, Reason.XML_BROKEN

# name → (how it is built, how it may end: stored, as no report, or refused for one of these reasons)
ATTACKS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "gzip bomb, 300 MB": (lambda: wrap.zeros_gzip(300 * 2**20), (Reason.EXPANDS_TOO_FAR,)),
    "gzip bomb, 10 GB": (lambda: wrap.zeros_gzip(2**27) * 80, (Reason.EXPANDS_TOO_FAR,)),
    "gzip bomb of a low ratio": (slow_bomb, (Reason.EXPANDS_TOO_FAR,)),
    "gzip bomb in gzip": (lambda: gzip.compress(wrap.zeros_gzip(300 * 2**20)), (Reason.EXPANDS_TOO_FAR,)),
    "gzip bomb in a mail": (
        lambda: wrap.HEADER + wrap.multipart(wrap.TEXT, wrap.attached(wrap.zeros_gzip(300 * 2**20))),
        (Reason.EXPANDS_TOO_FAR,),
    ),
    "zip bomb, 300 MB": (lambda: wrap.zipped(("a.xml", bytes(300 * 2**20))), (Reason.EXPANDS_TOO_FAR,)),
    "zip bomb, ninety members": (lambda: deflated_zip(90, 10 * 2**20), (Reason.EXPANDS_TOO_FAR,)),
    "zip bomb, overlapping members": (lambda: overlapping_zip(90), (Reason.EXPANDS_TOO_FAR,)),
    "zip bomb, lying about its size": (lying_zip, (Reason.EXPANDS_TOO_FAR,)),
    "zip with 10,000 members": (lambda: deflated_zip(10_000, 10), (Reason.TOO_MANY_PARTS,)),
    "zip with 300,000 directory entries": (lambda: overlapping_zip(300_000), (Reason.TOO_MANY_PARTS,)),
    "zip, encrypted": (lambda: wrap.encrypted_zip("a.xml"), (Reason.ENCRYPTED,)),
    "zip of zeros, not packed": (lambda: stored_zip_of_zeros(50 * 2**20), XML),
    "gzip, 100,000 members": (lambda: gzip.compress(b"") * 100_000, (Reason.TOO_MANY_PARTS,)),
    "gzip, cut off": (lambda: gzip.compress(REPORT * 1000)[:-100], (Reason.BROKEN_ARCHIVE,)),
    "archives in archives, 200 deep": (quine_like, (Reason.NESTED_TOO_DEEP,)),
    "external entity": (lambda: EXTERNAL, (Reason.XML_FORBIDDEN,)),
    "external entity in UTF-16": (lambda: utf16(EXTERNAL), (Reason.XML_FORBIDDEN,)),
    "parameter entity": (lambda: PARAMETER, (Reason.XML_FORBIDDEN,)),
    "billion laughs": (lambda: entity_chain(10), (Reason.XML_FORBIDDEN,)),
    "quadratic blow-up": (lambda: QUADRATIC, (Reason.XML_FORBIDDEN,)),
    "XML, 100,000 deep": (lambda: HEAD + b"<a>" * 100_000 + b"</a>" * 100_000 + TAIL, XML),
    "XML, records 100,000 deep": (lambda: HEAD + b"<record>" * 100_000 + b"</record>" * 100_000 + TAIL, XML),
    "XML, a million attributes": (
        lambda: HEAD.replace(b"<feedback", b"<feedback " + b" ".join(b'a%d=""' % n for n in range(1_000_000))) + TAIL,
        XML,
    ),
    "XML, the same attribute 100,000 times": (
        lambda: HEAD.replace(b"<feedback", b"<feedback" + b' a=""' * 100_000) + TAIL,
        XML,
    ),
    "XML, 80 MB, damaged at its end": (
        lambda: gzip.compress(
            HEAD + RECORD.replace(b"</row>", noise(600).hex().encode() + b"</row>") * 60_000 + b"</x>", 1
        ),
        XML,
    ),
    "XML, a text of 60 MB": (lambda: REPORT.replace(b"Example Mail", b"x" * 60 * 2**20), XML),
    "XML, a name of 30 MB": (lambda: HEAD + b"<" + b"x" * 30 * 2**20 + b"/>" + TAIL, XML),
    "XML, 16 million small elements": (lambda: HEAD + b"<a/>" * 2**24 + TAIL, (Reason.XML_FORBIDDEN,)),
    "XML, a record of a million elements": (
        lambda: HEAD + RECORD.replace(b"</row>", b"<a/>" * 1_000_000 + b"</row>") + TAIL,
        (Reason.XML_FORBIDDEN,),
    ),
    "XML, records of 28,000 odd results": (
        lambda: HEAD + RECORD.replace(b"</record>", ODD_RESULTS + b"</record>") * 8 + TAIL,
        STORED,
    ),
    "XML, 400,000 names": (many_names, (Reason.XML_FORBIDDEN,)),
    "XML, 60 million ampersands": (lambda: REPORT.replace(b"Example Mail", b"&" * 60_000_000), XML),
    "XML, 200,000 ampersands": (lambda: REPORT.replace(b"Example Mail", b"&" * 200_000), STORED),
    "XML, 20 million control characters": (lambda: REPORT.replace(b"Example Mail", b"a\x01" * 20_000_000), XML),
    "XML, 60 MB that are not UTF-8": (lambda: REPORT.replace(b"Example Mail", b"\xff" * 60_000_000), XML),
    "XML, a million prefixes": (
        lambda: HEAD + b"".join(b"<p%d:a/>" % n for n in range(500_000)) + TAIL,
        XML,
    ),
    "XML, a million openings of a report": (lambda: b"<feedback>" * 1_000_000, XML),
    "XML, NUL bytes": (lambda: REPORT.replace(b"<", b"\0<") + bytes(20 * 2**20), XML),
    "XML, only NUL bytes": (lambda: bytes(60 * 2**20), NOT_A_REPORT),
    "XML, UTF-16 of 60 MB": (lambda: utf16(REPORT.replace(b"Example Mail", b"x" * 30 * 2**20)), XML),
    "count of 2^63": (lambda: with_count(str(2**63)), (Reason.NUMBER_INVALID,)),
    "count of a million digits": (lambda: with_count("9" * 1_000_000), (Reason.NUMBER_INVALID,)),
    "year 9999": (lambda: REPORT.replace(b"1704153599", b"253402300799"), (Reason.DATE_INVALID,)),
    "date of a million digits": (lambda: REPORT.replace(b"1704153599", b"1" * 1_000_000), (Reason.DATE_INVALID,)),
    "domain of 400,000 labels": (
        lambda: REPORT.replace(b">example.com<", b">" + b"a." * 400_000 + b"<"),
        (Reason.XML_FORBIDDEN,),
    ),
    "domain in 400,000 Unicode letters": (
        lambda: REPORT.replace(b">example.com<", b">" + "ü".encode() * 400_000 + b"<"),
        (Reason.XML_FORBIDDEN,),
    ),
    "mail, multipart 1000 deep": (lambda: deep_mail(1000), (Reason.NESTED_TOO_DEEP,)),
    "mail, multipart 20 deep, 60 MB": (
        lambda: deep_mail(20).replace(b"This is", b"\r\n" * 30 * 2**20 + b"This is"),
        (Reason.NESTED_TOO_DEEP,),
    ),
    "mail, mails 1000 deep": (lambda: deep_forward(1000), (Reason.NESTED_TOO_DEEP,)),
    "mail, 10,000 parts": (lambda: wrap.HEADER + wrap.multipart(*[wrap.TEXT] * 10_000), (Reason.TOO_MANY_PARTS,)),
    "mail, header of 50 MB": (lambda: b"X: " + b"x" * 50 * 2**20 + b"\r\n\r\nbody", (Reason.BROKEN_MESSAGE,)),
    "mail, 250 kB of parameters": (
        lambda: wrap.entity('From: a@b.example\nContent-Type: application/gzip; name="' + ";a=" * 80_000, REPORT),
        STORED,
    ),
    "mail, 90 parts of quoted semicolons": (
        lambda: (
            wrap.HEADER + wrap.multipart(*[wrap.entity('Content-Type: text/plain; name="' + ";" * 80_000, b"")] * 90)
        ),
        NOT_A_REPORT,
    ),
    "mail, a boundary that is everywhere": (
        lambda: wrap.HEADER + wrap.multipart(b"\r\n--x" * 5_000_000, boundary="x"),
        (Reason.TOO_MANY_PARTS,),
    ),
    "mail, base64 of padding": (
        lambda: wrap.mail("Content-Type: application/gzip\nContent-Transfer-Encoding: base64", b"QQ==" * 5_000_000),
        NOT_A_REPORT,
    ),
    "mail, uuencode of ten million lines": (
        lambda: wrap.mail("Content-Type: text/plain", b"begin 644 a\n" + b"!00\n" * 10_000_000),
        NOT_A_REPORT,
    ),
    "mail, uuencode of garbage": (
        lambda: wrap.mail("Content-Type: text/plain", b"begin 644 a\n" + b"\xff\xfe garbage\n" * 1_000_000),
        NOT_A_REPORT,
    ),
}

ATTACKS |= hostile_mail.ATTACKS | hostile_packing.attacks(REPORT)
