"""The weekly page in Chromium, as wide as mail programs show it and as narrow as phones do, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.exports import weekly_html
from tests.app.weeks import HOSTILE, SETTINGS, quiet, week

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = {"busy": week("example.com"), "hostile": week(f"{HOSTILE} {'x' * 300}"), "quiet": quiet()}
# Of each text, how much lighter or darker it is than what it stands on (WCAG 2.2, relative luminance).
CONTRAST = """() => {
  const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.querySelector('.page')).backgroundColor);
  const written = node => node.nodeType === 3 && node.data.trim() && node.data !== '\\u00a0';
  const texts = [...document.querySelectorAll('.page *')].filter(one => [...one.childNodes].some(written));
  const lights = texts.map(one => light(getComputedStyle(one).color));
  return Math.min(...lights.map(l => (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05)));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 360])
@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_page_fits_is_readable_and_asks_for_nothing(
    browser: Browser, tmp_path: Path, name: str, width: int, scheme: str
) -> None:
    file = tmp_path / "week.html"
    file.write_text(weekly_html.render(PAGES[name], SETTINGS), "utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page, asked, said = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (asked, said) == ([file.as_uri()], [])
    assert page.evaluate(CONTRAST) >= 4.5
    ground = page.evaluate("getComputedStyle(document.querySelector('.page')).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    context.close()
