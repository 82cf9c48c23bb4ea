"""What was worked out of the reports, kept beside the warehouse for as long as it is true.

A folder beside the file holds one small file for each thing kept. Its name is made of the question and of this
program's own files; in it stands which state (`warehouse.marks`) of the reports that the question reads it was made of:
those of the domains that it names, or all. What is no longer true is not taken, and what is found anew takes its place,
so nothing has to be made invalid. People's decisions, what DNS and blocklists say, the time, and what is told of a
source or a reporter by others' reports are in no domain's state: what rests on them has them among its `parts`.

Anybody may remove the folder at any time. What cannot be kept or read back is worked out again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from publicsuffixlist import PSLFILE

from warehouse import marks
from warehouse.marks import Marks

if TYPE_CHECKING:
    from warehouse.connect import Connection

MOST = 12_000  # files kept, two dozen for each domain and what is looked at; beyond, those written first go
DIGEST = 16  # bytes
GROUND = 32  # characters
LASTING = "0" * GROUND  # stands for the ground where what is kept tells itself what it rests on
COUNTED = 64  # files that are written before they are counted again, at most

_marks: WeakKeyDictionary[Connection, tuple[Path | None, Marks]] = WeakKeyDictionary()
_room: dict[tuple[Path, str], int] = {}  # how many files this process may write before it counts them again


def folder_of(warehouse: Path) -> Path:
    """Where the answers to a warehouse are kept."""
    return warehouse.with_name(warehouse.name + ".kept")


def _program() -> bytes:
    """What this program is made of: another one may answer otherwise. Asked when it is loaded, not when it is used."""
    known = hashlib.blake2b(version("whosends").encode(), digest_size=DIGEST)
    for name, path in sorted(_files(Path(__file__).parents[1])):
        found = os.stat(path)  # noqa: PTH116 - a path's own objects take as long again
        known.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return known.digest()


def _files(root: Path) -> Iterator[tuple[str, str]]:
    """Each file with its name within this program: where that lies does not change what it answers."""
    for package in ("ingest", "warehouse", "analysis"):
        for folder, _, names in os.walk(root / package):
            within = folder.removeprefix(str(root))
            yield from ((f"{within}/{name}", f"{folder}/{name}") for name in names if not name.endswith(".pyc"))
    yield "public suffixes", PSLFILE


PROGRAM = _program()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer to one question is kept for one state of the reports; nowhere while they are written to."""

    folder: Path | None
    name: str
    state: str = ""

    def load(self) -> bytes | None:
        """What is kept there; None where there is nothing, it is of another state, or it is damaged."""
        if self.folder is None:
            return None
        try:
            with (self.folder / self.name).open("rb", buffering=0) as file:
                if file.read(DIGEST) != self._of_state:
                    return None
                digest, data = file.read(DIGEST), file.readall()
        except OSError:
            return None
        return data if digest == _digest(data) else None

    @property
    def _of_state(self) -> bytes:
        return _digest(self.state.encode())

    def store(self, data: bytes, most: int = MOST) -> None:
        """Keep it, all or nothing. A folder that cannot be written to, or a full disk, is no fault of the answer."""
        if self.folder is None:
            return
        with suppress(OSError):
            self._make_room(self.folder, most)
            partial = self.folder / f"{self.name}.{os.getpid()}.{threading.get_ident()}"
            try:
                partial.touch(mode=_mode(self.folder))
                partial.write_bytes(self._of_state + _digest(data) + data)
                partial.replace(self.folder / self.name)
            finally:
                partial.unlink(missing_ok=True)

    def _make_room(self, folder: Path, most: int) -> None:
        """Make the folder, readable to whoever can read the warehouse; remove what is of other states, or too much."""
        with suppress(FileExistsError):
            mode = _mode(folder)
            folder.mkdir(mode=0o700)
            folder.chmod(mode | (mode & 0o444) >> 2)
        ground = self.name[:GROUND]
        # To look through thousands of names takes longer than to write a file.
        room = _room.get((folder, ground), 0)
        if not room:
            names = [path.name for path in folder.iterdir()]
            # What lasts says nothing of the ground that the others stand on.
            grounds = {ground, LASTING} if ground != LASTING else {name[:GROUND] for name in names}
            mine = [name for name in names if name[:GROUND] in grounds]
            gone = {*names} - {*mine}
            if len(mine) >= most:
                old = sorted(mine, key=lambda name: _written(folder / name))
                gone.update(old[: len(mine) - most + max(most // 100, 1)])
            for name in gone:
                (folder / name).unlink(missing_ok=True)
            room = min(COUNTED, max(most - len(names) + len(gone), 1))
        _room[folder, ground] = room - 1


NOWHERE = Place(None, "")


def place(
    connection: Connection,
    question: str,
    *parts: object,
    domains: Collection[str] = (),
    lasting: bool = False,
    program: bytes = PROGRAM,
) -> Place:
    """Where the answer to a question about the reports of some domains is kept; of all where none is named.

    It may rest on nothing but them and `parts`, values whose repr says all of them. What is `lasting` is found whatever
    became of the reports: it has to say itself what it was made from, and whoever reads it has to look.
    """
    if connection not in _marks:
        _marks[connection] = _folder(connection), marks.read(connection)
    folder, known = _marks[connection]
    asked = hashlib.blake2b(program, digest_size=DIGEST)
    asked.update(repr((question, sorted(set(domains)), parts)).encode())
    if lasting:
        return Place(folder, f"{LASTING}-{asked.hexdigest()}")
    return Place(folder, f"{known.ground}-{asked.hexdigest()}", known.of(domains))


def keep_in(connection: Connection, folder: Path) -> None:
    """Let a session that does not look at the warehouse as it is keep what it finds in a folder of its own."""
    likeness = folder / "past"  # the kept folder is beside a file, and has its rights
    likeness.touch(mode=0o600)
    _marks[connection] = (folder_of(likeness), marks.read(connection))


def _folder(connection: Connection) -> Path | None:
    row = connection.execute(
        "SELECT path FROM duckdb_databases() WHERE database_name = current_database() AND readonly"
    ).fetchone()
    return folder_of(Path(row[0])) if row and row[0] else None


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
