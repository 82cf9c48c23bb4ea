"""When the app's pages are there: from the address to the first words and the first chart or table, in Chromium.

`python -m benchmarks.pages WAREHOUSE` measures them over a warehouse at hand.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, TimeoutError, sync_playwright

from app.web import launch
from app.web.pages import PAGES
from benchmarks.measure import ROOT
from benchmarks.tables import Document, milliseconds

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FIGURE = (
    '[data-testid="stVegaLiteChart"] canvas, [data-testid="stVegaLiteChart"] svg, [data-testid="stDataFrame"] canvas, '
    "img.ws-spark"
)
NAMES = [name for section in PAGES.values() for name in section]
USERS = 4
PATIENCE = 60_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Server:
    """An app that runs, and how long it took until it answered."""

    root: str
    pid: int
    started: float

    def used(self) -> float:
        """Seconds of processor so far, as Linux counts them; 0 elsewhere."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Paint:
    """Seconds from the address to the first words and to the first chart or table; the server's processor meanwhile."""

    words: float
    figure: float
    cpu: float


def pages(document: Document, warehouse: Path) -> None:
    """Write when each page is there: the first of a server that has just started, and the same again.

    In turn with each, an app of Streamlit that is one word: what no page can be faster than, as busy as the machine is.
    """
    rows, starts, words = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in NAMES:
            with serving(warehouse) as server:
                starts.append(server.started)
                first, again = opened(browser, server, name), opened(browser, server, name)
            with one_word() as server:
                words.append(opened(browser, server, "overview", figure=False).words)
            figures = (first.words, first.figure, first.cpu, again.words, again.figure, again.cpu)
            rows.append((name, *(milliseconds(figure) if figure < inf else "none" for figure in figures)))
        browser.close()
    with serving(warehouse) as server:
        crowd = together(server)
    document.section(
        "The app",
        f"A server that has just started (it answers after {min(starts):.1f} s) shows each page for the first time,",
        "and once more: milliseconds from the address to the first words and to the first chart or table, and the",
        "server's processor meanwhile. The browser starts with an empty cache each time. An app of Streamlit that is",
        f"one word, opened in turn with them, took {milliseconds(min(words))} to {milliseconds(max(words))} at first.",
        f"{USERS} people who open different pages of a fresh server at once all have theirs after {crowd:.1f} s.",
    )
    titles = ("Page", "words", "chart", "processor", "again: words", "again: chart", "again: processor")
    document.table(titles, rows)


def opened(browser: Browser, server: Server, name: str, *, figure: bool = True) -> Paint:
    """Open a page in a fresh window; `figure` is whether to wait for a chart or table."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page, before, began = context.new_page(), server.used(), time.perf_counter()
    page.goto(f"{server.root}/{'' if name == 'overview' else name}", wait_until="commit")
    page.wait_for_selector("h1", timeout=PATIENCE)
    words = time.perf_counter() - began
    drawn = inf
    # There is none for some warehouses; what such a page costs is told all the same.
    with suppress(TimeoutError):
        if figure:
            page.wait_for_selector(FIGURE, state="attached", timeout=PATIENCE)  # the first may stand in a closed fold
            drawn = time.perf_counter() - began
    context.close()
    return Paint(words, drawn, server.used() - before)


def together(server: Server) -> float:
    """Seconds until several people, each with a browser, have their first chart."""

    def one(name: str) -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            took.append(opened(browser, server, name).figure)
            browser.close()

    took: list[float] = []
    with ThreadPoolExecutor(USERS) as people:
        list(people.map(one, NAMES[:USERS]))
    return max(took)


@contextmanager
def one_word() -> Iterator[Server]:
    """An app of Streamlit that shows a title and nothing else."""
    with TemporaryDirectory() as folder:
        script = Path(folder) / "main.py"
        script.write_text("import streamlit as st\nst.title('word')\n")
        with serving(script, [sys.executable, "-m", "streamlit", "run", str(script)]) as server:
            yield server


@contextmanager
def serving(warehouse: Path, instead: Sequence[str] = ()) -> Iterator[Server]:
    """The app over a warehouse, on a free port of loopback; or what another command begins, by the same options."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {**os.environ, "WHOSENDS_WAREHOUSE": str(warehouse)}  # noqa: TID251 - of the process that is started
    began = time.perf_counter()
    command = [*instead, *launch.options(port=port)] if instead else launch.command(port=port)
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(port):
            assert process.poll() is None, "the app ended"
            time.sleep(0.02)
        yield Server(f"http://127.0.0.1:{port}", process.pid, time.perf_counter() - began)
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        try:
            connection.request("GET", "/_stcore/health")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


if __name__ == "__main__":
    pages(Document(), Path(sys.argv[1]))
