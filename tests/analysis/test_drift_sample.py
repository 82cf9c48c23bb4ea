"""The demonstration organisation, read as anyone's reports are: what happened is found, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.drift import Drift, drifts
from analysis.history import policy_history
from analysis.identity import Identifier
from analysis.reporters import Reporter, reporters
from analysis.settings import DriftSettings
from ingest.inputs.files import FileInput
from ingest.network import NetworkDatabase, ServiceMap
from ingest.settings import UnpackLimits
from warehouse import reads
from warehouse.connect import Warehouse
from warehouse.load import Loader, load
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

SAMPLE = Path(__file__).parents[2] / "sample_reports"

pytestmark = pytest.mark.xdist_group("sample")


@pytest.fixture(scope="module")
def truth() -> Any:
    return json.loads((SAMPLE / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    found = Warehouse(tmp_path_factory.mktemp("drift") / "warehouse.duckdb", WarehouseSettings())
    identify = Identifier(NetworkDatabase(), ServiceMap()).identify
    loader = Loader(found, UnpackLimits(), identify, lambda: datetime(2026, 11, 23, tzinfo=UTC))
    load(FileInput([SAMPLE / "files", SAMPLE / "mail"], UnpackLimits()), loader)
    return found


@pytest.fixture(scope="module")
def found(warehouse: Warehouse) -> list[Drift]:
    return drifts(warehouse, Scope(), DriftSettings())


def event(truth: Any, kind: str) -> Any:
    [one] = [one for one in truth["events"] if one["kind"] == kind]
    return one


@pytest.mark.parametrize(("kind", "shape", "days"), [("drift_step", "step", 1), ("drift_slide", "slide", 5)])
def test_what_broke_is_found(found: list[Drift], truth: Any, kind: str, shape: str, days: int) -> None:
    happened = event(truth, kind)
    [drift] = [d for d in found if d.as_domain == happened["as_domain"] and d.mechanism == "dkim"]
    assert (drift.domain, drift.shape) == (happened["domain"], shape)
    assert abs(drift.started_on - date.fromisoformat(happened["day"])) <= timedelta(days=days)
    assert drift.before == pytest.approx(happened["before"], abs=0.01)
    assert drift.after == pytest.approx(happened["after"], abs=0.05)
    assert drift.cause.code == "selector_vanished"
    if happened["ended_on"]:
        assert drift.ended_on is not None
        assert abs(drift.ended_on - date.fromisoformat(happened["ended_on"])) <= timedelta(days=5)


def test_nothing_else_is_claimed(found: list[Drift], truth: Any) -> None:
    broken = {event(truth, kind)["as_domain"] for kind in ("drift_step", "drift_slide")}
    assert {drift.as_domain for drift in found} == broken
    assert sorted((drift.mechanism, drift.follows or "") for drift in found) == [
        ("dkim", ""),
        ("dkim", ""),
        ("dmarc", "dkim"),
        ("dmarc", "dkim"),
    ]


def test_every_week_would_have_said_the_same(warehouse: Warehouse, truth: Any) -> None:
    """Looking each week from the first on, nothing is claimed that did not happen, and nothing before it did."""
    began = {event(truth, kind)["as_domain"]: event(truth, kind)["day"] for kind in ("drift_step", "drift_slide")}
    last = date.fromisoformat(truth["last_day"])
    for weeks in range(16):
        newest = last - timedelta(weeks=weeks)
        for drift in drifts(warehouse, Scope(), DriftSettings(), newest):
            assert drift.as_domain in began
            assert newest >= date.fromisoformat(began[drift.as_domain])


def test_the_reporter_that_fell_silent(warehouse: Warehouse, truth: Any) -> None:
    happened = event(truth, "reporter_silent")
    with warehouse.reading() as session:
        frame = reads.reporter_days(session, Scope())
    answer: list[Reporter] = reporters(frame, date.fromisoformat(truth["last_day"]))
    assert {r.reporter: r.silent_since.isoformat() for r in answer if r.silent_since} == {
        happened["reporter"]: happened["day"]
    }
    assert next(r for r in answer if r.silent_since).usual


def test_the_policy_that_changed(warehouse: Warehouse, truth: Any) -> None:
    happened = event(truth, "policy_change")
    with warehouse.reading() as session:
        [change] = policy_history(reads.policy_days(session, Scope()))
    assert (change.domain, change.day.isoformat()) == (happened["domain"], happened["day"])
    assert (change.tag, change.before, change.after) == ("p", happened["before"], happened["after"])
