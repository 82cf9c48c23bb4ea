"""What was worked out of the reports, kept beside the warehouse for as long as it is true.

A folder beside the file holds one small file for each thing kept. Its name is made of the warehouse's *mark*, of this
program's own files, and of the question. The mark is another random word after every change (`Warehouse.writing`), and
a copy that is restored brings its own along: what is no longer true is never found, so nothing has to be made
invalid. People's decisions and the time are not in the mark: nothing kept may rest on them.

Anybody may remove the folder at any time. What cannot be kept or read back is worked out again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from publicsuffixlist import PSLFILE

if TYPE_CHECKING:
    from warehouse.connect import Connection

MOST = 6_000  # files kept, a dozen for each domain and period; beyond, those written first go
DIGEST = 16  # bytes
MARK = 32  # characters
LASTING = "0" * MARK  # stands for the mark where what is kept tells itself what it rests on

_marks: WeakKeyDictionary[Connection, tuple[Path | None, str]] = WeakKeyDictionary()


def folder_of(warehouse: Path) -> Path:
    """Where the answers to a warehouse are kept."""
    return warehouse.with_name(warehouse.name + ".kept")


def _program() -> bytes:
    """What this program is made of: another one may answer otherwise. Asked when it is loaded, not when it is used."""
    known = hashlib.blake2b(version("whosends").encode(), digest_size=DIGEST)
    for path in sorted(_files(Path(__file__).parents[1])):
        found = path.stat()
        known.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return known.digest()


def _files(root: Path) -> Iterator[Path]:
    for package in ("ingest", "warehouse", "analysis"):
        for folder, _, names in os.walk(root / package):
            yield from (Path(folder, name) for name in names if not name.endswith(".pyc"))
    yield Path(PSLFILE)


PROGRAM = _program()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer to one question is kept for one state of the warehouse; nowhere while it is written to."""

    folder: Path | None
    name: str

    def load(self) -> bytes | None:
        """What is kept there; None where there is nothing, or it is damaged."""
        if self.folder is None:
            return None
        path = self.folder / self.name
        try:
            kept = path.read_bytes()
        except OSError:
            return None
        data = kept[DIGEST:]
        return data if kept[:DIGEST] == _digest(data) else None

    def store(self, data: bytes, most: int = MOST) -> None:
        """Keep it, all or nothing. A folder that cannot be written to, or a full disk, is no fault of the answer."""
        if self.folder is None:
            return
        with suppress(OSError):
            self._make_room(self.folder, most)
            partial = self.folder / f"{self.name}.{os.getpid()}"
            try:
                partial.touch(mode=_mode(self.folder))
                partial.write_bytes(_digest(data) + data)
                partial.replace(self.folder / self.name)
            finally:
                partial.unlink(missing_ok=True)

    def _make_room(self, folder: Path, most: int) -> None:
        """Make the folder, readable to whoever can read the warehouse; remove what is of other states, or too much."""
        with suppress(FileExistsError):
            mode = _mode(folder)
            folder.mkdir(mode=0o700)
            folder.chmod(mode | (mode & 0o444) >> 2)
        names = [path.name for path in folder.iterdir()]
        # What lasts says nothing of the state that the others belong to.
        states = {self.name[:MARK], LASTING} if self.name[:MARK] != LASTING else {name[:MARK] for name in names}
        mine = [name for name in names if name[:MARK] in states]
        gone = {*names} - {*mine}
        if len(mine) >= most:
            gone.update(sorted(mine, key=lambda name: _written(folder / name))[: len(mine) - most + 1])
        for name in gone:
            (folder / name).unlink(missing_ok=True)


NOWHERE = Place(None, "")


def place(
    connection: Connection, question: str, *parts: object, lasting: bool = False, program: bytes = PROGRAM
) -> Place:
    """Where the answer to a question about the reports is kept; it may rest on nothing but them and `parts`.

    `parts` are values whose repr says all of them. What is `lasting` is found whatever became of the reports: it has
    to say itself what it was made from, and whoever reads it has to look.
    """
    if connection not in _marks:
        _marks[connection] = _state(connection)
    folder, mark = _marks[connection]
    asked = hashlib.blake2b(program, digest_size=DIGEST)
    asked.update(repr((question, parts)).encode())
    return Place(folder, f"{LASTING if lasting else mark}-{asked.hexdigest()}")


def keep_in(connection: Connection, folder: Path) -> None:
    """Let a session that does not look at the warehouse as it is keep what it finds in a folder of its own."""
    _, mark = _state(connection)
    likeness = folder / "past"  # the kept folder is beside a file, and has its rights
    likeness.touch(mode=0o600)
    _marks[connection] = (folder_of(likeness), mark)


def _state(connection: Connection) -> tuple[Path | None, str]:
    row = connection.execute(
        """
        SELECT mark, (SELECT path FROM duckdb_databases() WHERE database_name = current_database() AND readonly)
        FROM mark
        """
    ).fetchone()
    mark, path = row or ("", None)
    return folder_of(Path(path)) if path else None, mark


def _written(path: Path) -> int:
    """When a file was written; one that somebody has just removed goes first."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _mode(folder: Path) -> int:
    """Who may read and write the warehouse may read and write what is kept of it."""
    return folder.with_name(folder.name.removesuffix(".kept")).stat().st_mode & 0o666


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST).digest()
