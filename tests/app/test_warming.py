"""What people will ask for first is there before they ask."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.status import status
from app import config, warming
from app.commands.asking import today
from app.commands.base import Run
from app.commands.watching import Warmer, Watch
from app.render import Screen
from tests.app.conftest import Whosends
from tests.warehouse.build import DAY, row, xml
from warehouse.connect import Warehouse
from warehouse.kept import folder_of
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

ASKED = (
    ("status",), ("status", "--domain", "example.com"), ("status", "--domain", "example.org"), ("findings",),
    ("findings", "--domain", "example.org"), ("drift",), ("drift", "--domain", "example.com"),
    ("changes", "--days", "30"), ("changes", "--domain", "example.com", "--days", "30"), ("sources",),
)  # fmt: skip


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Reports of the last days about two domains."""
    folder = tmp_path / "reports"
    folder.mkdir()
    begin = int((datetime.now(UTC) - timedelta(days=21)).replace(hour=0, minute=0, second=0).timestamp())
    for domain in ("example.com", "example.org"):
        for day in range(20):
            report = xml(row(header_from=domain), domain=domain, report_id=f"{domain}-{day}", begin=begin + day * DAY)
            (folder / f"{domain}-{day}.xml").write_bytes(report)
    return folder


def kept(path: Path) -> dict[str, int]:
    """Each thing that is kept, and when it was written."""
    folder = folder_of(path)
    return {one.name: one.stat().st_mtime_ns for one in folder.iterdir()} if folder.exists() else {}


def test_commands_find_their_answers_after_a_load(
    whosends: Whosends, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOSENDS_WAREHOUSE__WARM", "60")
    path = tmp_path / "warehouse.duckdb"
    assert whosends("--warehouse", path, "ingest", reports).code == 0
    before = kept(path)
    assert before
    for words in ASKED:
        whosends("--warehouse", path, *words)
        assert kept(path) == before, words


def test_it_can_be_turned_off(whosends: Whosends, reports: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    assert whosends("--warehouse", path, "ingest", reports).code == 0
    assert not kept(path)


def test_what_brings_nothing_new_works_nothing_out(
    whosends: Whosends, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "warehouse.duckdb"
    whosends("--warehouse", path, "ingest", reports)
    monkeypatch.setenv("WHOSENDS_WAREHOUSE__WARM", "60")
    whosends("--warehouse", path, "ingest", reports)
    assert not kept(path)


def test_it_ends_when_its_time_is_over_and_goes_on_where_it_ended(
    whosends: Whosends, reports: Path, tmp_path: Path
) -> None:
    path, asked = tmp_path / "warehouse.duckdb", list[int]()
    whosends("--warehouse", path, "ingest", reports)
    target, settings = Warehouse(path, WarehouseSettings()), config.load(None, {}, {})

    def over() -> bool:
        asked.append(len(kept(path)))
        return len(asked) > 3

    assert not warming.warm(target, settings, today(), over)
    assert asked[0] < asked[-1]
    assert warming.warm(target, settings, today(), lambda: False)
    before = kept(path)
    assert len(before) > asked[-1]
    assert warming.warm(target, settings, today(), lambda: False)
    assert kept(path) == before


def test_of_many_domains_each_comes_before_all(whosends: Whosends, reports: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    whosends("--warehouse", path, "ingest", reports)
    target = Warehouse(path, WarehouseSettings())
    named = replace(
        config.load(None, {}, {}),
        clients=(config.ClientSettings("both"),),
        domains=tuple(config.DomainSettings(name, client="both") for name in ("example.com", "example.org", "no.test")),
    )
    few = [domains for domains, _ in warming.scopes(target, named, today())]
    assert few == [("example.com", "example.org"), (), ("example.com",), ("example.org",)]
    assert [domains for domains, _ in warming.scopes(target, named, today(), few=1)] == [*few[2:], *few[:2]]


def test_without_a_warehouse_or_with_a_busy_one_it_ends_silently(tmp_path: Path) -> None:
    target = Warehouse(tmp_path / "warehouse.duckdb", WarehouseSettings(wait=0.1))
    assert not warming.warm(target, config.load(None, {}, {}), today(), lambda: False)
    with target.writing():
        assert not warming.warm(target, config.load(None, {}, {}), today(), lambda: False)


def test_a_fault_in_an_answer_is_told_to_whoever_asks_and_not_to_whoever_loads(
    whosends: Whosends, reports: Path, tmp_path: Path
) -> None:
    path = tmp_path / "warehouse.duckdb"
    whosends("--warehouse", path, "ingest", reports)
    target, broken = Warehouse(path, WarehouseSettings()), replace(config.load(None, {}, {}), sources=None)
    assert not warming.warm(target, broken, today(), lambda: False)
    with pytest.raises(AttributeError):
        status(target, Scope(), today(), broken.analysis)


def test_between_polls_it_waits_for_mail_to_settle_and_gives_way_to_more(
    whosends: Whosends, reports: Path, tmp_path: Path
) -> None:
    path = tmp_path / "warehouse.duckdb"
    whosends("--warehouse", path, "ingest", reports)
    run = Run({"WHOSENDS_WAREHOUSE": str(path)})
    watch = Watch(run, Screen(run), threading.Event())
    warmer = Warmer(watch)
    warmer.stored()
    warmer.step()
    assert not kept(path)
    warmer.due_at = 0.0
    watch.stored.set()
    warmer.step()
    assert warmer.day is None
    assert warmer.due_at > time.monotonic()
    watch.stored.clear()
    warmer.due_at = 0.0
    warmer.step()
    before = kept(path)
    assert before
    assert warmer.day == today()
    warmer.step()
    assert kept(path) == before


def test_what_new_reports_tell_of_comes_first(whosends: Whosends, reports: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    whosends("--warehouse", path, "ingest", reports)
    target, settings = Warehouse(path, WarehouseSettings()), config.load(None, {}, {})
    assert warming.warm(target, settings, today(), lambda: False)
    # Both are as large, so it is the order of their names.
    usual = [domains for domains, _ in warming.newest_first(target, settings, today())]
    assert usual[-2:] == [("example.com",), ("example.org",)]
    begin = int((datetime.now(UTC) - timedelta(days=5)).replace(hour=0, minute=0, second=0).timestamp())
    more = tmp_path / "more.xml"
    more.write_bytes(xml(row(header_from="example.org", count=1), domain="example.org", report_id="more", begin=begin))
    whosends("--warehouse", path, "ingest", more)
    # All of them together hold it as well.
    changed = [(), ("example.org",), ("example.com",)]
    assert [domains for domains, _ in warming.newest_first(target, settings, today())] == changed
    whosends("--warehouse", path, "ingest", more)
    assert [domains for domains, _ in warming.newest_first(target, settings, today())] == changed
    assert warming.warm(target, settings, today(), lambda: False)
    found = [domains for domains, _ in warming.newest_first(target, settings, today())]
    assert found == [domains for domains, _ in warming.scopes(target, settings, today())]
