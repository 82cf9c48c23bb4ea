"""The page Readiness asks a real name server, and shows what it said as text, with its age."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.web.conftest import Open, text
from tests.servers.nsd import Nsd

pytestmark = pytest.mark.server

ATTACK = "<img src=x onerror=alert(1)> **b** [a](javascript:1) $x$ :material/home:"
RECORD = f"v=DMARC1; p=none; rua=mailto:d@agency.test; x={ATTACK}"


@pytest.fixture(scope="module")
def nsd() -> Iterator[Nsd]:
    server = Nsd({"com": "", "example.com": f'_dmarc TXT "{RECORD.replace(";", chr(92) + ";")}"\n', "agency.test": ""})
    server.start()
    yield server
    server.remove()


@pytest.fixture
def own(month: Path, tmp_path: Path) -> Path:
    """A warehouse that may be written to."""
    return Path(shutil.copy(month, tmp_path / "own.duckdb"))


@pytest.fixture
def asking(home: Path, monkeypatch: pytest.MonkeyPatch, nsd: Nsd) -> None:
    """Settings that name the server. After `home`, which begins with none."""
    assert home
    monkeypatch.setenv("WHOSENDS_RESOLVER__NAMESERVERS", "127.0.0.1")
    monkeypatch.setenv("WHOSENDS_RESOLVER__PORT", str(nsd.port))


@pytest.mark.usefixtures("asking")
def test_the_button_asks_and_the_page_shows_it_as_text(app: Open, own: Path, nsd: Nsd) -> None:
    at = app(own, "readiness", domain="example.com", target="quarantine")
    assert "DNS was never asked about this domain" in text(at)
    assert "By evidence, not by DNS" in text(at)
    at.button(key="ask dns").click().run()
    assert not at.exception
    said = text(at)
    assert "DNS was asked just now" in said
    assert "DNS answered 4 questions." in said
    assert RECORD in [code.value for code in at.code]
    assert "agency.test does not say that it takes reports" in said
    assert "No message is judged otherwise." in said
    assert "<img" not in said.replace(RECORD, "")
    # A second look finds all of it fresh, and another person's page has it too.
    nsd.stop()
    try:
        at.button(key="ask dns").click().run()
    finally:
        nsd.restart()
    assert "Nothing had to be asked: what is kept is fresh." in text(at)
    assert RECORD in [code.value for code in app(own, "readiness", domain="example.com").code]


@pytest.mark.usefixtures("asking")
def test_no_answer_is_said_and_offline_asks_nobody(
    app: Open, own: Path, nsd: Nsd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOSENDS_RESOLVER__LIFETIME", "0.5")
    nsd.stop()
    try:
        at = app(own, "readiness", domain="example.com", target="quarantine")
        at.button(key="ask dns").click().run()
    finally:
        nsd.restart()
    assert not at.exception
    assert "It left 3 open" in text(at)
    assert "DNS was never asked" in text(at)
    assert "By evidence, not by DNS" in text(at)
    monkeypatch.setenv("WHOSENDS_OFFLINE", "true")
    assert app(own, "readiness", domain="example.com").button(key="ask dns").disabled
