"""A zip file of mails, as a person exports a mailbox: read like a folder, one member after the other.

A zip file without an .eml member is none of it: that is an attachment, and ingest/unpack.py's to open.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from ingest.settings import UnpackLimits

START = b"PK\x03\x04"

_DIRECTORY = 8 * 2**20
"""Bytes of a directory beyond which it is not read: each member becomes an object in memory."""

_END = struct.Struct("<4s8xII2x")  # signature, size of the directory, where it begins (APPNOTE.TXT section 4.3.16)
_FAULTS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, OSError)


class MailArchive:
    """The members of a zip file of mails, in its directory's order."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @classmethod
    def open(cls, stream: BinaryIO, limits: UnpackLimits) -> MailArchive | None:
        """None where the file is no archive of mails, or says to unpack to what no mailbox does."""
        try:
            if not _may_hold_mails(stream):
                return None
            archive = zipfile.ZipFile(stream)
        except _FAULTS:
            return None
        members = archive.infolist()
        packed = stream.seek(0, 2)
        # zipfile gives no more bytes of a member than the directory says, so this bounds all of them.
        too_much = sum(member.file_size for member in members) > limits.ratio * packed
        if too_much or not any(member.filename.lower().endswith(".eml") for member in members):
            return None
        return cls(archive)

    def members(self) -> Iterator[zipfile.ZipInfo]:
        """What is no folder, and none of a Mac's leftovers."""
        for member in self._archive.infolist():
            if not member.is_dir() and not member.filename.startswith("__MACOSX/"):
                yield member

    def read(self, member: zipfile.ZipInfo, size: int) -> tuple[bytes, str]:
        """At most so many bytes of a member, and why they could not be read ("": they could)."""
        try:
            with self._archive.open(member) as stream:
                return stream.read(size), ""
        except _FAULTS as fault:
            return b"", f"It could not be read from the zip file: {type(fault).__name__}."


def modified(member: zipfile.ZipInfo) -> datetime | None:
    """When it was changed last, by the clock of whoever packed it; taken as UTC."""
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        return None


def _may_hold_mails(stream: BinaryIO) -> bool:
    """Whether the directory is one that is read. Of most reports' zip files its bytes tell that no name ends in .eml.

    It is none where there is no end record, or where zip64 fields (over 65,535 members) overrule that.
    """
    size = stream.seek(0, 2)
    tail = max(0, size - 2**16 - 22)
    stream.seek(tail)
    end = stream.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(end) or b"PK\x06\x07" in end[max(0, at - 20) : at]:
        return False
    directory = int(_END.unpack_from(end, at)[1])
    if directory <= at and b".eml" not in end[at - directory : at].lower():
        return False
    return 0 < directory <= _DIRECTORY
