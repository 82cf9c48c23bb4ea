"""What is kept of the bytes: as they came where they came small, and always the same bytes again."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest import wrap
from tests.warehouse.build import ListInput, loader, message, row, warehouse, xml
from warehouse.documents import document
from warehouse.load import load
from warehouse.packing import packed, unpacked

XML = xml(row(), row("198.51.100.7", dkim="fail"), row("198.51.100.8"))


def deflated(data: bytes, level: int = 6) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def gzipped(data: bytes, flags: int) -> bytes:
    """A gzip member with the optional fields of RFC 1952 section 2.3 that `flags` names."""
    header = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6)
    header += struct.pack("<H", 5) + b"\0\1\2\3\4" if flags & 4 else b""
    header += b"name\xe9.xml\0" if flags & 8 else b""
    header += b"a comment\0" if flags & 16 else b""
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF) if flags & 2 else b""
    return header + deflated(data) + struct.pack("<II", zlib.crc32(data), len(data))


def kept(folder: Path, *raws: bytes) -> list[tuple[bytes, bytes]]:
    """What is stored of each report, and the document that it is read as."""
    target = warehouse(folder)
    load(ListInput([[message(raw, f"file {number}") for number, raw in enumerate(raws)]]), loader(target))
    with target.reading() as connection:
        rows = connection.execute(
            "SELECT report_key, data FROM aggregate_report JOIN raw_document USING (document_hash) ORDER BY report_key"
        ).fetchall()
        return [(data, document(connection, key) or b"") for key, data in rows]


@pytest.mark.parametrize(
    "raw",
    [
        *(gzipped(XML, flags) for flags in (0, 2, 4, 8, 16, 30)),
        gzipped(XML, 0) + b"trailing bytes",
        wrap.zipped(("report.xml", XML)),
        wrap.zipped(("inner.gz", gzipped(XML, 8))),
        wrap.common_mail(gzipped(XML, 0)),
    ],
)
def test_a_stream_is_kept_as_it_came(tmp_path: Path, raw: bytes) -> None:
    assert kept(tmp_path, raw) == [(deflated(XML), XML)]


@pytest.mark.parametrize(
    "raw",
    [
        XML,
        gzip.compress(XML, 0),  # stored, not compressed
        gzip.compress(XML[:500]) + gzip.compress(XML[500:]),
        gzip.compress(XML)[:-8],
        wrap.zipped(("report.xml", XML), method=0),
    ],
)
def test_anything_else_is_compressed_here(tmp_path: Path, raw: bytes) -> None:
    ((data, found),) = kept(tmp_path, raw)
    assert found == XML
    assert len(data) < len(XML) / 2


def test_one_of_several_reports_in_a_stream_is_no_stream(tmp_path: Path) -> None:
    both = [xml(row(), report_id="r1"), xml(row(), report_id="r2")]
    found = kept(tmp_path, gzip.compress(b"\n".join(both)))
    assert len(found) == 2
    assert all(part in whole for (_, part), whole in zip(found, both, strict=True))


@given(st.binary(max_size=3000), st.integers(0, 9), st.integers(1, 5))
def test_the_same_bytes_come_back(data: bytes, level: int, times: int) -> None:
    data *= times
    assert unpacked(packed(data), len(data)) == data
    assert unpacked(packed(data, deflated(data, level)), len(data)) == data


@given(st.binary(min_size=1, max_size=40))
def test_no_stream_looks_like_the_other_kind(rest: bytes) -> None:
    with pytest.raises(zlib.error):
        zlib.decompressobj(-zlib.MAX_WBITS).decompress(b"\x28\xb5\x2f\xfd" + rest)
