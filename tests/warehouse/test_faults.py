"""A full disk, a damaged file, a lost machine: what was committed is safe, and a sentence says what to do."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.warehouse.build import (
    BEGIN,
    DAY,
    NOW,
    ListInput,
    identify,
    loader,
    message,
    one,
    polled,
    row,
    warehouse,
    xml,
)
from warehouse.backup import backup, restore
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseDamaged, WarehouseError, WarehouseFull, WarehouseMissing
from warehouse.load import load
from warehouse.reparse import reparse
from warehouse.retention import prune
from warehouse.settings import RetentionSettings
from warehouse.soundness import read_for

REPORTS = "SELECT count(*) FROM aggregate_report"


def filled(folder: Path, reports: int = 3) -> Warehouse:
    target = warehouse(folder)
    load(ListInput([[message(xml(report_id=f"r{n}", begin=BEGIN + n * DAY)) for n in range(reports)]]), loader(target))
    return target


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a disk of six megabytes can only be made by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def large(number: int) -> bytes:
    rows = [row(f"10.{number}.{i // 250}.{i % 250}", 1, header_from=f"a{i}.example.com") for i in range(3000)]
    return xml(*rows, report_id=f"r{number}")


def test_a_full_disk_loses_no_committed_batch_and_the_next_run_goes_on(small_disk: Path) -> None:
    target, batches = warehouse(small_disk), ListInput([[message(large(number))] for number in range(6)])
    with pytest.raises(WarehouseFull, match="Make room"):
        load(batches, loader(target))
    stored = len(batches.told)
    assert 0 < stored < 6
    assert one(target, REPORTS) == stored
    assert one(target, "SELECT sum(messages) FROM daily") == stored * 3000
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    summary = load(batches, loader(target))
    assert (summary.duplicates, summary.stored) == (stored, 6 - stored)
    assert one(target, "SELECT sum(messages) FROM daily") == 6 * 3000


@pytest.mark.parametrize("damage", ["head", "truncated", "noise"])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, damage: str) -> None:
    target = filled(tmp_path, 50)
    content = bytearray(target.path.read_bytes())
    if damage == "head":
        content[:4096] = os.urandom(4096)
    elif damage == "truncated":
        del content[len(content) // 3 :]
    else:
        content[12_288:] = os.urandom(len(content) - 12_288)
    target.path.write_bytes(content)
    with pytest.raises(WarehouseDamaged, match="restore"), target.reading() as connection:
        connection.execute("SELECT * FROM aggregate_record").fetchall()


def test_a_backup_is_whole_while_others_write(tmp_path: Path) -> None:
    target = filled(tmp_path)
    done = threading.Event()

    def write() -> None:
        n = 100
        while not done.is_set():
            load(ListInput([[message(xml(report_id=f"r{n}"))]]), loader(target))
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(3):
            backup(target, tmp_path / f"copy{n}.duckdb")
    finally:
        done.set()
        writer.join()
    for n in range(3):
        copy = Warehouse(tmp_path / f"copy{n}.duckdb", target.settings)
        reports = one(copy, REPORTS)
        assert isinstance(reports, int)
        assert reports >= 3
        assert one(copy, "SELECT sum(messages) FROM daily") == reports * 10
    with pytest.raises(WarehouseError, match="exists already"):
        backup(target, tmp_path / "copy0.duckdb")


def test_a_restore_brings_the_copy_back_and_keeps_what_it_replaced(tmp_path: Path) -> None:
    target = filled(tmp_path)
    backup(target, tmp_path / "copy.duckdb")
    load(ListInput([[message(xml(report_id="later"))]]), loader(target))
    replaced = restore(target, tmp_path / "copy.duckdb", NOW)
    assert one(target, REPORTS) == 3
    assert replaced is not None
    assert one(Warehouse(replaced, target.settings), REPORTS) == 4
    target.path.write_bytes(b"broken" * 1000)
    restore(target, tmp_path / "copy.duckdb", NOW + timedelta(seconds=1))
    assert one(target, REPORTS) == 3


def test_a_copy_that_is_no_warehouse_replaces_nothing(tmp_path: Path) -> None:
    target = filled(tmp_path)
    (tmp_path / "copy").write_bytes(b"no warehouse" * 1000)
    with pytest.raises(WarehouseDamaged):
        restore(target, tmp_path / "copy", NOW)
    with pytest.raises(WarehouseMissing):
        restore(target, tmp_path / "none", NOW)
    assert one(target, REPORTS) == 3
    assert {path.name for path in tmp_path.iterdir()} == {
        "copy", "warehouse.duckdb", "warehouse.duckdb.lock", "warehouse.duckdb.turnstile",
    }  # fmt: skip


BLOCK = 262_144


def damaged(target: Warehouse) -> None:
    """Noise in those blocks without which the file opens all the same."""
    for at in range(12_288, target.path.stat().st_size, BLOCK):
        whole = target.path.read_bytes()
        target.path.write_bytes(whole[: at + 4096] + os.urandom(4096) + whole[at + 8192 :])
        try:
            with target.writing(reports=False):
                pass
            with target.reading() as connection:
                connection.execute(REPORTS).fetchone()
        except WarehouseError:
            target.path.write_bytes(whole)


def test_of_a_damaged_warehouse_there_is_no_copy(tmp_path: Path) -> None:
    target = filled(tmp_path, 40)
    backup(target, tmp_path / "good.duckdb")
    damaged(target)
    with pytest.raises(WarehouseDamaged, match="no copy was made"):
        backup(target, tmp_path / "bad.duckdb")
    assert not list(tmp_path.glob("bad*"))
    with pytest.raises(WarehouseDamaged, match="restore"):
        read_for(target, 10)
    restore(target, tmp_path / "good.duckdb", NOW)
    assert one(target, REPORTS) == 40
    assert read_for(target, 10).read == read_for(target, 10).tables > 30


def test_a_damaged_copy_replaces_nothing(tmp_path: Path) -> None:
    target = filled(tmp_path, 40)
    backup(target, tmp_path / "copy.duckdb")
    damaged(Warehouse(tmp_path / "copy.duckdb", target.settings))
    with pytest.raises(WarehouseDamaged, match=r"copy\.duckdb is damaged"):
        restore(target, tmp_path / "copy.duckdb", NOW)
    assert one(target, REPORTS) == 40
    assert not list(tmp_path.glob("*.restoring*"))


def test_pruned_records_leave_the_rollup_and_the_memory_of_the_report(tmp_path: Path) -> None:
    target = filled(tmp_path)
    settings = RetentionSettings(records_days=3)
    with target.writing() as connection:
        pruned = prune(connection, settings, NOW)
    # NOW is the 23rd at seven: three days back begins the 20th, so that day stays and none is older.
    assert pruned.records == 0
    with target.writing() as connection:
        pruned = prune(connection, settings, NOW + timedelta(days=1))
    assert (pruned.records, pruned.documents) == (1, 1)
    assert one(target, "SELECT sum(messages) FROM daily") == 30
    assert one(target, "SELECT sum(messages) FROM aggregate_record") == 20
    again = load(ListInput([[message(xml(report_id="r0"))]]), loader(target))
    assert (again.duplicates, again.stored) == (1, 0)
    assert reparse(target, identify, NOW, everything=True).reports == 2
    assert one(target, "SELECT sum(messages) FROM daily") == 30
    with target.writing() as connection:
        assert prune(connection, settings, NOW + timedelta(days=1)).records == 0


def test_each_kind_has_its_own_age(tmp_path: Path) -> None:
    target = filled(tmp_path)
    load(ListInput([[message(xml()[:-20])]]), loader(target))
    later = NOW + timedelta(days=10)
    polled(target, 10)
    with target.writing() as connection:
        assert prune(connection, RetentionSettings(0, 0, 0, 0), later).quarantined == 0
        pruned = prune(connection, RetentionSettings(0, 9, 9, 9), later)
    assert (pruned.records, pruned.documents, pruned.messages, pruned.quarantined) == (0, 3, 4, 1)
    assert one(target, REPORTS) == 3
