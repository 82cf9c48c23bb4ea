"""The app without a browser, over warehouses of every sort."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Request
from streamlit.testing.v1 import AppTest

from app.web import launch
from tests.analysis.world import Policy, World, days, usual
from tests.app.web import hostile
from tests.app.web.browsing import Seen, served
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

MAIN = Path(launch.__file__).with_name("main.py")
PAGES = ("overview", "drift", "sources", "selectors", "readiness", "deliverability", "tls", "reports")
Open = Callable[..., AppTest]


@pytest.fixture
def app(home: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a page over a warehouse, with these query parameters."""

    def opened(path: Path, page: str = "overview", **query: str) -> AppTest:
        monkeypatch.setenv("WHOSENDS_WAREHOUSE", str(path))
        monkeypatch.setenv("WHOSENDS_WAREHOUSE__WAIT", "0.3")
        # The warehouses end on days of their own, whenever the tests run.
        monkeypatch.setenv("WHOSENDS_READINESS__STALE_DAYS", "1000000")
        at = AppTest.from_file(str(MAIN), default_timeout=60)
        for name, value in query.items():
            at.query_params[name] = value
        if page != "overview":
            at.switch_page(f"pages/{page}.py")
        return at.run()

    return opened


def nodes(at: AppTest) -> Iterator[Any]:
    """Everything on the page, containers too."""
    yield from at.main
    yield from at.sidebar


def text(at: AppTest) -> str:
    """All that a person can read on the page, tables apart."""
    found = (getattr(node, "value", "") for node in nodes(at) if node.type != "arrow_data_frame")
    pages = [value for value in found if isinstance(value, str)]
    return "\n".join([*pages, *(node.proto.body for node in nodes(at) if node.type == "html")])


@pytest.fixture(scope="session")
def missing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("missing") / "warehouse.duckdb"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "warehouse.duckdb"
    with Warehouse(path, WarehouseSettings()).writing():
        pass
    return path


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One report with one record."""
    world = World.at(tmp_path_factory.mktemp("single"))
    world.send("192.0.2.10", days(0), 1, reporters=["google.com"])
    return world.save().path


@pytest.fixture(scope="session")
def wicked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month in which everything that others wrote is an attack."""
    return hostile.warehouse(tmp_path_factory.mktemp("wicked"))


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred domains."""
    world = World.at(tmp_path_factory.mktemp("many"))
    for number in range(300):
        domain = f"d{number:03}.example.com" if number % 2 else f"domain-{number}.test"
        world.policy[domain] = Policy(("none", "quarantine", "reject")[number % 3])
        usual(world, days(6), domain=domain)
    return world.save().path


@pytest.fixture
def ours(sample: Path, tmp_path: Path) -> Path:
    """The demonstration's warehouse, to be written to."""
    return Path(shutil.copy(sample, tmp_path / "ours.duckdb"))


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


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
