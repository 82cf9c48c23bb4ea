"""Backup, restore, prune, and the quarantine's ways out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.outcome import Quarantined, Reason
from tests.app.conftest import Whosends
from tests.warehouse.build import ListInput, loader, message, xml
from warehouse import journal, quarantine
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


def test_a_restore_says_where_the_mails_of_since_then_are(path: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[[mailbox]]\nhost = 'h.test'\nuser = 'u'\npassword_file = 'p'\nafter = 'move:DMARC/Done'\n")
    run(path, "backup", str(tmp_path / "copy"))
    command = [COMMAND, "restore", str(tmp_path / "copy"), "--warehouse", str(path), "--config", str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "set folders = ['DMARC/Done'] and after = 'leave'" in ran.stderr


def test_a_misspelt_reason_is_no_empty_quarantine(path: Path) -> None:
    assert "xml_broken" in run(path, "quarantine", "list", "--reason", "xml_borken", code=2)["error"]["message"]


def test_pruning_follows_the_settings(path: Path, tmp_path: Path) -> None:
    kinds = ("records", "documents", "messages", "quarantined", "failure_reports", "bounces", "personal")
    assert not any(run(path, "prune")[kind] for kind in kinds)
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


def test_a_retry_says_what_became_of_each_and_keeps_what_is_still_refused(path: Path) -> None:
    run(path, "quarantine", "retry", code=2)
    run(path, "quarantine", "retry", "1", "--all", code=2)
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        # What an older version refused for another reason, and one that it could not read at all.
        connection.execute("UPDATE quarantine SET reason = 'field_missing' WHERE quarantine_key = 2")
        for raw in (xml(report_id="mended"), xml()):
            refused = Quarantined(Reason.UNEXPECTED, "an older fault")
            quarantine.keep(connection, message(raw), refused, datetime(2026, 11, 20))  # noqa: DTZ001
    assert run(path, "quarantine", "retry", "--reason", "unexpected")["reasons"] == [
        {
            "reason": "unexpected",
            "messages": 2,
            "became": [
                {"outcome": "stored", "reason": None, "quarantine_keys": [3]},
                {"outcome": "duplicate", "reason": None, "quarantine_keys": [4]},
            ],
        }
    ]
    said = subprocess.run(
        [COMMAND, "quarantine", "retry", "--all", "--warehouse", str(path)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert said.stdout.splitlines() == [
        "xml_broken: 1 → 1 still refused",
        "field_missing: 1 → 1 still refused (field_missing → xml_broken)",
    ]
    assert [entry["quarantine_key"] for entry in run(path, "quarantine", "list", code=1)["quarantine"]] == [2, 1]


def test_the_list_says_until_when_the_bytes_stay(path: Path, tmp_path: Path) -> None:
    days = {entry["bytes_until"] for entry in run(path, "quarantine", "list", code=1)["quarantine"]}
    assert days == {"2027-02-21"}  # ninety days after the 23rd of November
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        quarantine.forget(connection, datetime(2026, 11, 24), datetime(2026, 11, 24))  # noqa: DTZ001
    listed = run(path, "quarantine", "list", code=1)["quarantine"]
    assert {entry["bytes_until"] for entry in listed} == {"dropped"}
    assert run(path, "quarantine", "retry", "--all")["without_bytes"] == [1, 2]
    assert run(path, "quarantine", "export", str(tmp_path / "out"))["files"] == 0
    assert run(path, "quarantine", "show", "1")["dropped_at"] == "2026-11-24T00:00:00"


def test_pruned_days_give_the_same_answers(whosends: Whosends, sample: Path, tmp_path: Path) -> None:
    ours, config = Path(shutil.copy(sample, tmp_path / "ours.duckdb")), tmp_path / "c.toml"
    config.write_text("[retention]\nrecords_days = 20\n")
    asked = (("sources", "--days", "90"), ("drift",), ("report", "weekly", "--week", "2026-W43"), ("status",))
    before = [whosends(*question, "--warehouse", ours, "--json").document for question in asked]
    pruned = whosends("prune", "--config", config, "--warehouse", ours, "--json").document
    assert pruned["records"] > 10_000
    assert [whosends(*question, "--warehouse", ours, "--json").document for question in asked] == before
