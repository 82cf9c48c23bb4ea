"""A file that stays open for a moment after a reader's session: the next question often follows at once.

To open a file takes DuckDB 15 ms of the processor, as long as most questions; a page asks thirty of them. Sessions
that begin while it is open share it, each with a connection of its own. It holds the turn of the session that opened
it. Every later one passes the turnstile as if it had to open: where a writer waits there, it waits behind, and the
file is closed as soon as nobody has asked for a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from threading import Lock, Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.connect import Connection

MOMENT = 0.1
"""Seconds that a file stays open with nobody asking: a writer waits so much longer at the most."""

Opening = Callable[[], AbstractContextManager["Connection"]]

_lock = Lock()  # held for an instant only: never while a file is opened, closed or waited for
_open: dict[Path, _File] = {}


class _File:
    """An open file and who uses it. Whoever finds it idle sets `closed` under the lock, and then closes it."""

    def __init__(self, path: Path, opening: Opening) -> None:
        self.path = path
        self.users = 1
        self.left = 0.0
        self.watched = False  # whether a timer looks after it
        self.timer: Timer | None = None
        self.closed = False
        with ExitStack() as stack:
            self.connection = stack.enter_context(opening())
            self.identity = _identity(path)
            self.close = stack.pop_all().close


@contextmanager
def shared(path: Path, opening: Opening, passing: Callable[[], None]) -> Iterator[Connection]:
    """A connection to a file that lingers. `opening` takes a turn and opens; `passing` waits where a writer waits."""
    passing()
    file = _join(path)
    if file is None:
        # Where another was put in its place: DuckDB would give the old one as long as that is open.
        let_go(path)
        file = _share(_File(path, opening))
    try:
        connection = file.connection.cursor()
        try:
            yield connection
        finally:
            connection.close()
    except BaseException:
        # What failed may have broken what the file rests on: whoever comes next opens it anew.
        _forget(file)
        raise
    finally:
        _leave(file)


def let_go(path: Path) -> None:
    """Close the file now if nobody uses it: this process wants to write to it, or is done."""
    with _lock:
        file = _open.get(path)
        if file is None or file.users:
            return
        del _open[path]
        file.closed = True
        timer = file.timer
    if timer:
        timer.cancel()
    file.close()


def _join(path: Path) -> _File | None:
    """One more user of the file that is open, if it still is the one at this path."""
    now = _identity(path)
    with _lock:
        file = _open.get(path)
        if file is None or file.identity != now:
            return None
        file.users += 1
        return file


def _share(file: _File) -> _File:
    """Let others use a file from now on, unless one is open already."""
    with _lock:
        _open.setdefault(file.path, file)
    return file


def _forget(file: _File) -> None:
    with _lock:
        if _open.get(file.path) is file:
            del _open[file.path]


def _leave(file: _File) -> None:
    with _lock:
        file.users -= 1
        file.left = time.monotonic()
        if file.users:
            return
        lingers = _open.get(file.path) is file
        file.closed = not lingers
        watch, file.watched = lingers and not file.watched, lingers
    if not lingers:
        file.close()
    elif watch:
        _watch(file, MOMENT)


def _watch(file: _File, seconds: float) -> None:
    # A program that ends waits for it: a thread that is cut off while DuckDB closes a file takes the program down.
    file.timer = Timer(seconds, _look, [file])
    file.timer.start()


def _look(file: _File) -> None:
    """Close a file that nobody asked for a moment; look again where somebody did."""
    with _lock:
        rest = file.left + MOMENT - time.monotonic()
        file.watched = not file.users and not file.closed and rest > 0
        closing = not file.users and not file.closed and rest <= 0
        if closing:
            file.closed = True
            if _open.get(file.path) is file:
                del _open[file.path]
    if closing:
        file.close()
    elif file.watched:
        _watch(file, rest)


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
