"""Tables and charts in Chromium: what is in them can be read without scrolling, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from itertools import groupby
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator

from tests.app.web.browsing import PATIENCE, Seen

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

HEAD, ROW = 35, 35  # pixels of a table's head, and of a row of one line


def table(seen: Seen, alt: str) -> Locator:
    """A table by what it is called for who cannot see it."""
    found = seen.page.locator('[data-testid="stDataFrame"]', has=seen.page.get_by_label(f": {alt}")).first
    found.wait_for(timeout=PATIENCE)
    return found


def sticks_out(table: Locator) -> int:
    """How many pixels of a table are beyond its right edge."""
    return int(table.locator(".dvn-scroller").evaluate("one => one.scrollWidth - one.clientWidth"))


@pytest.mark.parametrize(
    ("address", "alt"),
    [
        ("", "All domains"),
        ("readiness", "All domains"),
        ("readiness?domain=northlight.example", "What the record refuses, by source"),
        ("readiness?domain=northlight.example", "Forecasts from before a change, and what receivers refused after it"),
        ("drift", "Other changes"),
        ("drift", "Changes of alignment"),
        ("sources?table=true&show=All", "Sources"),
        ("sources?table=true&show=All&domain=northlight.example", "Sources"),
        ("selectors", "Selectors"),
        ("selectors?domain=northlight.example", "Selectors"),
        ("deliverability", "Bounces by kind and by who refused"),
        ("deliverability?tab=Failure+reports", "Failure reports by source"),
        ("reports", "Reports"),
        ("reports?tab=Quarantine", "Refused messages"),
        ("reports?tab=Runs", "Runs of ingest and poll"),
        ("tls", "Failed TLS sessions by mail server and result"),
        ("tls", "TLS policies by domain"),
    ],
)
def test_a_table_shows_all_of_its_columns_on_a_desk(
    look: Callable[..., Seen], demonstration: str, address: str, alt: str
) -> None:
    seen = look(demonstration)
    seen.open(address)
    assert sticks_out(table(seen, alt)) <= 0


def test_a_text_that_is_longer_than_its_column_is_wrapped(look: Callable[..., Seen], demonstration: str) -> None:
    seen = look(demonstration)
    seen.open("")
    found = table(seen, "All domains")
    found.scroll_into_view_if_needed()
    picture = Image.open(BytesIO(found.screenshot())).convert("L")
    # The first row's cell below "First thing to do": lines of pixels that are written on, and between them some that
    # are not.
    cell = picture.crop((310, HEAD + 4, 460, HEAD + 62))
    written = [min(cell.crop((0, y, cell.width, y + 1)).tobytes()) < 128 for y in range(cell.height)]
    lines = [written for written, _ in groupby(written) if written]
    assert len(lines) >= 2


def test_from_a_sentence_about_a_change_to_the_report_as_it_came_takes_three_clicks(
    look: Callable[..., Seen], demonstration: str
) -> None:
    seen = look(demonstration)
    seen.open("drift?domain=northlight.example")
    seen.press("link", "The reports")
    found = table(seen, "Reports")
    box = found.bounding_box()
    assert box is not None
    seen.page.mouse.click(box["x"] + ROW / 2, box["y"] + HEAD + ROW / 2)
    button = seen.page.get_by_role("button", name="XML", exact=True)
    button.wait_for(timeout=PATIENCE)
    with seen.page.expect_download(timeout=PATIENCE) as download:
        button.click()
    report = Path(download.value.path()).read_text("utf-8")
    assert "<feedback" in report
    assert "northlight.example" in report
    seen.sound()


@pytest.mark.parametrize("width", [1360, 420])
def test_the_overviews_charts_have_each_day_at_the_same_place(
    look: Callable[..., Seen], demonstration: str, width: int
) -> None:
    seen = look(demonstration, width)
    seen.open("")
    drawn = "document.querySelectorAll('[data-testid=stVegaLiteChart] .role-axis-label').length"
    seen.page.wait_for_function(f"{drawn} >= 4", timeout=PATIENCE)
    upper, lower = (
        chart.locator(".role-axis-label text").evaluate_all(
            """all => all.map(one => [one.textContent, one.getBoundingClientRect().x])
                .filter(([text]) => /[a-z]/.test(text) && !/k$/.test(text))"""
        )
        for chart in seen.page.locator('[data-testid="stVegaLiteChart"]')
        .filter(has=seen.page.locator(".role-axis-label"))
        .all()[-2:]
    )
    assert len(upper) >= 3
    assert [text for text, _ in upper] == [text for text, _ in lower]
    assert all(abs(one - other) < 1 for (_, one), (_, other) in zip(upper, lower, strict=True))


@pytest.mark.parametrize(("width", "shown"), [(1360, True), (420, False)])
def test_keys_are_told_of_where_there_is_a_keyboard(
    look: Callable[..., Seen], demonstration: str, width: int, *, shown: bool
) -> None:
    seen = look(demonstration, width)
    seen.open("sources")
    assert seen.page.get_by_text("Keys: J next").is_visible() is shown
