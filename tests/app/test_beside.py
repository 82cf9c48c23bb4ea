"""Work in a process of its own: done, failed, broken off, and gone with whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Timer
from time import monotonic, sleep

import pytest

from app.beside import beside

LONG = 600.0


def note(path: Path) -> None:
    path.write_text(str(os.getpid()))


def linger(path: Path) -> None:
    note(path)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    sleep(LONG)


def fail(path: Path) -> None:
    note(path)
    raise SystemExit(1)


def alive(path: Path) -> bool:
    try:
        os.kill(int(path.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def until(holds: object, seconds: float = 60.0) -> None:
    assert callable(holds)
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end
        sleep(0.05)


def test_what_is_done_is_said_and_what_fails_is_not(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    assert beside(lambda: False, note, path)
    assert int(path.read_text()) != os.getpid()
    assert not beside(lambda: False, fail, path)


def test_nothing_begins_where_it_is_over_already(tmp_path: Path) -> None:
    assert not beside(lambda: True, note, tmp_path / "pid")
    assert not (tmp_path / "pid").exists()


def test_it_is_broken_off_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    path, stop = tmp_path / "pid", Event()
    timer = Timer(0.0, lambda: (until(lambda: path.exists() and path.read_text()), stop.set()))
    timer.start()
    begun = monotonic()
    assert not beside(stop.is_set, linger, path)
    assert monotonic() - begun < LONG / 4
    timer.join()
    assert not alive(path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_whoever_started_it(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "pid"
    script = (
        "import sys; from pathlib import Path; from app.beside import beside\n"
        "from tests.app.test_beside import linger\n"
        "if __name__ == '__main__': beside(lambda: False, linger, Path(sys.argv[1]))"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=root) as process:
        until(lambda: path.exists() and path.read_text())
        process.send_signal(number)
        process.wait(30)
    until(lambda: not alive(path))
