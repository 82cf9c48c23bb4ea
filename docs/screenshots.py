"""Makes docs/screenshots/ anew: the pages of the app over the demonstration, in Chromium.

    python docs/screenshots.py [page ...]

What is shown depends on the day only by its dates: the demonstration ends yesterday. Needs the development packages and
Chromium.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.app.web.browsing import chromium, free_port, running, settled

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
COLOURS = 256  # of the palette: flat colours need no more, and the files stay small
ALIKE = 40  # squares of the distance of two colours, up to which nobody tells them apart
DRAWN = 2500  # milliseconds for charts to draw themselves after the script has ended


def main(names: list[str]) -> None:
    """Make those whose names contain one of these words; all where none is given."""
    chosen = {name: what for name, what in SHOWN.items() if not names or any(word in name for word in names)}
    port, program = free_port(), str(Path(sys.executable).with_name("whosends"))
    with TemporaryDirectory(prefix="whosends-screenshots-") as home, sync_playwright() as playwright:
        words = ["env", f"HOME={home}", f"XDG_DATA_HOME={home}", program, "demo", "--port", str(port)]
        with running(words, port) as root:
            browser = chromium(playwright)
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
    settled(page, DRAWN)
    tall = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": min(max(HEIGHT, int(tall)), TALLEST)})
    settled(page, DRAWN)
    return page.screenshot()


def _small(picture: bytes) -> bytes:
    """The same with the colours that cover most of it and are not alike; each of the others as the nearest of these."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    colours, at, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    nearest, apart = np.zeros(len(colours), np.uint8), np.full(len(colours), 2**20)
    palette = list[bytes]()
    for one in np.argsort(-counts):
        if len(palette) < COLOURS and apart[one] > ALIKE:
            now = np.square(colours.astype(np.int64) - colours[one]).sum(axis=1)
            nearest, apart = np.where(now < apart, len(palette), nearest), np.minimum(now, apart)
            palette.append(colours[one].tobytes())
    image = Image.fromarray(nearest.astype(np.uint8)[at].reshape(pixels.shape[:2]))
    image.putpalette(b"".join(palette))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
