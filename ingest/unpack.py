"""Archives to the documents in them: gzip (RFC 1952), zip, tar and winmail.dat, nested, in memory, within limits.

Nothing an archive says about itself is believed: sizes are counted as bytes come out, names are only
shown. What could expand by much is first inflated without keeping anything: a bomb is refused before it
costs memory, and a document stays packed until somebody needs all of it (ingest/inflated.py).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from ingest import tar, tnef
from ingest.errors import MalformedReport, UnsafeArchive
from ingest.inflated import PIECE, Inflated, inflating
from ingest.message import Budget, Document
from ingest.outcome import Reason

_JUDGED_BEYOND = 2**20
# Deflate expands by 1032 at most (RFC 1951: 258 bytes from two bits), so less packed data than this
# cannot become more than 64 MiB and is inflated at once.
_MEASURED_BEYOND = 2**16

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def unpack(document: Document, budget: Budget) -> Iterator[Document]:
    """Yield the documents inside `document`, or itself where it is no archive. Bytes decide, not names.

    Raises UnsafeArchive (a limit of `budget`, encryption) or MalformedReport (damage). Members of a zip
    that can be read are yielded even where another one cannot.
    """
    yield from _unpack(document, budget, budget.limits.depth)


def _unpack(document: Document, budget: Budget, depth: int) -> Iterator[Document]:
    head = document.head
    if not _is_archive(head):
        yield document
        return
    if not depth:
        raise UnsafeArchive(
            Reason.NESTED_TOO_DEEP, f"It holds archives in archives, more than {budget.limits.depth} deep."
        )
    if head.startswith(_GZIP):
        content, repair, deflated = _gunzip(document.data, budget)
        name = _without_suffix(document.name)
        inner = Document(name, document.content_type, content, repair or document.repair, deflated)
        yield from _unpack(inner, budget, depth - 1)
    elif head.startswith(tnef.SIGNATURE):
        for name, data in tnef.attachments(document.data):
            budget.part()
            yield from _unpack(Document(_shown(name), "", data), budget, depth - 1)
    elif head.startswith(_ZIP):
        yield from _unzip(document, budget, depth)
    else:
        yield from _untar(document, budget, depth)


def _is_archive(head: bytes) -> bool:
    """Whether what begins so is unpacked."""
    return head.startswith((_GZIP, *_ZIP, tnef.SIGNATURE)) or tar.is_tar(head)


def _without_suffix(name: str) -> str:
    for suffix in (".gz", ".gzip"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


# -- inflating within limits ----------------------------------------------------------------------


class _Sink:
    """Takes what is inflated from one source: counts it, judges it, and keeps it if told to, or else its digests."""

    def __init__(self, budget: Budget, keep: bool) -> None:
        self.limits = budget.limits
        self.bytes = min(budget.bytes, budget.limits.document_bytes)
        self.size = 0
        self._digest = blake2b(digest_size=16)
        self._out = io.BytesIO() if keep else None

    def take(self, piece: bytes, consumed: int) -> None:
        """Add a piece; `consumed` is how many packed bytes everything so far came from."""
        self.count(len(piece), consumed)
        if self._out is not None:
            self._out.write(piece)
        else:
            self._digest.update(piece)

    def count(self, size: int, consumed: int) -> None:
        """Judge as many bytes more, whoever keeps them. Raises UnsafeArchive beyond a limit."""
        self.size += size
        if self.size > self.bytes:
            alone = f"It unpacks to more than {self.limits.document_bytes} bytes."
            together = f"Its documents unpack to more than {self.limits.total_bytes} bytes together."
            is_alone = self.bytes == self.limits.document_bytes
            raise UnsafeArchive(Reason.EXPANDS_TOO_FAR, alone if is_alone else together)
        if self.size > _JUDGED_BEYOND and self.size > self.limits.ratio * consumed:
            raise UnsafeArchive(
                Reason.EXPANDS_TOO_FAR,
                f"It unpacks to more than {self.limits.ratio} times its size, as no report does.",
            )

    def data(self) -> bytes:
        """All that was taken, if it was kept."""
        return self._out.getvalue() if self._out is not None else b""

    def content(self, deflated: bytes) -> bytes | Inflated:
        """All that was taken; where it was not kept, as what this stream holds."""
        return self.data() if self._out is not None else Inflated(deflated, self.size, self._digest.hexdigest())


def _inflate(packed: memoryview, wbits: int, sink: _Sink, before: int = 0) -> int:
    """Inflate one deflate stream or gzip member into `sink`; returns how many bytes of `packed` it took.

    `before` counts packed bytes of the same source that were consumed earlier. Raises zlib.error.
    """
    consumed = 0
    for piece, consumed in inflating(packed, wbits):
        sink.take(piece, before + consumed)
    return consumed


# -- gzip -----------------------------------------------------------------------------------------


class _Gunzipped(NamedTuple):
    """What was in a gzip file, what it lacks, and its deflate stream where it is one member and whole."""

    content: bytes | Inflated
    repair: str
    deflated: bytes


def _gunzip(packed: bytes, budget: Budget) -> _Gunzipped:
    """All members of a gzip file, joined; what follows the last one is ignored (RFC 1952 section 2.2)."""
    sink = _Sink(budget, keep=len(packed) <= _MEASURED_BEYOND)
    members, end, repair = _inflate_members(packed, budget, sink)
    deflated = packed[_header_end(packed) : end - _TRAILER] if members == 1 and not repair else b""
    if len(packed) > _MEASURED_BEYOND and not deflated:
        sink = _Sink(budget, keep=True)
        _inflate_members(packed, budget, sink)
    budget.unpacked(sink.size)
    return _Gunzipped(sink.content(deflated), repair, deflated)


_TRAILER = 8  # checksum and size


def _header_end(member: bytes) -> int:
    """Where the deflate stream of a gzip member begins that zlib has read (RFC 1952 section 2.3)."""
    flags, at = member[3], 10
    if flags & 4:  # FEXTRA
        at += 2 + int.from_bytes(member[at : at + 2], "little")
    for flag in (8, 16):  # FNAME, FCOMMENT
        if flags & flag:
            at = member.index(0, at) + 1
    return at + 2 if flags & 2 else at  # FHCRC


def _inflate_members(packed: bytes, budget: Budget, sink: _Sink) -> tuple[int, int, str]:
    """How many members there are, where the last one ends, and what it lacks."""
    view = memoryview(packed)
    at = members = 0
    while packed.startswith(_GZIP, at):
        members += 1
        if members > budget.limits.parts:
            raise UnsafeArchive(
                Reason.TOO_MANY_PARTS, f"It is made of more than {budget.limits.parts} joined gzip files."
            )
        try:
            at += _inflate(view[at:], zlib.MAX_WBITS | 16, sink, at)
        except zlib.error as fault:
            if members > 1 and not packed.startswith(_GZIP + b"\x08", at):
                break  # two bytes of trailing garbage that look like a beginning
            if _lacks_trailer_alone(view[at:]):
                return members, at, "gzip_trailer"
            raise _damaged("gzip", fault) from None
    return members, at, ""


def _lacks_trailer_alone(member: memoryview) -> bool:
    """Whether all data of a gzip member is there, and only its last eight bytes are cut (RFC 1952 section 2.3.1).

    Those are computed and fed to zlib, which accepts them only where they complete the member; what is
    there of them must be right. The member was inflated before, within limits, up to where it ends.
    """
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    at = checksum = size = 0
    try:
        while True:
            piece = stream.unconsumed_tail or bytes(member[at : at + PIECE])
            at += 0 if stream.unconsumed_tail else len(piece)
            data = stream.decompress(piece, PIECE)
            if not piece and not data:
                break
            checksum, size = zlib.crc32(data, checksum), size + len(data)
    except zlib.error:
        return False
    trailer = struct.pack("<II", checksum, size & 0xFFFFFFFF)
    return any(_completes(stream.copy(), trailer[present:]) for present in range(len(trailer)))


def _completes(stream: zlib._Decompress, rest: bytes) -> bool:
    try:
        return not stream.decompress(rest) and stream.eof and not stream.unused_data
    except zlib.error:
        return False


def _damaged(kind: str, fault: Exception) -> MalformedReport:
    return MalformedReport(
        Reason.BROKEN_ARCHIVE,
        f"The {kind} file is cut off or damaged: {str(fault)[:100]}.",
        "Ask the reporter to send it again, or look whether something on the way changes attachments.",
    )


# -- tar ------------------------------------------------------------------------------------------


_APPLE_DOUBLE = b"\0\5\x16\7"  # RFC 1740 appendix B: what a Mac packs beside each file


def _untar(document: Document, budget: Budget, depth: int) -> Iterator[Document]:
    """The files in a tar file, in their order."""
    content = document.content
    pieces = (content,) if isinstance(content, bytes) else content.pieces()
    for name, data in tar.members(pieces, budget.limits.document_bytes):
        budget.part()
        if data.startswith(_APPLE_DOUBLE):
            continue
        _Sink(budget, keep=False).count(len(data), len(data))
        budget.unpacked(len(data))
        yield from _unpack(Document(_shown(name), "", data), budget, depth - 1)


# -- zip ------------------------------------------------------------------------------------------

# What zipfile raises over hostile directories, tried with random damage.
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,
    OverflowError,
    EOFError,
    OSError,
    IndexError,
    LookupError,
    struct.error,
)


def _unzip(document: Document, budget: Budget, depth: int) -> Iterator[Document]:
    """The members of a zip file, in its directory's order; folders and links hold no report."""
    packed = document.data
    # Counted before zipfile builds an object for each: 64 MiB of directory would be a gigabyte of them.
    if packed.count(b"PK\x01\x02") > budget.limits.parts:
        raise UnsafeArchive(Reason.TOO_MANY_PARTS, f"The zip file has more than {budget.limits.parts} members.")
    try:
        members = zipfile.ZipFile(io.BytesIO(packed)).infolist()
    except _ZIP_FAULTS as fault:
        raise _damaged("zip", fault) from None
    if not members:
        raise MalformedReport(Reason.BROKEN_ARCHIVE, "The zip file is empty.")
    first_fault: MalformedReport | None = None
    for member in members:
        budget.part()
        if member.filename.endswith("/") or member.filename.startswith("__MACOSX/") or _is_link(member):
            continue
        try:
            content, deflated = _member(packed, member, budget)
        except MalformedReport as fault:
            if fault.reason == Reason.EXPANDS_TOO_FAR:
                raise
            first_fault = first_fault or fault
            continue
        yield from _unpack(Document(_shown(member.filename), "", content, deflated=deflated), budget, depth - 1)
    if first_fault is not None:
        raise first_fault


