"""The app in Chromium: every page at two widths, nothing to the outside, no errors, filters that stay."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from app.web import launch
from tests.app.web.conftest import PAGES

FLAGS = [
    f"--{name}"
    for name in (
        "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync",
    )
]  # fmt: skip
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WIDTHS = (1360, 420)
PATIENCE = 60_000

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


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
        self.page.wait_for_selector("h1", timeout=PATIENCE)
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
        self.page.wait_for_timeout(500)
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WHOSENDS_")}  # noqa: TID251
    environ |= {"WHOSENDS_WAREHOUSE": str(path), "HOME": str(folder), "PYTHONSAFEPATH": "1"}
    process = subprocess.Popen(
        launch.command(port=port), env=environ, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        answers(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # a browser that is still connected keeps it waiting
            process.kill()
            process.wait()


def answers(port: int) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            try:
                connection.request("GET", "/_stcore/health")
                if connection.getresponse().status == 200:
                    return
            except (OSError, HTTPException):
                time.sleep(0.2)
    pytest.fail("the app did not start")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demonstration(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    with served(Path(shutil.copy(sample, folder / "copy.duckdb")), folder) as root:
        yield root


@pytest.fixture(scope="module")
def attacked(wicked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(wicked, tmp_path_factory.mktemp("served")) as root:
        yield root


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Seen]]:
    """Open a browser window of a width at an address."""
    contexts = []

    def opened(root: str, width: int = 1360, **more: Any) -> Seen:
        context = browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB", **more)
        contexts.append(context)
        seen = Seen(context.new_page(), root)

        def asked(request: Request) -> None:
            if not request.url.startswith((f"{root}/", f"{root.replace('http', 'ws', 1)}/", "data:", "blob:")):
                seen.outside.append(request.url)

        seen.page.on("request", asked)
        seen.page.on("console", lambda message: message.type == "error" and seen.errors.append(complaint(message)))
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        return seen

    yield opened
    for context in contexts:
        context.close()


def complaint(message: Any) -> str:
    return f"{message.text} {message.location.get('url', '')}"


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
    said = set()
    for chart in seen.page.locator('[data-testid="stVegaLiteChart"]').all():
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        for step in range(1, 16):
            seen.page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + box["height"] * step / 16)
            seen.page.wait_for_timeout(80)
            tip = seen.page.locator("#vg-tooltip-element")
            said.add(tip.inner_text() if tip.count() else "")
            assert tip.locator("img, a, script, svg").count() == 0
    assert any("evil.test" in text for text in said)
    seen.sound()


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
