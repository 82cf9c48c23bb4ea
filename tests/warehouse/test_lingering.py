"""A reader's file that stays open for a moment: shared by those who come next, in nobody's way."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from tests.warehouse.build import one
from warehouse import lingering
from warehouse.connect import Connection, DatabaseError, Warehouse
from warehouse.settings import WarehouseSettings

ADD = "INSERT INTO mailbox_cursor SELECT 'main', 'INBOX', count(*), 1, now() FROM mailbox_cursor"
COUNT = "SELECT count(*) FROM mailbox_cursor"


class Counting(Warehouse):
    """Counts how often the file was opened."""

    opened = 0

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self.opened += 1
        with super()._reading() as connection:
            yield connection


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Counting]:
    made = Counting(tmp_path / "warehouse.duckdb", WarehouseSettings(wait=120.0), lingering=True)
    add(made)
    yield made
    made.let_go()


def add(target: Warehouse) -> None:
    with target.writing() as connection:
        connection.execute(ADD)


def test_sessions_that_follow_at_once_share_the_open_file(target: Counting) -> None:
    def shared() -> bool:
        before = target.opened
        assert [one(target, COUNT) for _ in range(5)] == [1] * 5
        return target.opened <= before + 1

    assert any(shared() for _ in range(20))  # a busy machine may take longer than the moment between two of them
    time.sleep(3 * lingering.MOMENT)
    before = target.opened
    assert one(target, COUNT) == 1
    assert target.opened == before + 1


def test_what_one_session_makes_for_itself_no_other_sees(target: Counting) -> None:
    with target.reading() as connection:
        connection.execute("CREATE TEMP TABLE mine AS SELECT 1 AS n; SET VARIABLE n = 1")
        assert one(target, "SELECT getvariable('n')") is None
        with pytest.raises(DatabaseError), target.reading() as other:
            other.execute("FROM mine")
        assert connection.execute("FROM mine").fetchone() == (1,)


def test_this_process_writes_at_once_and_then_reads_what_it_wrote(target: Counting) -> None:
    for rows in range(1, 4):
        assert one(target, COUNT) == rows
        began = time.monotonic()
        add(target)
        assert time.monotonic() - began < 20
    assert target.opened == 3


def test_another_process_gets_its_turn_though_two_ask_all_the_time(target: Counting) -> None:
    code = f"""
import sys
from pathlib import Path
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings
with Warehouse(Path(sys.argv[1]), WarehouseSettings(wait=20.0)).writing() as connection:
    connection.execute({ADD!r})
"""
    with subprocess.Popen([sys.executable, "-c", code, str(target.path)]) as other, ThreadPoolExecutor(2) as readers:

        def ask() -> int:
            seen = 0
            while other.poll() is None:
                seen = int(str(one(target, COUNT)))
            return seen

        list(readers.map(lambda _: ask(), range(2)))
    assert other.returncode == 0
    assert one(target, COUNT) == 2


def test_another_file_in_its_place_is_seen_at_once(target: Counting, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(target.path, copy)
    add(target)
    assert one(target, COUNT) == 2
    copy.replace(target.path)
    assert one(target, COUNT) == 1
    with target.reading() as connection:
        connection.execute(COUNT)
    time.sleep(3 * lingering.MOMENT)
    add(target)  # the file that is no more stands in nobody's way
    assert one(target, COUNT) == 2


def test_a_session_that_fails_leaves_nothing_open(target: Counting) -> None:
    with pytest.raises(DatabaseError), target.reading() as connection:
        connection.execute("SELECT error('a fault')")
    assert one(target, COUNT) == 1
    assert target.opened == 2


def test_many_threads_at_once_all_get_their_answer(target: Counting) -> None:
    together = Barrier(8)

    def ask(_: int) -> list[object]:
        together.wait()
        return [one(target, COUNT) for _ in range(20)]

    with ThreadPoolExecutor(8) as people:
        assert all(found == [1] * 20 for found in people.map(ask, range(8)))
    add(target)
    assert one(target, COUNT) == 2


@pytest.mark.parametrize("later", [0.0, 0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01])
def test_a_program_may_end_just_when_the_file_is_closed(target: Counting, later: float) -> None:
    code = """
import sys, time
from pathlib import Path
from warehouse import lingering
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings
with Warehouse(Path(sys.argv[1]), WarehouseSettings(), lingering=True).reading() as connection:
    connection.execute("SELECT 1").fetchone()
time.sleep(lingering.MOMENT + float(sys.argv[2]))
"""
    subprocess.run([sys.executable, "-c", code, str(target.path), str(later)], check=True)