def _is_link(member: zipfile.ZipInfo) -> bool:
    return member.create_system == 3 and (member.external_attr >> 16) & 0o170000 == 0o120000


def _shown(filename: str) -> str:
    """A member's name for people: never used as a path."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return (name if name.isprintable() else "".join(filter(str.isprintable, name)))[:255]


def _member(packed: bytes, member: zipfile.ZipInfo, budget: Budget) -> tuple[bytes | Inflated, bytes]:
    """What a member holds, and its deflate stream, if it has one."""
    if member.flag_bits & 0x1:
        raise UnsafeArchive(
            Reason.ENCRYPTED,
            f"The zip file is encrypted ({_shown(member.filename)!r} wants a password).",
            "Reports are never encrypted; if a gateway does this, exempt the report address from it.",
        )
    source = _source(packed, member)
    sink = _Sink(budget, keep=len(source) <= _MEASURED_BEYOND)
    content: bytes | Inflated
    if member.compress_type == zipfile.ZIP_STORED:
        content, deflated = bytes(source), b""
        sink.take(content, len(source))
        checksum = zlib.crc32(content)
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        deflated, checksum = _inflate_member(source, sink)
        content = sink.content(deflated)
    else:
        raise MalformedReport(
            Reason.BROKEN_ARCHIVE,
            f"The zip file is packed by method {member.compress_type}, which reports do not use.",
        )
    budget.unpacked(sink.size)
    if checksum != member.CRC:
        raise _damaged("zip", zlib.error("checksum differs"))
    return content, deflated


def _source(packed: bytes, member: zipfile.ZipInfo) -> memoryview:
    """The member's packed bytes, which stand behind its local header (APPNOTE.TXT section 4.3.7)."""
    header = packed[member.header_offset : member.header_offset + 30]
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise _damaged("zip", zlib.error("a member is missing"))
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    start = member.header_offset + 30 + name_length + extra_length
    source = memoryview(packed)[start : start + member.compress_size]
    if len(source) < member.compress_size:
        raise _damaged("zip", zlib.error("a member is cut off"))
    return source


def _inflate_member(source: memoryview, sink: _Sink) -> tuple[bytes, int]:
    """Inflate a member; its stream, and the checksum of what came out."""
    checksum = consumed = 0
    try:
        for piece, consumed in inflating(source, -zlib.MAX_WBITS):
            sink.take(piece, consumed)
            checksum = zlib.crc32(piece, checksum)
    except zlib.error as fault:
        raise _damaged("zip", fault) from None
    return bytes(source[:consumed]), checksum
