"""Chromium, and the app served to it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, Playwright

from app.web import launch

FLAGS: Final = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync",
)  # fmt: skip
PATIENCE: Final = 90_000  # milliseconds
START: Final = 120  # seconds


def chromium(playwright: Playwright) -> Browser:
    """The browser."""
    path = shutil.which("chromium") or "/usr/bin/chromium"
    return playwright.chromium.launch(executable_path=path, args=[f"--{flag}" for flag in FLAGS])


def settled(page: Page, drawn: int = 500) -> None:
    """Wait until the page's script has run to its end, and then so many milliseconds: charts draw themselves later."""
    page.wait_for_selector("h1", timeout=PATIENCE)
    page.wait_for_timeout(300)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
    page.wait_for_timeout(drawn)


@dataclass
class Seen:
    """A page of the browser, and what it asked for and complained about."""

    page: Page
    root: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to an address of the app, as if somebody had sent it."""
        self.page.goto(f"{self.root}/{path}")
        self.settled()

    def settled(self) -> None:
        """Wait until the script has run to its end, and no exception stands on the page."""
        settled(self.page)
        assert self.page.locator('[data-testid="stException"]').count() == 0
        assert self.page.locator("h1").count() == 1

    def press(self, role: Any, name: str) -> None:
        """Click on what has this role and name, and wait for what comes of it."""
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.settled()

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.page.url.partition("?")[2]

    def sound(self) -> None:
        """Nothing was asked of another host, and nothing went wrong in the browser."""
        assert not self.outside
        assert not self.errors


@contextmanager
def served(path: Path, folder: Path) -> Iterator[str]:
    """The app over a warehouse, from a folder that has nothing to do with it; its address."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WHOSENDS_")}  # noqa: TID251
    environ |= {"WHOSENDS_WAREHOUSE": str(path), "HOME": str(folder), "PYTHONSAFEPATH": "1"}
    port = free_port()
    with running(launch.command(port=port), port, cwd=folder, env=environ) as root:
        yield root


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    words: Sequence[str], port: int, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A process that serves the app at a port; its address. Raises RuntimeError where it does not."""
    process = subprocess.Popen(words, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _answers(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # a browser that is still connected keeps it waiting
            process.kill()
            process.wait()


def _answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            try:
                connection.request("GET", "/_stcore/health")
                if connection.getresponse().status == 200:
                    return
            except (OSError, HTTPException):
                pass
        time.sleep(0.2)
    raise RuntimeError("the app did not start")
