"""What stands around a document: archives, mails, encodings, several deep, and damaged themselves."""

from __future__ import annotations

import base64
import gzip
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.mutations import BYTES
from tests.fuzz.values import some_value
from tests.ingest import wrap

_GROWS = 2**17  # bytes up to which another layer is put around


def packed(chance: Random, document: bytes, other: bytes) -> bytes:
    """The document as it is, packed, mailed, or both, with the packing damaged at times."""
    raw = document
    for _ in range(chance.choice((0, 1, 1, 2, 6))):
        if len(raw) < _GROWS:  # sixty members each, several deep, would be more than there is memory
            raw = chance.choice(ARCHIVES)(chance, raw, other)
    if chance.random() < 0.5:
        raw = chance.choice(list(wrap.MAILED.values()))(raw)
    if chance.random() < 0.3:
        for _ in range(chance.choice((1, 2, 5))):
            raw = chance.choice(BYTES)(chance, raw)
    return raw


def _gzipped(chance: Random, data: bytes, other: bytes) -> bytes:
    del other
    whole = gzip.compress(data, 1, mtime=0)
    match chance.randrange(6):
        case 0:
            return whole[: -chance.choice((1, 4, 8, 9, 20))]
        case 1:
            half = len(data) // 2
            return gzip.compress(data[:half], 1, mtime=0) + gzip.compress(data[half:], 1, mtime=0)
        case 2:
            return whole + chance.choice((b"\0" * 9, b"\x1f\x8b", b"\x1f\x8b\x08\x00junk", chance.randbytes(5)))
        case 3:
            return whole[:-8] + chance.randbytes(8)
        case 4:
            return b"\x1f\x8b\x08\x1e" + whole[4:10] + b"\x05\0extra" + b"name\0comment\0" + b"\0\0" + whole[10:]
        case _:
            return whole


def _zipped(chance: Random, data: bytes, other: bytes) -> bytes:
    name = chance.choice(
        (wrap.FILE_NAME, "a.xml", "../../a.xml", "a/", "a.xml.gz", "A" * 300, "\u202elmx.a", "mail.eml")
    )
    method = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))
    members = [(name, data), ("b.xml", other)][: chance.choice((1, 1, 2))] * chance.choice((1, 1, 1, 1, 60))
    if chance.random() < 0.2:
        return wrap.zipped_streaming("a.xml", data)
    raw = bytearray(wrap.zipped(*members, method=method))
    if chance.random() < 0.3:
        at = raw.find(chance.choice((b"PK\1\2", b"PK\3\4", b"PK\5\6")))
        field = at + chance.randrange(4, 46)
        raw[field : field + 4] = struct.pack("<I", chance.choice((0, 1, 2**16, 2**31, 2**32 - 1)))
    return bytes(raw)


def _winmail(chance: Random, data: bytes, other: bytes) -> bytes:
    del other
    return wrap.winmail(some_value(chance)[:20].decode("ascii", "replace").encode("ascii", "replace").decode(), data)


def _base64(chance: Random, data: bytes, other: bytes) -> bytes:
    del other
    text = base64.encodebytes(data)
    return chance.choice((text, text.replace(b"\n", b""), text.replace(b"=", b""), text + b"====", b"\n\n" + text))


def _tarred(chance: Random, data: bytes, other: bytes) -> bytes:
    names = (wrap.FILE_NAME, "a.xml", "../../a.xml", "A" * 300, "\u202elmx.a", "1.M1P2.host:2,S")
    members = [(chance.choice(names), chance.choice((data, data, other))) for _ in range(chance.randrange(4))]
    form = chance.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    raw = wrap.tarred(*((name if form else name[:90], data) for name, data in members), form=form)
    return raw if chance.random() < 0.8 else raw[: chance.randrange(len(raw))]


ARCHIVES: Sequence[Callable[[Random, bytes, bytes], bytes]] = (
    _gzipped,
    _gzipped,
    _zipped,
    _zipped,
    _tarred,
    _winmail,
    _base64,
)
