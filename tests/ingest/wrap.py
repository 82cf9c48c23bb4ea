"""Every way in which reports are found packed: from a document's bytes to a message's bytes."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import quopri
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage

FILE_NAME = "mail.example.net!example.com!1704067200!1704153599.xml"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def zipped_with(member: zipfile.ZipInfo, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, data)
    return out.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def tar_header(kind: bytes, size: bytes = b"00000000000", data: bytes = b"") -> bytes:
    """A header and what follows it, which no program writes so."""
    block = bytearray(tarred(("a", b""))[:512])
    block[124:136], block[156:157] = size.ljust(12, b"\0"), kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + data + bytes(-len(data) % 512)


class _Unseekable(io.RawIOBase):
    """Makes zipfile write sizes behind the data (data descriptors), as streaming writers do."""

    def __init__(self) -> None:
        self.out = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        self.out += piece
        return len(piece)


def zipped_streaming(name: str, data: bytes) -> bytes:
    sink = _Unseekable()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr(name, data)
    return bytes(sink.out)


def encrypted_zip(name: str, size: int = 64) -> bytes:
    """A zip whose member says that it is encrypted (flag bit 0); nothing here can write a real one."""
    plain = bytearray(zipped((name, bytes(size)), method=zipfile.ZIP_STORED))
    central = plain.index(b"PK\x01\x02")
    plain[6] |= 1
    plain[central + 8] |= 1
    return bytes(plain)


def winmail(name: str, data: bytes) -> bytes:
    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("<BII", 2, kind, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    return b"".join(
        [
            b"\x78\x9f\x3e\x22\x01\x00",
            attribute(0x00089006, b"\x00\x00\x01\x00"),
            attribute(0x00069002, bytes(14)),
            attribute(0x00018010, name.encode() + b"\0"),
            attribute(0x0006800F, data),
        ]
    )


def uuencoded(data: bytes, name: str = "report.xml.gz") -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 " + name.encode() + b"\n" + b"".join(lines) + b"`\nend\n"


# -- mails ----------------------------------------------------------------------------------------

HEADER = (
    b"Return-Path: <noreply@mail.example.net>\r\n"
    b"From: noreply@mail.example.net\r\nTo: dmarc@example.com\r\n"
    b"Subject: Report Domain: example.com Submitter: mail.example.net Report-ID: <a1b2c3>\r\n"
    b"MIME-Version: 1.0\r\n"
)


def entity(fields: str, body: bytes) -> bytes:
    return fields.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def mail(fields: str, body: bytes) -> bytes:
    return HEADER + entity(fields, body)


def multipart(*parts: bytes, boundary: str = "=_b0undary", kind: str = "mixed", closed: bool = True) -> bytes:
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    end = b"--" + boundary.encode() + b"--\r\n" if closed else b""
    return entity(f'Content-Type: multipart/{kind}; boundary="{boundary}"', b"preamble\r\n" + body + end)


def attached(data: bytes, content_type: str = "application/gzip", name: str = FILE_NAME + ".gz") -> bytes:
    disposition = f'Content-Disposition: attachment; filename="{name}"'
    fields = f"Content-Type: {content_type}\nContent-Transfer-Encoding: base64\n{disposition}"
    return entity(fields, base64.encodebytes(data).replace(b"\n", b"\r\n"))


TEXT = entity("Content-Type: text/plain; charset=us-ascii", b"This is an aggregate report.")


def common_mail(data: bytes) -> bytes:
    """As the standard library writes it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@mail.example.net", "dmarc@example.com", "Report"
    message.set_content("This is an aggregate report.\n")
    message.add_attachment(gzip.compress(data), maintype="application", subtype="gzip", filename=FILE_NAME + ".gz")
    return message.as_bytes()


def inline(data: bytes, encoding: str) -> bytes:
    return mail(f"Content-Type: text/plain\nContent-Transfer-Encoding: {encoding}", data)


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data)


def forwarded(message: bytes, levels: int = 1) -> bytes:
    for _ in range(levels):
        message = HEADER + multipart(TEXT, entity("Content-Type: message/rfc822", message), boundary=f"f{len(message)}")
    return message


