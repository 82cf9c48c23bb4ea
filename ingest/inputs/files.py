"""Messages from files, folders, Maildirs, mbox files, zip files of mails, standard input. Reading changes nothing."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from ingest.errors import UsageError
from ingest.inputs import mail_archive, mbox
from ingest.inputs.base import Cursors, Message, Position
from ingest.inputs.mail_archive import MailArchive
from ingest.inputs.mbox import HEAD_BYTES
from ingest.outcome import Outcome
from ingest.settings import UnpackLimits

STANDARD_INPUT = "-"


class FileInput:
    """Paths given by a person, in their order. A path is a path, whatever characters are in it; `-` is
    standard input.

    `batch_bytes` and `batch_messages` bound what is held in memory before it is stored. Raises
    UsageError, before anything is read, where a path does not exist.
    """

    acts = False
    remote = False

    def __init__(
        self,
        paths: Sequence[str | Path],
        limits: UnpackLimits,
        *,
        batch_bytes: int = 16 * 2**20,
        batch_messages: int = 20_000,
        stdin: BinaryIO | None = None,
    ) -> None:
        self._paths = [str(path) for path in paths]
        for path in self._paths:
            _check(path)
        self.name = " ".join(map(shown, self._paths))
        self._limits = limits
        self._batch_bytes = batch_bytes
        self._batch_messages = batch_messages
        self._stdin = stdin

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Yield batches of messages. Files have no cursor: reading them again stores nothing twice."""
        batch: list[Message] = []
        size = 0
        for message in self._messages():
            if batch and (len(batch) >= self._batch_messages or size + len(message.raw) > self._batch_bytes):
                yield batch
                batch, size = [], 0
            batch.append(message)
            size += len(message.raw)
        if batch:
            yield batch

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Nothing to do: files stay where they are, as they are."""

    def redo(self, owed: Sequence[Position]) -> None:
        """Nothing is ever owed to files."""

    def _messages(self) -> Iterator[Message]:
        for path in self._paths:
            if path == STANDARD_INPUT:
                yield from _from_stream(self._stdin or sys.stdin.buffer, "stdin", None, self._limits.message_bytes)
                continue
            for file in _files(path, set()):
                yield from _from_file(file, self._limits)


def _check(path: str) -> None:
    if path == STANDARD_INPUT or os.path.lexists(path):
        return
    if "\0" in path:
        raise UsageError("A path cannot hold a zero byte.")
    parent = Path(path).parent
    if not parent.exists():
        raise UsageError(f"{path} does not exist: there is no folder {parent}.", "Check the path.")
    raise UsageError(
        f"{path} does not exist.", f"Look what is in {parent.resolve()}; a path is taken as it is, never as a pattern."
    )


# -- folders --------------------------------------------------------------------------------------


def _files(path: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    """The files at and below a path, sorted, each folder once however many links lead to it."""
    try:
        status = os.stat(path)  # noqa: PTH116  a Path for each file takes as long as reading it
        if not stat.S_ISDIR(status.st_mode):
            yield path
            return
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:
        yield path  # reading it will say why
        return
    is_maildir = {"cur", "new"} <= {entry.name for entry in entries}
    for entry in entries:
        try:
            is_wanted, is_folder = _is_wanted(entry, is_maildir), entry.is_dir()
        except OSError:  # a link that leads back to itself, or to where nobody may look: reading it will say so
            is_wanted, is_folder = not is_maildir and not entry.name.startswith("."), False
        if is_wanted and is_folder:
            yield from _files(entry.path, seen)
        elif is_wanted:
            yield entry.path


def _is_wanted(entry: os.DirEntry[str], in_maildir: bool) -> bool:
    """Not hidden, and no device; in a Maildir no half-delivered mail and no index of the mail server."""
    if not entry.is_dir():
        # A link to nowhere is wanted too, so that it is told.
        is_file = entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
        return is_file and not in_maildir and not entry.name.startswith(".")
    if in_maildir and entry.name.startswith("."):
        return Path(entry.path, "cur").is_dir()  # Maildir++: sub-folders are called .Name
    return not entry.name.startswith(".") and not (in_maildir and entry.name == "tmp")


# -- files and streams ----------------------------------------------------------------------------


def _from_file(path: str, limits: UnpackLimits) -> Iterator[Message]:
    origin = shown(path)
    try:
        with open(path, "rb", buffering=0) as bare:  # noqa: PTH123  as above
            status = os.fstat(bare.fileno())
            is_regular = stat.S_ISREG(status.st_mode)
            moment = _changed_at(status) if is_regular else None
            stream = _whole(bare, status.st_size) if is_regular else io.BufferedReader(bare)
            if is_regular:
                if stream.read(4).startswith(mail_archive.START) and (archive := MailArchive.open(stream, limits)):
                    yield from _from_archive(archive, origin, limits.message_bytes)
                    return
                stream.seek(0)
            yield from _from_stream(stream, origin, moment, limits.message_bytes)
    except OSError as fault:
        sentence = f"It could not be read: {fault.strerror or type(fault).__name__}."
        yield Message(raw=b"", origin=origin, size=0, fault=sentence)


def _changed_at(status: os.stat_result) -> datetime | None:
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):  # some file systems hold years that no calendar has
        return None


def _whole(bare: io.FileIO, size: int) -> BinaryIO:
    """A file of that size as a stream. A small one is read at once, as most are: half of what a buffer costs."""
    if size <= _SMALL and len(raw := bare.read(size + 1) or b"") <= size:
        return io.BytesIO(raw)
    bare.seek(0)
    return io.BufferedReader(bare)


_SMALL = 2**18


def _from_archive(archive: MailArchive, origin: str, limit: int) -> Iterator[Message]:
    for member in archive.members():
        is_whole = member.file_size <= limit
        raw, fault = archive.read(member, limit if is_whole else min(HEAD_BYTES, limit))
        where = f"{origin}#{member.filename}".encode("utf-8", "backslashreplace").decode("utf-8")
        size = len(raw) if is_whole else member.file_size
        yield Message(raw, where, size, mail_archive.modified(member), fault=fault)


def shown(path: str | Path) -> str:
    """A path for people and for tables: names that are no valid text are escaped."""
    text = str(path)
    return text if text.isprintable() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _from_stream(stream: BinaryIO, origin: str, moment: datetime | None, limit: int) -> Iterator[Message]:
    """One message, or many where the content is an mbox. Never more than `limit` bytes are kept."""
    start = _read(stream, mbox.PROBE)
    if mbox.FROM_LINE.match(start):
        yield from mbox.messages(start, stream, origin, limit)
        return
    raw = start + _read(stream, limit + 1 - len(start)) if len(start) == mbox.PROBE else start
    size = len(raw)
    if size > limit:
        raw = raw[: min(HEAD_BYTES, limit)]
        while piece := stream.read(HEAD_BYTES):
            size += len(piece)
    yield Message(raw=raw, origin=origin, size=size, received_at=moment)


def _read(stream: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes; pipes give less at a time. Most files are small, so the steps begin small."""
    pieces = []
    step = 2**16
    while size > 0 and (piece := stream.read(min(size, step))):
        pieces.append(piece)
        size -= len(piece)
        step *= 2
    return b"".join(pieces)
