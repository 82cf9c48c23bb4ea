"""A whole copy of the warehouse, and back: consistent while others read and write."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from warehouse.connect import Warehouse
from warehouse.errors import WarehouseDamaged, WarehouseError, WarehouseMissing
from warehouse.soundness import read_through
from warehouse.turnstile import turn


def backup(warehouse: Warehouse, target: Path) -> int:
    """Copy the warehouse to `target`, all or nothing; its size in bytes.

    A writer's session first brings the write-ahead log into the file. The copy is made in a
    reader's turn: other readers go on, writers wait for the copy to end. Raises WarehouseDamaged
    where not all of the copy can be read; then there is none.
    """
    if target.exists():
        raise WarehouseError(f"{target} exists already.", "Name a new file, or remove that one.")
    if not warehouse.path.exists():
        raise WarehouseMissing(f"There is no warehouse at {warehouse.path} to copy.")
    copied = False
    while not copied:
        with warehouse.writing(reports=False):
            pass
        with turn(warehouse.path, write=False, wait=warehouse.settings.wait):
            # A writer that was killed since then has left a log: what it holds is to be in the copy.
            if copied := not _log(warehouse.path).exists():
                _copy(warehouse.path, target)
    try:
        _check(target, warehouse)
    except WarehouseDamaged as error:
        target.unlink()
        raise WarehouseDamaged(
            f"Not all of {warehouse.path} can be read, so no copy was made: {_told(error)}.",
            "Keep the copies of before. Copy the file itself, then try its disk, and restore the newest good copy.",
        ) from error
    return target.stat().st_size


def restore(warehouse: Warehouse, source: Path, now: datetime) -> Path | None:
    """Put a copy in the warehouse's place; where the old file went, None where there was none.

    All of the copy is read before anything is moved. Raises WarehouseDamaged or
    SchemaTooNew for one that cannot be used. Killed at any moment, the one or the other is there.
    """
    if not source.is_file():
        raise WarehouseMissing(f"There is no file {source}.", "Name the file that 'whosends backup' wrote.")
    path = warehouse.path
    path.parent.mkdir(parents=True, exist_ok=True)
    arriving = path.with_name(path.name + ".restoring")
    arriving.unlink(missing_ok=True)
    _copy(source, arriving)
    try:
        try:
            _check(arriving, warehouse)
        except WarehouseDamaged as error:
            raise WarehouseDamaged(
                f"{source} is damaged or is no warehouse: {_told(error)}.", "Nothing was changed. Name another copy."
            ) from error
        if _log(path).exists():
            # What it holds goes into its file; a damaged file keeps its log, which steps aside with it.
            with suppress(WarehouseError), warehouse.writing():
                pass
        with turn(path, write=True, wait=warehouse.settings.wait):
            replaced = _step_aside(path, now)
            arriving.replace(path)
    finally:
        arriving.unlink(missing_ok=True)
        _forget_locks(arriving)
    return replaced


def _check(path: Path, warehouse: Warehouse) -> None:
    """Read all of a copy. Raises WarehouseDamaged."""
    try:
        with Warehouse(path, warehouse.settings).reading() as connection:
            connection.execute("SELECT count(*) FROM aggregate_report").fetchone()
            read_through(connection)
    finally:
        _forget_locks(path)


def _told(error: WarehouseDamaged) -> str:
    """What DuckDB said of a damage, without the name of the file that was only on its way."""
    return error.message.partition(": ")[2].rstrip(".")


def _step_aside(path: Path, now: datetime) -> Path | None:
    """Give the old file a second name, so that there is no moment in which none has the first one."""
    if not path.exists():
        return None
    stamp = f"{path.name}.replaced-{now:%Y%m%dT%H%M%S}"
    names = (path.with_name(stamp + (f"-{n}" if n else "")) for n in count())
    replaced = next(name for name in names if not name.exists())
    try:
        replaced.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copyfile(path, replaced)
    if _log(path).exists():  # it belongs to the file that steps aside, and would be played into the new one
        _log(path).replace(_log(replaced))
    return replaced


def _log(path: Path) -> Path:
    """The write-ahead log that DuckDB keeps beside a file until it is closed."""
    return path.with_name(path.name + ".wal")


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as read, partial.open("wb") as write:
            shutil.copyfileobj(read, write, 2**20)
            write.flush()
            os.fsync(write.fileno())
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        message = f"Cannot copy {source} to {target}: {error.strerror}."
        raise WarehouseError(message, "Nothing was changed.") from error


def _forget_locks(path: Path) -> None:
    """Lock files of a path that nobody else takes turns for."""
    for suffix in (".turnstile", ".lock"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
