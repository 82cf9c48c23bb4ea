"""Many readers or one writer, over processes, by two advisory file locks.

DuckDB lets one process at a time open a file for writing, and then no other may even read. So a
session opens the file, does one query or one batch, and closes it, and these locks say whose turn
it is. Readers pass the *turnstile* (shared, for a moment) and hold the *data lock* (shared). A
writer holds the turnstile exclusively while it waits for the readers inside to leave: new readers
stay outside meanwhile, so a writer is never starved. A writer that comes back at once steps aside
for a moment first, so that it does not starve the readers. The operating system drops the locks of
a process that dies, so none can be left behind.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import portalocker

from warehouse.errors import WarehouseBusy, WarehouseError

SHARED = portalocker.LockFlags.SHARED | portalocker.LockFlags.NON_BLOCKING
EXCLUSIVE = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING

STEP_ASIDE = 0.01
"""Seconds between two writers' turns of one process: longer than a waiting reader sleeps."""

_left: dict[Path, float] = {}


@contextmanager
def turn(path: Path, *, write: bool, wait: float) -> Iterator[None]:
    """Hold the warehouse at `path` for one session. Raises WarehouseBusy after `wait` seconds."""
    deadline = time.monotonic() + wait
    flags = EXCLUSIVE if write else SHARED
    if write:
        time.sleep(max(0.0, _left.get(path, 0.0) + STEP_ASIDE - time.monotonic()))
    with ExitStack() as inside, ExitStack() as turnstile:
        _lock(turnstile, path.with_name(path.name + ".turnstile"), flags, deadline)
        _lock(inside, path.with_name(path.name + ".lock"), flags, deadline)
        if not write:
            turnstile.close()
        yield
    if write:
        _left[path] = time.monotonic()


def pass_by(path: Path, *, wait: float) -> None:
    """Wait behind the writers that wait, as every reader does, without a turn. Raises WarehouseBusy as `turn` does."""
    with ExitStack() as turnstile:
        _lock(turnstile, path.with_name(path.name + ".turnstile"), SHARED, time.monotonic() + wait)


def _lock(stack: ExitStack, path: Path, flags: portalocker.LockFlags, deadline: float) -> None:
    file = stack.enter_context(_open(path))
    while True:
        try:
            portalocker.lock(file, flags)
        except portalocker.exceptions.LockException as error:
            if time.monotonic() >= deadline:
                message = f"Other processes have held the warehouse {path.with_suffix('')} for too long."
                raise WarehouseBusy(message, "Try again, or raise warehouse.wait.") from error
            # Short enough that the wait is not felt, random so that two waiters do not keep step.
            time.sleep(random.uniform(0.001, 0.005))  # noqa: S311
        else:
            stack.callback(portalocker.unlock, file)
            return


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        message = f"Cannot open the lock file {path}: {error.strerror}."
        raise WarehouseError(message, "The warehouse's folder must exist and be writable.") from error
