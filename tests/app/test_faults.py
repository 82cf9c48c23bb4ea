"""A warehouse that cannot be used, and every command that meets it: one sentence, an exit code, nothing changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Whosends
from tests.warehouse.build import ListInput, loader, message, one, xml
from warehouse.connect import Warehouse
from warehouse.load import load
from warehouse.settings import WarehouseSettings

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
COMMANDS = (
    ("status",), ("sources",), ("drift",), ("readiness", "example.com"), ("report", "weekly"), ("reporters",),
    ("tls",), ("failures",), ("bounces",), ("query", "SELECT 1"), ("export", "daily", "--out", "{out}/daily.csv"),
    ("ingest", "{out}/r.xml"), ("reparse",), ("prune",), ("backup", "{out}/copy.duckdb"), ("quarantine", "list"),
    ("quarantine", "show", "1"), ("quarantine", "retry", "--all"), ("quarantine", "drop", "1"),
    ("quarantine", "export", "{out}/q"), ("sources", "approve", "ip:192.0.2.1"), ("sources", "undo", "ip:192.0.2.1"),
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = Warehouse(tmp_path / "w" / "warehouse.duckdb", WarehouseSettings())
    load(ListInput([[message(xml()), message(xml(report_id="b")[:-20])]]), loader(target))
    (tmp_path / "r.xml").write_bytes(xml(report_id="another"))
    return target.path


def refused(whosends: Whosends, path: Path, said: str) -> None:
    """Every command says so in one document, and leaves the file as it was."""
    before = path.read_bytes()
    for arguments in COMMANDS:
        given = [argument.format(out=path.parent.parent) for argument in arguments]
        ran = whosends(*given, "--warehouse", path, "--json")
        assert ran.code == 4, (arguments, ran.out, ran.err)
        error = json.loads(ran.out)["error"]
        assert said in error["message"], arguments
        assert error["hint"], arguments
    assert path.read_bytes() == before


def test_a_warehouse_of_a_newer_version_is_left_alone_by_every_command(whosends: Whosends, path: Path) -> None:
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        connection.execute("INSERT INTO migration VALUES (9999, 'future', now())")
    refused(whosends, path, "A newer whosends wrote this warehouse")


@pytest.mark.parametrize("damage", ["head", "middle"])
def test_a_damaged_warehouse_is_said_to_be_damaged_by_every_command(
    whosends: Whosends, path: Path, damage: str
) -> None:
    content = bytearray(path.read_bytes())
    content[0 if damage == "head" else 12_288 :] = b"\x5a" * (4096 if damage == "head" else len(content) - 12_288)
    path.write_bytes(content)
    refused(whosends, path, "damaged")


@pytest.fixture
def held(path: Path) -> Iterator[Path]:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        yield path
        other.communicate()


def test_a_program_that_has_the_file_open_is_told_of_by_every_command(whosends: Whosends, held: Path) -> None:
    refused(whosends, held, "does not take turns")


def test_a_restore_brings_back_a_damaged_one_and_refuses_a_newer_copy(whosends: Whosends, path: Path) -> None:
    copy, newer = path.with_name("copy.duckdb"), path.with_name("newer.duckdb")
    assert whosends("backup", copy, "--warehouse", path).code == 0
    shutil.copy(copy, newer)
    with Warehouse(newer, WarehouseSettings()).writing() as connection:
        connection.execute("INSERT INTO migration VALUES (9999, 'future', now())")
    ran = whosends("restore", newer, "--warehouse", path, "--json")
    assert (ran.code, "newer whosends" in ran.out) == (4, True)
    path.write_bytes(b"lost" * 9999)
    assert whosends("restore", copy, "--warehouse", path).code == 0
    assert one(Warehouse(path, WarehouseSettings()), "SELECT count(*) FROM aggregate_report") == 1
