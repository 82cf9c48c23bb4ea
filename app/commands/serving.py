"""Starting the web app and ending it cleanly; what `app` and `demo` share."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from types import FrameType

from app import exitcodes
from app.render import Screen
from app.web import launch
from ingest.errors import Error, UsageError

ADDRESS = "127.0.0.1"
PORT = 8501
NEXT_PORTS = 50  # looked through for a free one
PATIENCE = 60.0  # seconds for the first start, which compiles a lot


def free_port(wanted: int | None) -> int:
    """The port that was asked for, or the first free one from 8501 on."""
    if wanted is not None:
        if not _is_free(wanted):
            raise UsageError(f"Port {wanted} is taken or not allowed.", "Give another one with --port, or none.")
        return wanted
    for port in range(PORT, PORT + NEXT_PORTS):
        if _is_free(port):
            return port
    raise Error(f"No port between {PORT} and {PORT + NEXT_PORTS - 1} is free.", "Give one with --port.")


def serve(screen: Screen, port: int, environ: Mapping[str, str]) -> int:
    """Run the app in a process of its own until it ends or we are told to end."""
    # Without the first, Python would look for modules in the current folder first, whatever stands there;
    # the second may be set otherwise by whoever wants to see more.
    environ = {"STREAMLIT_LOGGER_LEVEL": "warning", **environ, "PYTHONSAFEPATH": "1"}
    with _terminating():
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            launch.command(port=port), env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            if _answers(process, port):
                _say(screen, port)
            code = process.wait()
        except KeyboardInterrupt:
            code = 0
        finally:
            _end(process)
    if code:
        raise Error(f"The web app ended with code {code}.", "What it printed stands above.")
    return exitcodes.OK


def _say(screen: Screen, port: int) -> None:
    url = f"http://{ADDRESS}:{port}"
    if screen.json:
        screen.document(url=url)
    else:
        screen.line(f"Open {url}")
    screen.stream().flush()
    screen.note("It is reachable from this machine only. Ctrl-C ends it.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that a port that was closed a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the app answers; False where it ended or took too long."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        # Not urllib, which would ask a proxy for our own address where one is configured.
        connection = HTTPConnection(ADDRESS, port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _terminating() -> Iterator[None]:
    """SIGTERM ends us as Ctrl-C does, so that the app's process never stays behind."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
