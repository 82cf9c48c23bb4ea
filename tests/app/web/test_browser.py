"""The app in Chromium: every page at two widths, nothing to the outside, no errors, filters that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.app.web.browsing import PATIENCE, Seen, served
from tests.app.web.conftest import PAGES

WIDTHS = (1360, 420)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_by_its_own_address(
    look: Callable[..., Seen], demonstration: str, width: int, scheme: str
) -> None:
    seen = look(demonstration, width, color_scheme=scheme)
    for name in PAGES:
        seen.open(f"{'' if name == 'overview' else name}?domain=northlight.example")
        assert "domain=northlight.example" in seen.query
        wide = seen.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= width, "nothing may stick out to the side"
    seen.sound()


def test_a_fresh_server_opens_a_page_by_its_own_address(
    look: Callable[..., Seen], wicked: Path, tmp_path: Path
) -> None:
    with served(wicked, tmp_path) as root:
        seen = look(root)
        seen.open("sources?show=All")
        assert (
            "to decide" in seen.page.locator("h1").inner_text() or "No source" in seen.page.locator("h1").inner_text()
        )
        assert seen.page.title() == "Sources · whosends"
        seen.sound()


def test_filters_stay_over_pages_reload_and_back(look: Callable[..., Seen], demonstration: str) -> None:
    seen = look(demonstration)
    seen.open("?domain=northlight.example&days=90d")
    for name in ("Sources", "Drift", "Deliverability", "TLS", "Readiness", "Reports"):
        seen.press("link", name)
        assert {"domain=northlight.example", "days=90d"} <= set(seen.query.split("&")), name
    seen.page.reload()
    seen.settled()
    assert {"domain=northlight.example", "days=90d"} <= set(seen.query.split("&"))
    seen.page.go_back()
    seen.settled()
    assert seen.page.url.partition("?")[0].endswith("/readiness")
    assert {"domain=northlight.example", "days=90d"} <= set(seen.query.split("&"))
    seen.sound()


def test_a_finding_leads_to_its_evidence_and_that_to_the_source(look: Callable[..., Seen], demonstration: str) -> None:
    seen = look(demonstration)
    seen.open("")
    seen.press("link", "See evidence")
    assert "/drift?" in seen.page.url
    assert seen.query.count("domain=") == 1
    assert seen.page.get_by_label("Find").input_value() == "svc:mailjet"
    seen.press("link", "Look at the source")
    assert "/sources?" in seen.page.url
    assert seen.query.count("domain=") == 1
    assert seen.page.get_by_label("Find").input_value() == "svc:mailjet"
    assert seen.page.get_by_text("Why we think so").count() == 1
    seen.sound()


def test_a_decision_is_made_and_taken_back(look: Callable[..., Seen], demonstration: str) -> None:
    seen = look(demonstration)
    seen.open("sources")
    before = seen.page.locator("h1").inner_text()
    seen.press("button", "Approve")
    assert seen.page.locator("h1").inner_text() != before
    assert seen.page.get_by_text("1 source: approved").count() == 1
    seen.page.locator(".st-key-undo-last button").click()
    seen.settled()
    assert seen.page.locator("h1").inner_text() == before
    seen.sound()


def test_sources_are_decided_by_keyboard(look: Callable[..., Seen], demonstration: str) -> None:
    seen = look(demonstration)
    seen.open("sources")
    names = seen.page.locator(".ws-strong")
    names.nth(1).wait_for(timeout=PATIENCE)
    before, (first, second) = seen.page.locator("h1").inner_text(), names.all_inner_texts()[:2]

    def pressed(*keys: str, at: str = "", text: str = "") -> None:
        """Press keys, and wait for the source at hand, or for a text."""
        for key in keys:
            seen.page.keyboard.press(key)
            seen.settled()
        hand = seen.page.locator(".st-key-at-hand .ws-strong").get_by_text(at, exact=True)
        (seen.page.get_by_text(text) if text else hand).first.wait_for(timeout=PATIENCE)

    pressed("j", at=second)
    pressed("k", at=first)
    pressed("Enter", text="Numbers are log-odds")
    pressed("a", at=second)
    pressed("u", at=first)
    pressed("x", "j", "x", text=f"2 sources selected: {first} and {second}")
    pressed("s", text="2 sources: spoof")
    pressed("u", text=before)
    seen.page.get_by_label("Find").click()
    seen.page.keyboard.type("fast")
    assert seen.page.locator("h1").inner_text() == before, "what is typed into a field decides nothing"
    seen.sound()


def test_attacks_reach_the_screen_as_text_and_nothing_else(look: Callable[..., Seen], attacked: str) -> None:
    seen = look(attacked)
    for address in ("", "drift", "sources?show=All", "sources?show=All&table=true", "readiness?domain=example.com",
                    "deliverability", "deliverability?tab=Failure%20reports", "tls",
                    "reports", "reports?tab=Quarantine", "reports?tab=Runs"):  # fmt: skip
        seen.open(address)
        page = seen.page
        assert (
            page.locator("a").evaluate_all("all => all.filter(a => a.hostname !== '127.0.0.1').map(a => a.href)") == []
        )
        assert page.locator('img[src*="evil.test"]').count() == 0
        assert (
            page.locator("script:not([src])").evaluate_all("all => all.filter(s => s.text.includes('evil')).length")
            == 0
        )
    seen.sound()


def test_charts_say_what_attackers_wrote_as_text(look: Callable[..., Seen], attacked: str) -> None:
    seen = look(attacked)
    seen.open("drift")
    # A machine that is busy draws what is said of a point a little later.
    assert any("evil.test" in " ".join(tips(seen, wait)) for wait in (80, 400, 1500))
    seen.sound()


def tips(seen: Seen, wait: int) -> Iterator[str]:
    """What the charts say of some of their points, each after so many milliseconds."""
    for chart in seen.page.locator('[data-testid="stVegaLiteChart"]').all():
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        for step in range(1, 16):
            seen.page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + box["height"] * step / 16)
            seen.page.wait_for_timeout(wait)
            tip = seen.page.locator("#vg-tooltip-element")
            assert tip.locator("img, a, script, svg").count() == 0
            yield tip.inner_text() if tip.count() else ""


def test_evidence_of_a_source_that_attacks(look: Callable[..., Seen], attacked: str) -> None:
    seen = look(attacked)
    seen.open("sources?show=All")
    for opener in seen.page.get_by_text("Why we think so").all()[:4]:
        opener.click()
        seen.settled()
    seen.sound()


def test_a_page_can_be_used_without_a_mouse(look: Callable[..., Seen], demonstration: str) -> None:
    seen = look(demonstration)
    seen.open("sources")
    reached = set()
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        said = seen.page.evaluate("document.activeElement?.innerText?.trim() ?? ''")
        reached.add(said.splitlines()[-1] if said else "")
    assert {"Approve", "Forwarder", "Spoof", "Retire"} <= reached
