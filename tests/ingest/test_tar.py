"""Tar files: what other programs write is read, and what is damaged, or made to harm, is told."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
from contextlib import suppress

import pytest

from ingest import tar
from ingest.errors import MalformedReport, UnsafeArchive
from ingest.message import Budget, Document
from ingest.outcome import Reason
from ingest.settings import UnpackLimits
from ingest.unpack import unpack
from tests.ingest.wrap import tar_header as header
from tests.ingest.wrap import tarred, zipped

FORMS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
DATA = bytes(range(256)) * 5
LONG = "ä" * 60 + "x" * 90 + "!example.com!1!2.xml"
MANY = 2**30


def found(raw: bytes, piece: int = 2**16, limit: int = MANY) -> list[tuple[str, bytes]]:
    return [*map(tuple, tar.members((raw[at : at + piece] for at in range(0, len(raw), piece)), limit))]


def unpacked(raw: bytes, limits: UnpackLimits | None = None) -> list[tuple[str, bytes]]:
    made = unpack(Document("a.tar", "", raw), Budget(limits or UnpackLimits()))
    return [(document.name, document.data) for document in made]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [1, 511, 2**16])
def test_what_other_programs_write_is_read(form: int, piece: int) -> None:
    files = [("folder/a.xml", DATA), ("b.xml", b""), ("c.xml", DATA[:512])]
    files += [] if form == tarfile.USTAR_FORMAT else [(LONG, DATA)]
    assert tar.is_tar(tarred(*files, form=form)[:600])
    assert found(tarred(*files, form=form), piece) == files


def test_folders_and_links_hold_nothing() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo("x")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        file = tarfile.TarInfo("y")
        file.size = 3
        archive.addfile(file, io.BytesIO(b"abc"))
    assert found(out.getvalue()) == [("y", b"abc")]


def test_names_are_shown_and_never_used() -> None:
    assert unpacked(tarred(("/etc/../x/\u202ea.xml", DATA), ("._a.xml", b"\0\5\x16\7Mac"))) == [("a.xml", DATA)]


def test_archives_in_it_are_unpacked() -> None:
    inner = tarred(("a.xml.gz", gzip.compress(DATA)), ("b.zip", zipped(("b.xml", DATA))))
    assert unpacked(gzip.compress(inner)) == [("a.xml", DATA), ("b.xml", DATA)]
    deep = gzip.compress(tarred(("1.tar", tarred(("2.tar", tarred(("3.tar", tarred(("a", b"")))))))))
    with pytest.raises(UnsafeArchive) as refused:
        unpacked(deep)
    assert refused.value.reason == Reason.NESTED_TOO_DEEP


def test_joined_files_are_one_and_noise_behind_them_is_none() -> None:
    assert found(tarred(("a", b"1")) + tarred(("b", b"2")) + b"noise" * 200) == [("a", b"1"), ("b", b"2")]


def test_large_packed_files_are_read_as_they_are_inflated() -> None:
    data = b"".join(b"%d," % (n * 7919 % 100_003) for n in range(300_000))
    assert unpacked(gzip.compress(tarred(("a", data), ("b", data)))) == [("a", data), ("b", data)]


@pytest.mark.parametrize("cut", [100, 511, 512, 513, 1000, 1024, 1024 + 511, 1536 + 700, 2560])
def test_cut_anywhere_it_is_damaged_and_what_came_before_is_read(cut: int) -> None:
    files = tar.members([tarred(("a", DATA[:512]), ("b", DATA[:1024]))[:cut]], MANY)
    before = [next(files).name for _ in range((cut >= 1024) + (cut >= 2560))]
    assert before == ["a", "b"][: len(before)]
    with pytest.raises(MalformedReport) as refused:
        next(files)
    assert refused.value.reason == Reason.BROKEN_ARCHIVE


@pytest.mark.parametrize(
    "raw",
    [
        tarred(("a", DATA)).replace(b"ustar", b"ustar", 1)[:130] + b"9" + tarred(("a", DATA))[131:],
        tarred(("a", b""))[:512] + b"\1" * 512,
        header(b"0", b"-0000000001"),
        header(b"0", b"\x80" + bytes(10) + b"\1"),
        header(b"x", b"\xff" * 12),
        header(b"S", data=DATA),
        header(b"M", data=DATA),
        tarred()[:0] + bytes(257) + b"ustar" + bytes(300),
    ],
    ids=["checksum", "a header of noise", "a size below 0", "a size of GNU's", "all bits", "holes", "volumes", "bare"],
)
def test_what_is_damaged_or_not_read_is_told(raw: bytes) -> None:
    with pytest.raises(MalformedReport) as refused:
        found(raw)
    assert refused.value.reason == Reason.BROKEN_ARCHIVE


def test_one_without_files_holds_nothing() -> None:
    assert found(tarred()) == found(header(b"5") + bytes(1024)) == []


def test_bounds_are_those_of_a_zip_file() -> None:
    for limits, reason in (
        (UnpackLimits(parts=2), Reason.TOO_MANY_PARTS),
        (UnpackLimits(document_bytes=1000), Reason.EXPANDS_TOO_FAR),
        (UnpackLimits(total_bytes=3000), Reason.EXPANDS_TOO_FAR),
    ):
        with pytest.raises(UnsafeArchive) as refused:
            unpacked(tarred(("a", DATA), ("b", DATA), ("c", DATA)), limits)
        assert refused.value.reason == reason
    with pytest.raises(UnsafeArchive):
        unpacked(header(b"0", b"77777777777"))


@pytest.mark.parametrize(
    "raw",
    [
        header(b"x", b"%011o" % 2**23, b"1" * 2**23) + tarred(("a", b"")),
        header(b"L", b"%011o" % 2**23, b"a" * 2**23) + tarred(("a", b"")),
        header(b"g") * 50_000 + tarred(("a", b"")),
        bytes(257) + b"ustar" + bytes(2**23),
        tarred(("a", b"")) + bytes(2**25),
    ],
    ids=["digits of pax", "a name of 8 MB", "50,000 headers", "zeros", "an end of 32 MB"],
)
def test_none_is_expensive(raw: bytes) -> None:
    began = time.process_time()
    with suppress(MalformedReport):
        found(raw)
    assert time.process_time() - began < 3
