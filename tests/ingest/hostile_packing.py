"""Attacks by packing, encoding and value: small ones, each of which some reader has fallen over."""

from __future__ import annotations

import base64
import gzip
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

from ingest.outcome import Reason
from tests.ingest import wrap
from tests.ingest.hostile_mail import NOT_A_REPORT, STORED

MIB = 2**20
Attack = tuple[Callable[[], bytes], tuple[str, ...]]
BROKEN = (Reason.BROKEN_ARCHIVE,)
XML = (Reason.XML_BROKEN, Reason.XML_FORBIDDEN)


def attacks(report: bytes) -> dict[str, Attack]:
    """All of them, around a report that says one message."""
    return (
        _zips(report)
        | _tars(report)
        | _gzips(report)
        | _mails(report)
        | _encodings(report)
        | _markup(report)
        | _values(report)
    )


# -- archives --------------------------------------------------------------------------------------


def patched(raw: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    """Other bytes at an offset behind a record's signature."""
    at = raw.index(mark) + offset
    return raw[:at] + value + raw[at + len(value) :]


def zip64(report: bytes, size: int) -> bytes:
    """The directory says that its sizes stand in a zip64 field, which says anything."""
    member = zipfile.ZipInfo("a.xml")
    member.extra = struct.pack("<HHQQ", 1, 16, size, size)
    raw = wrap.zipped_with(member, report)
    return patched(raw, b"PK\x01\x02", 20, b"\xff" * 8)


def twice(report: bytes) -> bytes:
    """Two members of one name, with two reports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wrap.zipped(("a.xml", report), ("a.xml", report.replace(b"a1b2c3", b"another")))


def link(report: bytes) -> bytes:
    """A symbolic link to a file that matters."""
    member = zipfile.ZipInfo("a.xml")
    member.create_system, member.external_attr = 3, 0o120777 << 16
    return wrap.zipped_with(member, b"/etc/passwd" + report[:0])


def matryoshka(report: bytes, width: int, depth: int) -> bytes:
    """Archives of many archives: their number grows with the power of the depth."""
    raw = report
    for level in range(depth):
        raw = wrap.zipped(*((f"{level}-{n}.zip", raw) for n in range(width)))
    return raw


def _zips(report: bytes) -> dict[str, Attack]:
    plain = wrap.zipped(("a.xml", report))
    stored = wrap.zipped(("a.xml", report), method=zipfile.ZIP_STORED)
    central = b"PK\x01\x02"
    return {
        "zip64 that says 2^63 bytes": (lambda: zip64(report, 2**63), BROKEN),
        "zip64 that says 2^40 bytes": (lambda: zip64(report, 2**40), BROKEN),
        "zip, data descriptor": (lambda: wrap.zipped_streaming("a.xml", report), STORED),
        "zip, checksum wrong": (lambda: stored.replace(b"Example", b"exAmple"), BROKEN),
        "zip, size of 4 GiB": (lambda: patched(plain, central, 20, b"\xfe\xff\xff\xff"), BROKEN),
        "zip, header at 4 GiB": (lambda: patched(plain, central, 42, b"\xfe\xff\xff\xff"), BROKEN),
        "zip, local name of 65,535 bytes": (lambda: patched(plain, b"PK\x03\x04", 26, b"\xff\xff"), BROKEN),
        "zip, method 99": (lambda: patched(plain, central, 10, b"\x63\0"), BROKEN),
        "zip, LZMA": (lambda: wrap.zipped(("a.xml", report), method=zipfile.ZIP_LZMA), BROKEN),
        "zip, the same name twice": (lambda: twice(report), STORED),
        "zip, a link": (lambda: link(report), NOT_A_REPORT),
        "zip, names that climb": (lambda: wrap.zipped(("../" * 50 + "etc/cron.d/a.xml", report)), STORED),
        "zip, a name of control characters": (lambda: wrap.zipped(("\x1b]0;x\x07\u202e.xml", report)), STORED),
        "zip, a comment that is a directory": (lambda: plain[:-2] + b"\x16\0" + b"PK\x05\x06" + bytes(18), BROKEN),
        "zip, in zip, 10 wide, 4 deep": (lambda: matryoshka(report, 10, 4), (Reason.TOO_MANY_PARTS,)),
        "zip, in zip, 5 deep": (lambda: matryoshka(report, 1, 5), (Reason.NESTED_TOO_DEEP,)),
        "zip, nothing but its end": (lambda: b"PK\x05\x06" + bytes(18), BROKEN),
        "zip, 60 MB of signatures": (lambda: b"PK\x03\x04" + central * (15 * MIB), (Reason.TOO_MANY_PARTS,)),
        "winmail.dat, an attachment of 4 GiB": (
            lambda: (
                wrap.HEADER
                + wrap.attached(patched(wrap.winmail("a.xml", report), b"\x0f\x80\x06\0", 4, b"\xff\xff\xff\xff"))
            ),
            BROKEN,
        ),
        "winmail.dat, 2,000 attachments": (
            lambda: b"\x78\x9f\x3e\x22\0\0" + wrap.winmail("a", b"x")[6:] * 2000,
            (Reason.TOO_MANY_PARTS,),
        ),
    }


def _tars(report: bytes) -> dict[str, Attack]:
    plain = wrap.tarred(("a.xml", report))
    return {
        "tar, 60 MB about the name of a file": (
            lambda: wrap.tar_header(b"x", b"%011o" % (60 * MIB), b"1" * 60 * MIB) + plain,
            STORED,
        ),
        "tar, a size below 0": (lambda: wrap.tar_header(b"0", b"-0000000001") + plain, BROKEN),
        "tar, a file of 8 GiB": (lambda: wrap.tar_header(b"0", b"77777777777") + plain, (Reason.EXPANDS_TOO_FAR,)),
        "tar, 60 MB of folders": (lambda: wrap.tar_header(b"5") * (2 * 60 * 1024) + plain, STORED),
        "tar, names that climb": (lambda: wrap.tarred(("../" * 20 + "etc/cron.d/a.xml", report)), STORED),
        "tar, 1,000 files": (lambda: wrap.tarred(*(("a", b"") for _ in range(1000))), (Reason.TOO_MANY_PARTS,)),
        "tar, in tar, 9 deep": (lambda: _nested(report, 9), (Reason.NESTED_TOO_DEEP,)),
        "tar, in gzip, of 200 MB": (
            lambda: gzip.compress(wrap.tarred(*((f"{n}", bytes(20 * MIB)) for n in range(10)))),
            (Reason.EXPANDS_TOO_FAR,),
        ),
    }


def _nested(report: bytes, depth: int) -> bytes:
    return report if not depth else wrap.tarred((f"{depth}.tar", _nested(report, depth - 1)))


def _gzips(report: bytes) -> dict[str, Attack]:
    plain = gzip.compress(report)
    return {
        "gzip, without its trailer": (lambda: plain[:-8], STORED),
        "gzip, without its last block": (lambda: plain[:-9], BROKEN),
        "gzip, bytes behind it": (lambda: plain + b"\0" * MIB, STORED),
        "gzip, checksum wrong": (lambda: plain[:-8] + b"\1\2\3\4" + plain[-4:], BROKEN),
        "gzip, length wrong": (lambda: plain[:-4] + b"\xff\xff\xff\xff", BROKEN),
        "gzip, nothing but a header": (lambda: plain[:10], BROKEN),
        "gzip, a name of 60 MB without an end": (lambda: plain[:3] + b"\x08" + plain[4:10] + b"a" * 60 * MIB, BROKEN),
        "gzip, an extra field that is not there": (lambda: plain[:3] + b"\x04" + plain[4:10] + b"\xff\xff", BROKEN),
        "gzip, a report in two members": (lambda: gzip.compress(report[:300]) + gzip.compress(report[300:]), STORED),
        "gzip, deflate without a header": (lambda: zlib.compress(report)[2:-4], NOT_A_REPORT),
        "gzip, method 7": (lambda: b"\x1f\x8b\x07" + plain[3:], BROKEN),
    }


# -- mail ------------------------------------------------------------------------------------------


def _mails(report: bytes) -> dict[str, Attack]:
    plain, part = gzip.compress(report), wrap.attached(gzip.compress(report))
    return {
        "mail, a zip called gzip called XML": (
            lambda: wrap.HEADER + wrap.attached(wrap.zipped(("a.html", report)), "text/xml", "a.gz"),
            STORED,
        ),
        "mail, HTML called gzip": (
            lambda: wrap.HEADER + wrap.attached(b"<html><script>alert(1)</script></html>"),
            XML,
        ),
        "mail, 60,000 fields": (lambda: b"X-A: b\r\n" * 30_000 + wrap.common_mail(report), STORED),
        "mail, 250 Content-Types": (lambda: wrap.HEADER + b"Content-Type: text/plain\r\n" * 250 + part, STORED),
        "mail, a boundary of 100,000 characters": (
            lambda: wrap.HEADER + wrap.multipart(part, boundary="b" * 100_000),
            NOT_A_REPORT,
        ),
        "mail, the same boundary inside and outside": (
            lambda: wrap.HEADER + wrap.multipart(wrap.multipart(part, boundary="b"), boundary="b"),
            STORED,
        ),
        "mail, an empty boundary": (lambda: wrap.HEADER + wrap.multipart(part, boundary=""), NOT_A_REPORT),
        "mail, base64 of garbage, 30 MB": (
            lambda: wrap.mail("Content-Type: application/zip\nContent-Transfer-Encoding: base64", b"\xff*!" * 10 * MIB),
            NOT_A_REPORT,
        ),
        "mail, base64 in base64": (
            lambda: wrap.HEADER + wrap.attached(base64.encodebytes(base64.encodebytes(plain))),
            XML,
        ),
        "mail, quoted-printable of soft breaks, 40 MB": (
            lambda: wrap.mail(
                "Content-Type: text/xml\nContent-Transfer-Encoding: quoted-printable", b"=\r\n" * (13 * MIB) + report
            ),
            STORED,
        ),
        "mail, quoted-printable of equal signs, 40 MB": (
            lambda: wrap.mail("Content-Type: text/xml\nContent-Transfer-Encoding: quoted-printable", b"=" * 40 * MIB),
            NOT_A_REPORT,
        ),
        "mail, a file name of 8,000 characters": (lambda: wrap.HEADER + wrap.attached(plain, name="a" * 8000), STORED),
        "mail, a file name that drives a terminal": (
            lambda: wrap.HEADER + wrap.attached(plain[:-9], name="\x1b[2J\u202egz.lmx"),
            BROKEN,
        ),
        "mail, a file name in broken encoded words": (
            lambda: wrap.HEADER + wrap.attached(plain, name="=?utf-8?b?x?= =?x?q?=?="),
            STORED,
        ),
        "mail, a charset that is no text": (
            lambda: wrap.mail("Content-Type: text/xml; charset=zlib_codec", report),
            STORED,
        ),
    }


# -- XML -------------------------------------------------------------------------------------------


def _encodings(report: bytes) -> dict[str, Attack]:
    text = report.decode()
    return {
        "encoding, UTF-16 with an odd byte": (lambda: b"\xff\xfe" + text.encode("utf-16-le") + b"\0", STORED),
        "encoding, UTF-16 with a lone surrogate": (
            lambda: b"\xff\xfe" + text.replace("Mail", "\ud800").encode("utf-16-le", "surrogatepass"),
            STORED,
        ),
        "encoding, UTF-32": (lambda: text.encode("utf-32"), STORED),
        "encoding, two marks": (lambda: b"\xef\xbb\xbf\xff\xfe" + report, STORED),
        "encoding, the other one's mark": (lambda: b"\xfe\xff" + text.encode("utf-16-le"), XML),
        "encoding, UTF-8 longer than needed": (lambda: report.replace(b"Mail", b"\xc0\xbcscript\xc0\xbe"), STORED),
        "encoding, UTF-7 declared": (
            lambda: report.replace(b"UTF-8", b"UTF-7").replace(b"Mail", b"+ADw-b+AD4-"),
            STORED,
        ),
        "encoding, EBCDIC": (lambda: text.replace("UTF-8", "cp037").encode("cp037"), NOT_A_REPORT),
        "encoding, one that is no encoding": (lambda: report.replace(b"UTF-8", b"../../etc/passwd"), STORED),
    }


def _markup(report: bytes) -> dict[str, Attack]:
    def inside(piece: bytes) -> bytes:
        return report.replace(b"Example Mail", piece)

    return {
        "XML, a comment of 60 MB": (lambda: inside(b"<!--" + b"x" * 60 * MIB + b"-->"), XML),
        "XML, CDATA of 60 MB": (lambda: inside(b"<![CDATA[" + b"x" * 60 * MIB + b"]]>"), XML),
        "XML, an instruction of 60 MB": (lambda: inside(b"<?x " + b"x" * 60 * MIB + b"?>"), XML),
        "XML, 10 million character references": (lambda: inside(b"&#65;" * 10_000_000), XML),
        "XML, 100,000 namespaces": (
            lambda: report.replace(
                b"<feedback", b"<feedback " + b" ".join(b'xmlns:n%d="u"' % n for n in range(100_000))
            ),
            XML,
        ),
        "XML, an attribute of 20 MB": (
            lambda: report.replace(b"<record>", b'<record a="' + b"x" * 20 * MIB + b'">'),
            XML,
        ),
        "XML, an inclusion": (
            lambda: inside(
                b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
            ),
            STORED,
        ),
        "XML, a style sheet": (
            lambda: report.replace(b"?>", b'?><?xml-stylesheet href="http://192.0.2.1/"?>', 1),
            STORED,
        ),
        "XML, a DOCTYPE in a comment": (lambda: inside(b"<!-- <!DOCTYPE x> -->"), (Reason.XML_FORBIDDEN,)),
        "XML, a report in a report": (
            lambda: report.replace(b"<record>", report[39:] + b"<record>"),
            STORED,
        ),
    }


def _values(report: bytes) -> dict[str, Attack]:
    number, date, place = (Reason.NUMBER_INVALID,), (Reason.DATE_INVALID,), (Reason.FIELD_MISSING,)

    def count(value: str) -> Callable[[], bytes]:
        return lambda: report.replace(b"<count>1<", f"<count>{value}<".encode())

    def end(value: str) -> Callable[[], bytes]:
        return lambda: report.replace(b"1704153599", value.encode())

    def source(value: str) -> Callable[[], bytes]:
        return lambda: report.replace(b"192.0.2.1", value.encode())

    counts: dict[str, tuple[str, ...]] = {
        "-1": number, "-9223372036854775808": number, "9007199254740993": number, "1e400": number, "0x10": number,
        "١": number, "NaN": number, "1&#48;": STORED, "0": STORED,
    }  # fmt: skip
    dates = {
        "-1": date, "99999999999999999999": date, "253402300800": date, "9999-12-31T23:59:59-23:59": date, "1e9": date,
        "0000-00-00": date, "Mon, 99 Jan 99999 99:99:99 +9999": date, "0": date,
    }  # fmt: skip
    sources = {
        "::ffff:192.0.2.1": STORED, "fe80::1%eth0": STORED, "[2001:db8::1]": STORED, "192.0.2.1/32": STORED,
        "0300.0.0002.1": place, "3221225985": place, "192.0.2.1, 192.0.2.2": place, "mail.example.com": place,
        "192.0.2.0/24": place, "::1%'; DROP TABLE daily; --": STORED,
    }  # fmt: skip
    return {
        **{f"count of {value}": (count(value), expected) for value, expected in counts.items()},
        **{f"end of {value}": (end(value), expected) for value, expected in dates.items()},
        **{f"source {value}": (source(value), expected) for value, expected in sources.items()},
    }
