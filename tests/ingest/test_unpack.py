"""Archives: what is in them, what they are called, and what is damaged. Limits and attacks: test_hostile.py."""

from __future__ import annotations

import gzip
import struct
import zipfile

import pytest

from ingest.errors import MalformedReport, UnsafeArchive
from ingest.message import Budget, Document
from ingest.outcome import Reason
from ingest.settings import UnpackLimits
from ingest.unpack import unpack
from tests.ingest import wrap

DATA = b"<feedback>" + bytes(range(32, 127)) * 50


def unpacked(data: bytes, name: str = "a.bin", limits: UnpackLimits | None = None) -> list[tuple[str, bytes]]:
    found = unpack(Document(name, "application/zip", data), Budget(limits or UnpackLimits()))
    return [(document.name, document.data) for document in found]


def reason(data: bytes) -> str:
    with pytest.raises(MalformedReport) as refused:
        unpacked(data)
    return refused.value.reason


def test_what_is_no_archive_is_itself() -> None:
    document = Document("a.gz", "application/gzip", DATA)
    assert list(unpack(document, Budget(UnpackLimits()))) == [document]


def test_names_are_shown_and_never_used() -> None:
    assert unpacked(gzip.compress(DATA), "report.xml.gz") == [("report.xml", DATA)]
    assert unpacked(gzip.compress(DATA), "report.zip") == [("report.zip", DATA)]
    assert unpacked(wrap.zipped(("/etc/../x/\u202ea.xml", DATA))) == [("a.xml", DATA)]
    assert unpacked(wrap.zipped(("c:\\reports\\b.xml", DATA))) == [("b.xml", DATA)]


def test_a_member_without_a_name() -> None:
    packed = bytearray(wrap.zipped(("x", DATA)))
    at = packed.index(b"PK\x01\x02")
    packed[at + 28 : at + 30] = b"\0\0"  # the directory's name has no characters, its extra field has one
    packed[at + 30 : at + 32] = b"\1\0"
    assert unpacked(bytes(packed)) == [("", DATA)]


def test_members_come_in_order_and_folders_and_links_do_not() -> None:
    link = zipfile.ZipInfo("link.xml")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    packed = wrap.zipped(("d/", b""), ("d/1.xml", b"1"), ("2.xml", b"2"), ("__MACOSX/._2.xml", b"x"))
    assert unpacked(packed) == [("1.xml", b"1"), ("2.xml", b"2")]
    out = wrap.zipped_with(link, b"/etc/passwd")
    assert unpacked(out) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_reports_do_not_use_are_refused(method: int) -> None:
    assert reason(wrap.zipped(("a.xml", DATA), method=method)) == Reason.BROKEN_ARCHIVE


def test_a_large_archive_is_measured_first_and_comes_out_whole() -> None:
    data = b"".join(b"%d," % (n * 7919 % 100_003) for n in range(300_000))
    assert unpacked(gzip.compress(data)) == [("a.bin", data)]
    assert unpacked(wrap.zipped(("a", data))) == [("a", data)]


def test_members_of_a_gzip_file_are_joined() -> None:
    assert unpacked(gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b") + b"\x1f\x8bjunk") == [
        ("a.bin", b"ab")
    ]


@pytest.mark.parametrize("cut", range(2, len(gzip.compress(DATA)) - 8, 7))
def test_a_gzip_file_cut_anywhere_in_its_data_is_damaged(cut: int) -> None:
    assert reason(gzip.compress(DATA)[:cut]) == Reason.BROKEN_ARCHIVE


@pytest.mark.parametrize("cut", range(4, len(wrap.zipped(("a.xml", DATA))), 7))
def test_a_zip_file_cut_anywhere_is_damaged(cut: int) -> None:
    assert reason(wrap.zipped(("a.xml", DATA))[:cut]) == Reason.BROKEN_ARCHIVE


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (42, 0xFFFFFF),  # the member begins beyond the end
        (20, 0xFFFFFF),  # it is longer than the file
        (16, 12345),  # another checksum
        (20, 5),  # it is shorter than its data
    ],
)
def test_a_directory_that_lies_is_damage(offset: int, value: int) -> None:
    packed = bytearray(wrap.zipped(("a.xml", DATA)))
    at = packed.index(b"PK\x01\x02") + offset
    packed[at : at + 4] = struct.pack("<I", value)
    assert reason(bytes(packed)) == Reason.BROKEN_ARCHIVE


def test_sizes_that_lie_do_not_matter() -> None:
    packed = bytearray(wrap.zipped(("a.xml", DATA)))
    at = packed.index(b"PK\x01\x02") + 24
    packed[at : at + 4] = struct.pack("<I", 1)
    assert unpacked(bytes(packed)) == [("a.xml", DATA)]


def test_a_winmail_dat() -> None:
    assert unpacked(wrap.winmail("A.GZ", gzip.compress(DATA))) == [("A", DATA)]
    assert reason(wrap.winmail("A.GZ", DATA)[:-500]) == Reason.BROKEN_ARCHIVE


def test_the_ratio_is_judged_beyond_a_mebibyte() -> None:
    assert len(unpacked(gzip.compress(bytes(2**20)))) == 1
    assert reason(gzip.compress(bytes(2**20 + 2**18))) == Reason.EXPANDS_TOO_FAR


def test_which_limit_is_too_small_is_said() -> None:
    members = wrap.zipped(("a.xml", bytes(6000)), ("b.xml", bytes(6000)), ("c.xml", bytes(6000)))
    assert len(unpacked(members)) == 3
    for limits, sentence in (
        (UnpackLimits(document_bytes=5000), "It unpacks to more than 5000 bytes."),
        (UnpackLimits(total_bytes=13_000), "Its documents unpack to more than 13000 bytes together."),
        (UnpackLimits(total_bytes=3000), "Its documents unpack to more than 3000 bytes together."),
    ):
        with pytest.raises(UnsafeArchive) as refused:
            unpacked(members, limits=limits)
        assert str(refused.value) == sentence
