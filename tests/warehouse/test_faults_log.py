"""The write-ahead log after a power cut: cut short, gone, damaged, or of another state of the file."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.build import BEGIN, DAY, NOW, ListInput, loader, message, one, warehouse, xml
from tests.warehouse.test_crash_walk import in_a_process
from warehouse.backup import backup, restore
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseDamaged
from warehouse.load import load

FOUND = "SELECT (SELECT count(*) FROM aggregate_report), (SELECT sum(messages) FROM daily)"
BEFORE, AFTER = (3, 30), (6, 60)


def reports(first: int) -> ListInput:
    return ListInput([[message(xml(report_id=f"r{n}", begin=BEGIN + n * DAY)) for n in range(first, first + 3)]])


def dying(folder: Path, told: Any) -> None:
    """A batch is committed into the log, and the machine loses its power."""
    source = reports(3)
    source.done = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
    target = warehouse(folder)
    with target.writing() as connection:
        # As it is while a batch is at work: the log is not brought into the file before the session ends.
        load_into(target, connection, source)
    told.send(True)


def load_into(target: Warehouse, connection: Any, source: ListInput) -> None:
    """What `load` does with a batch, in a session that stays open after its commit."""
    from ingest.reading import read  # noqa: PLC0415
    from warehouse.portion import portion  # noqa: PLC0415
    from warehouse.settle import settle  # noqa: PLC0415
    from warehouse.terms import Terms  # noqa: PLC0415

    by = loader(target)
    batch = [(item, read(item, by.limits)) for item in source.batches[0]]
    settle(connection, portion(batch), Terms(1, by.now(), by.identify))
    connection.commit()
    source.done([])


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut")
    target = warehouse(folder)
    load(reports(0), loader(target))
    code, _ = in_a_process(dying, folder)
    assert code == -signal.SIGKILL
    assert (folder / "warehouse.duckdb.wal").stat().st_size > 1000
    return folder


@pytest.fixture
def again(cut_off: Path, tmp_path: Path) -> Callable[[], tuple[Warehouse, Path]]:
    """The same file and log once more, as often as one likes."""
    made = iter(range(1000))

    def copied() -> tuple[Warehouse, Path]:
        folder = Path(shutil.copytree(cut_off, tmp_path / str(next(made))))
        return warehouse(folder), folder / "warehouse.duckdb.wal"

    return copied


Again = Callable[[], tuple[Warehouse, Path]]


def test_what_the_log_holds_is_there_after_the_power_cut(again: Again) -> None:
    target, _ = again()
    assert one(target, FOUND) == AFTER
    summary = load(reports(3), loader(target))
    assert (summary.duplicates, summary.stored) == (3, 0)
    assert one(target, FOUND) == AFTER


def test_a_log_cut_at_any_length_gives_the_batch_or_nothing_of_it(again: Again) -> None:
    _, log = again()
    size = log.stat().st_size
    seen = set()
    for length in sorted({*(round(size * part / 12) for part in range(13)), 1, 9, size - 1, size - 9}):
        target, log = again()
        os.truncate(log, length)
        seen.add(found := one(target, FOUND))
        assert found == (AFTER if length == size else BEFORE), length
        load(reports(3), loader(target))
        assert one(target, FOUND) == AFTER
    assert seen == {BEFORE, AFTER}


def test_without_its_log_the_file_is_as_it_was_before_the_batch(again: Again) -> None:
    target, log = again()
    log.unlink()
    assert one(target, FOUND) == BEFORE
    load(reports(3), loader(target))
    assert one(target, FOUND) == AFTER


def test_noise_in_the_log_is_said_and_the_file_alone_goes_on(again: Again) -> None:
    target, log = again()
    content = bytearray(log.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = os.urandom(64)
    log.write_bytes(content)
    with pytest.raises(WarehouseDamaged, match=r"log warehouse\.duckdb\.wal"):
        one(target, FOUND)
    log.rename(log.with_name("aside"))
    assert one(target, FOUND) == BEFORE


@pytest.mark.parametrize("other", ["an older state", "another file"])
def test_a_log_of_another_state_is_not_played_into_the_file(again: Again, other: str, tmp_path: Path) -> None:
    target, log = again()
    older = log.read_bytes()
    if other == "an older state":
        with target.writing():  # the log goes into the file
            pass
        expected = AFTER
    else:
        target = warehouse(tmp_path / "other")
        load(reports(9), loader(target))
        expected = BEFORE
    log = target.path.with_name("warehouse.duckdb.wal")
    log.write_bytes(older)
    with pytest.raises(WarehouseDamaged, match="belongs to another"):
        one(target, FOUND)
    log.unlink()
    assert one(target, FOUND) == expected


def test_a_copy_holds_what_only_the_log_held_and_a_restore_leaves_it_to_the_old_file(again: Again) -> None:
    target, log = again()
    copy = log.with_name("copy.duckdb")
    backup(target, copy)
    assert one(Warehouse(copy, target.settings), FOUND) == AFTER
    target, log = again()
    load(reports(0), loader(older := warehouse(log.parent / "older")))
    replaced = restore(target, older.path, NOW)
    assert replaced is not None
    assert one(target, FOUND) == BEFORE
    assert one(Warehouse(replaced, target.settings), FOUND) == AFTER