def _named_gzip(data: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile("some/where/report.xml", "wb", fileobj=out) as packed:
        packed.write(data)
    return out.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda d: d,
    "gzip": gzip.compress,
    "gzip, with a name in it": _named_gzip,
    "gzip, two members": lambda d: gzip.compress(d[: len(d) // 2]) + gzip.compress(d[len(d) // 2 :]),
    "gzip, bytes behind it": lambda d: gzip.compress(d) + b"\0\0\0\r\njunk",
    "double gzip": lambda d: gzip.compress(gzip.compress(d)),
    "zip": lambda d: zipped((FILE_NAME, d)),
    "zip, not packed": lambda d: zipped((FILE_NAME, d), method=zipfile.ZIP_STORED),
    "zip, with folders": lambda d: zipped(("out/", b""), ("out/" + FILE_NAME, d)),
    "zip, with a hostile name": lambda d: zipped(("../../etc/passwd.xml", d)),
    "zip, with a Mac's leftovers": lambda d: zipped((FILE_NAME, d), ("__MACOSX/._" + FILE_NAME, b"\0\5\x16\7")),
    "zip, with data descriptors": lambda d: zipped_streaming(FILE_NAME, d),
    "zip, bytes behind it": lambda d: zipped((FILE_NAME, d)) + b"\r\n\r\n",
    "gzip in zip": lambda d: zipped((FILE_NAME + ".gz", gzip.compress(d))),
    "zip in gzip": lambda d: gzip.compress(zipped((FILE_NAME, d))),
    "gzip in zip in gzip": lambda d: gzip.compress(zipped(("a", gzip.compress(d)))),
    "tar": lambda d: tarred((FILE_NAME, d)),
    "tar in gzip": lambda d: gzip.compress(tarred(("out/" + FILE_NAME, d), form=tarfile.GNU_FORMAT)),
    "gzip in tar": lambda d: tarred(("._" + FILE_NAME, b"\0\5\x16\7"), (FILE_NAME + ".gz", gzip.compress(d))),
    "mail in gzip": lambda d: gzip.compress(common_mail(d)),
    "mail in zip in tar": lambda d: tarred(("export.zip", zipped(("1.eml", common_mail(d))))),
    "base64 in a file": lambda d: base64.encodebytes(gzip.compress(d)),
}

MAILED: dict[str, Callable[[bytes], bytes]] = {
    "common": common_mail,
    "gzip": lambda d: HEADER + multipart(TEXT, attached(gzip.compress(d))),
    "zip": lambda d: HEADER + multipart(attached(zipped((FILE_NAME, d)), "application/zip", FILE_NAME[:-4] + ".zip")),
    "gzip called zip": lambda d: HEADER + multipart(attached(gzip.compress(d), "application/zip", "report.zip")),
    "octet-stream without a name": lambda d: (
        HEADER
        + multipart(
            TEXT,
            entity(
                "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64", _base64(gzip.compress(d))
            ),
        )
    ),
    "the mail is the attachment": lambda d: HEADER + attached(gzip.compress(d)),
    "xml attachment, quoted-printable": lambda d: (
        HEADER
        + multipart(
            entity("Content-Type: text/xml\nContent-Transfer-Encoding: quoted-printable", quopri.encodestring(d))
        )
    ),
    "xml attachment, 8bit": lambda d: HEADER + multipart(entity("Content-Type: text/xml; charset=utf-8", d)),
    "inline": lambda d: inline(b"Here it is:\r\n\r\n" + d, "8bit"),
    "inline, quoted-printable": lambda d: inline(quopri.encodestring(d), "quoted-printable"),
    "inline, base64": lambda d: inline(_base64(d), "base64"),
    "text that is base64": lambda d: inline(_base64(gzip.compress(d)), "7bit"),
    "base64 that is not": lambda d: (
        HEADER + multipart(entity("Content-Type: application/xml\nContent-Transfer-Encoding: base64", d))
    ),
    "base64, blank lines": lambda d: (
        HEADER
        + multipart(
            entity(
                "Content-Type: application/gzip\nContent-Transfer-Encoding: BASE64",
                b"\r\n\r\n" + _base64(gzip.compress(d)).replace(b"\n", b"\r\n\r\n"),
            )
        )
    ),
    "base64, no padding": lambda d: (
        HEADER
        + multipart(
            entity(
                "Content-Type: application/gzip\nContent-Transfer-Encoding: base64",
                _base64(gzip.compress(d)).replace(b"=", b""),
            )
        )
    ),
    "uuencode": lambda d: inline(b"Report follows\n\n" + uuencoded(gzip.compress(d)), "7bit"),
    "x-uuencode": lambda d: mail(
        'Content-Type: application/gzip; name="a.xml.gz"\nContent-Transfer-Encoding: x-uuencode',
        uuencoded(gzip.compress(d)),
    ),
    "winmail.dat": lambda d: (
        HEADER
        + multipart(TEXT, attached(winmail("REPORT~1.GZ", gzip.compress(d)), "application/ms-tnef", "winmail.dat"))
    ),
    "forwarded": lambda d: forwarded(common_mail(d)),
    "forwarded twice": lambda d: forwarded(common_mail(d), 2),
    "forwarded as a file": lambda d: (
        HEADER + multipart(TEXT, attached(common_mail(d), "application/octet-stream", "fwd.eml"))
    ),
    "no closing boundary": lambda d: HEADER + multipart(TEXT, attached(gzip.compress(d)), closed=False),
    "boundary not declared": lambda d: (
        HEADER + multipart(TEXT, attached(gzip.compress(d))).replace(b'; boundary="=_b0undary"', b"", 1)
    ),
    "boundaries that begin alike": lambda d: (
        HEADER
        + multipart(
            multipart(TEXT, attached(gzip.compress(d)), boundary="=_b0undary-inner"),
            TEXT,
        )
    ),
    "line feeds only": lambda d: (HEADER + multipart(TEXT, attached(gzip.compress(d)))).replace(b"\r\n", b"\n"),
    "carriage returns only": lambda d: (HEADER + multipart(TEXT, attached(gzip.compress(d)))).replace(b"\r\n", b"\r"),
    "name in pieces (RFC 2231)": lambda d: (
        HEADER
        + multipart(
            attached(gzip.compress(d)).replace(
                b'filename="' + FILE_NAME.encode() + b'.gz"',
                b"filename*0*=utf-8''mail.example.net%21example.com;\r\n"
                b' filename*1="!1704067200!1704153599";\r\n filename*2=.xml.gz',
            )
        )
    ),
    "no header field but this one": lambda d: attached(gzip.compress(d)),
    "an mbox's first line": lambda d: b"From noreply@mail.example.net Mon Jan  1 00:00:00 2024\n" + common_mail(d),
}


def zeros_gzip(size: int) -> bytes:
    """`size` zero bytes, packed by about a thousand, without ever holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(2**20)
    out = [packer.compress(piece) for _ in range(size // 2**20)]
    return b"".join([*out, packer.flush()])
