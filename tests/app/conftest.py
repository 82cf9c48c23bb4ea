"""The program as a person runs it: in a home of its own, with nothing of this machine's settings."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from app.cli import main
from tests.app.web.browsing import chromium
from tests.warehouse.build import row, xml

ROOT = Path(__file__).parents[2]
COLD = ("WHOSENDS_WAREHOUSE__WARM", "0")  # nothing is worked out ahead
PROGRAM = Path(sys.executable).with_name("whosends")


@dataclass(frozen=True)
class Ran:
    """How a run ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document."""
        found = json.loads(self.out)
        assert found["schema_version"] == 1
        return dict(found)


Whosends = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and a current folder, both empty; no variable of ours is set but one.

    After a load nothing is worked out for those who come next: that has tests of its own.
    """
    for name in list(os.environ):  # noqa: TID251 - the test cleans what it runs in
        if name.startswith(("WHOSENDS_", "XDG_")) or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(*COLD)
    for name, folder in (("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("HOME", "home")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return tmp_path


@pytest.fixture
def whosends(home: Path, capsys: pytest.CaptureFixture[str]) -> Whosends:
    """The program, in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@contextmanager
def quietly(folder: Path) -> Iterator[None]:
    """A current folder without a configuration, for fixtures that live longer than a test."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration organisation's warehouse; tests only read it."""
    folder = tmp_path_factory.mktemp("sample")
    paths = [str(ROOT / "sample_reports" / name) for name in ("files", "mail")]
    with quietly(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv(*COLD)
        assert main(["ingest", *paths, "--warehouse", str(folder / "sample.duckdb"), "-q"]) == 0
    return folder / "sample.duckdb"


@pytest.fixture
def unhurried(home: Path) -> Path:
    """Settings by which no data is old: the sample ends on a day of its own, whenever the tests run."""
    path = home / "unhurried.toml"
    path.write_text("[readiness]\nstale_days = 1000000\n")
    return path


def write_month(folder: Path, domain: str = "example.com", last: datetime | None = None) -> Path:
    """A month of reports from four reporters, all aligned, up to `last` (yesterday)."""
    folder.mkdir(parents=True, exist_ok=True)
    end = (last or datetime.now(UTC) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for reporter in ("google.com", "Yahoo", "Outlook.com", "Fastmail"):
        for back in range(30):
            begin = int((end - timedelta(days=back)).timestamp())
            body = row("192.0.2.1", 100, "pass", "pass", domain)
            report = xml(body, reporter=reporter, report_id=f"{reporter}-{back}", domain=domain, begin=begin)
            report = report.replace(b"<p>none</p>", b"<p>quarantine</p><sp>quarantine</sp>")
            (folder / f"{reporter}-{domain}-{back}.xml").write_bytes(report)
    return folder


def write_misaligned(folder: Path) -> None:
    """Four weeks of reports, up to yesterday, of a sender of example.com that does not align."""
    for n in range(1, 29):
        begin = int((datetime.now(UTC) - timedelta(days=n)).replace(hour=0, minute=0, second=0).timestamp())
        body = row("198.51.100.7", 90, "fail", "fail", "example.com")
        (folder / f"bad-{n}.xml").write_bytes(xml(body, reporter="google.com", report_id=f"b{n}", begin=begin))


@pytest.fixture
def month(whosends: Whosends, home: Path) -> Path:
    """A warehouse with a month of fresh, aligned reports about example.com."""
    path = home / "month.duckdb"
    assert whosends("ingest", write_month(home / "month"), "--warehouse", path).code == 0
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        yield browser
        browser.close()
