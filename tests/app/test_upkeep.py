"""Backup, restore, prune, and the quarantine's ways out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.build import ListInput, loader, message, xml
from warehouse import journal
from warehouse.connect import Warehouse
from warehouse.load import load
from warehouse.settings import WarehouseSettings

COMMAND = str(Path(sys.executable).with_name("whosends"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    target = Warehouse(path, WarehouseSettings())
    mails = [message(xml()), message(xml(report_id="b")[:-20], "=cmd|' /C calc'!A0"), message(xml(report_id="c")[:-30])]
    load(ListInput([mails]), loader(target))
    return path


def run(path: Path, *arguments: str, code: int = 0) -> Any:
    command = [COMMAND, *arguments, "--warehouse", str(path), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == code, ran.stderr
    return json.loads(ran.stdout)


def test_a_copy_is_made_and_put_back(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "monday.duckdb"
    assert run(path, "backup", str(copy))["bytes"] == copy.stat().st_size
    assert "exists" in run(path, "backup", str(copy), code=4)["error"]["message"]
    path.write_bytes(b"lost" * 9999)
    assert "damaged" in run(path, "query", "SELECT 1", code=4)["error"]["message"]
    replaced = Path(run(path, "restore", str(copy))["replaced"])
    assert replaced.read_bytes() == b"lost" * 9999
    assert run(path, "query", "SELECT count(*) AS n FROM aggregate_report")["rows"] == [{"n": 1}]
    run(path, "restore", str(tmp_path / "none"), code=2)


def test_pruning_follows_the_settings(path: Path, tmp_path: Path) -> None:
    assert set(run(path, "prune").values()) == {0, 1}  # schema_version, and nothing removed
    config = tmp_path / "c.toml"
    config.write_text("[retention]\nrecords_days = 1\nquarantine_days = 1\n")
    pruned = run(path, "prune", "--config", str(config))
    assert pruned["records"] == 1
    assert run(path, "query", "SELECT sum(messages) AS n FROM daily")["rows"] == [{"n": 10}]


def test_refused_messages_are_written_out_as_they_came(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(path, "quarantine", "export", str(out))["messages"] == 2
    listed = json.loads((out / "list.json").read_text("utf-8"))
    assert {entry["file"] for entry in listed} == {file.name for file in out.glob("*.bin")}
    assert (out / "1-xml_broken.bin").read_bytes() == xml(report_id="b")[:-20]


def test_refused_messages_are_dropped_by_key_or_reason_and_the_journal_knows(path: Path) -> None:
    run(path, "quarantine", "drop", code=2)
    run(path, "quarantine", "drop", "99", code=2)
    assert run(path, "quarantine", "drop", "1")["dropped"] == [1]
    assert run(path, "quarantine", "drop", "--reason", "xml_broken")["dropped"] == [2]
    assert run(path, "quarantine", "list")["quarantine"] == []
    with Warehouse(path, WarehouseSettings()).reading() as connection:
        assert journal.verify(connection) is None
        assert connection.execute("SELECT count(*) FROM journal WHERE action = 'quarantine.drop'").fetchone() == (2,)
