"""Makes docs/screenshots/ anew: the pages of the app over the demonstration, in Chromium.

    python docs/screenshots.py [page ...]

What is shown depends on the day only by its dates: the demonstration ends yesterday. Needs the development packages and
Chromium.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).with_name("screenshots")
# Page and colour scheme; the overview is what the README shows, to readers of either.
SHOWN = {
    "overview-light": ("", "light"),
    "overview-dark": ("", "dark"),
    "sources-light": ("sources", "light"),
    "selectors-light": ("selectors", "light"),
    "drift-light": ("drift", "light"),
    "readiness-light": ("readiness?domain=northlight.example", "light"),
    "deliverability-light": ("deliverability", "light"),
    "tls-light": ("tls", "light"),
}
WIDTH, HEIGHT, TALLEST = 1360, 900, 1640
COLOURS = 128  # of the palette: flat colours need no more, and the files stay small
PATIENCE = 90_000  # milliseconds
FLAGS = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync",
)  # fmt: skip


def main(names: list[str]) -> None:
    """Make those whose names contain one of these words; all where none is given."""
    chosen = {name: what for name, what in SHOWN.items() if not names or any(word in name for word in names)}
    with (
        TemporaryDirectory(prefix="whosends-screenshots-") as home,
        _app(home) as root,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[f"--{flag}" for flag in FLAGS]
        )
        for name, (path, scheme) in chosen.items():
            context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            picture = _picture(context.new_page(), f"{root}/{path}")
            context.close()
            FOLDER.joinpath(f"{name}.png").write_bytes(_small(picture))
            sys.stdout.write(f"{name}.png\n")
        browser.close()


def _picture(page: Page, url: str) -> bytes:
    """The page as far as it goes, at the most TALLEST pixels of it."""
    page.goto(url)
    _settled(page)
    tall = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": min(max(HEIGHT, int(tall)), TALLEST)})
    _settled(page)
    return page.screenshot()


def _settled(page: Page) -> None:
    page.wait_for_selector("h1", timeout=PATIENCE)
    page.wait_for_timeout(1500)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
    page.wait_for_timeout(2500)  # charts draw themselves after the script has ended


def _small(picture: bytes) -> bytes:
    out = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


@contextmanager
def _app(home: str) -> Iterator[str]:
    """The demonstration, served from a home of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("whosends")
    words = ["env", f"HOME={home}", f"XDG_DATA_HOME={home}", str(program), "demo", "--port", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        root = f"http://127.0.0.1:{port}"
        _answers(root, process)
        yield root
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # a browser that is still connected keeps it waiting
            process.kill()
            process.wait()


def _answers(root: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            with urlopen(f"{root}/_stcore/health", timeout=2):  # noqa: S310 - our own server on loopback
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("The demonstration did not start; try 'whosends demo' to see why.")


if __name__ == "__main__":
    main(sys.argv[1:])
