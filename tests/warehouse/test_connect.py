"""Sessions: short, in turn, all or nothing, and with no way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.build import one, warehouse
from warehouse.connect import DatabaseError, Warehouse
from warehouse.errors import SchemaTooNew, WarehouseBusy, WarehouseDamaged, WarehouseError, WarehouseMissing
from warehouse.migrate import NOTES, steps
from warehouse.settings import WarehouseSettings
from warehouse.turnstile import turn

ADD = "INSERT INTO mailbox_cursor VALUES ('main', 'INBOX', 1, 1, now())"
COUNT = "SELECT count(*) FROM mailbox_cursor"


def test_reading_before_anything_was_stored_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing, match="whosends ingest"), warehouse(tmp_path).reading():
        pass


def test_a_session_that_fails_leaves_nothing(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    with target.writing() as connection:
        connection.execute(ADD)
    with pytest.raises(DatabaseError), target.writing() as connection:
        connection.execute(f"{ADD}; SELECT error('a fault')")
    assert one(target, COUNT) == 1


def test_every_table_and_column_has_its_comment(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    with target.writing():
        pass
    missing = """
        SELECT count(*) FROM (
            SELECT comment FROM duckdb_columns()
            WHERE NOT internal AND table_name NOT IN (SELECT view_name FROM duckdb_views())
            UNION ALL SELECT comment FROM duckdb_tables()
            UNION ALL SELECT comment FROM duckdb_views() WHERE NOT internal
        ) WHERE comment IS NULL
    """
    assert one(target, missing) == 0


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    with target.writing() as connection:
        connection.execute("INSERT INTO migration VALUES (9999, 'future', now())")
    with pytest.raises(SchemaTooNew, match="Upgrade"), target.reading():
        pass
    with pytest.raises(SchemaTooNew), target.writing():
        pass


def test_a_schema_that_is_behind_is_brought_up_by_the_next_reader(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    with duckdb.connect(str(target.path)) as connection:
        connection.execute(NOTES + steps()[0].sql)
        connection.execute("INSERT INTO migration VALUES (1, 'reports', now())")
    assert one(target, "SELECT max(version) FROM migration") == steps()[-1].version
    assert one(target, "SELECT count(*) FROM source_decision") == 0


def test_schema_files_are_numbered_without_a_gap_and_without_a_double() -> None:
    assert [step.version for step in steps()] == list(range(1, len(steps()) + 1))


def test_a_schema_file_that_landed_after_a_later_one_is_applied_too(tmp_path: Path) -> None:
    # As if 0005 had been merged after 0006 was out: the warehouse has all but that one.
    target, left_out = warehouse(tmp_path), steps()[4]
    with duckdb.connect(str(target.path)) as connection:
        for step in steps():
            if step is not left_out:
                connection.execute(NOTES + step.sql)
                connection.execute("INSERT INTO migration VALUES (?, ?, now())", [step.version, step.name])
    assert one(target, "SELECT count(dropped_at) FROM quarantine") == 0  # the column of 0005
    assert one(target, "SELECT max_by(version, applied_at) FROM migration") == left_out.version


def test_a_schema_that_is_unknown_here_is_refused_whatever_its_number(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    with target.writing() as connection:
        connection.execute("INSERT INTO migration VALUES (0, 'of another branch', now())")
    with pytest.raises(SchemaTooNew), target.reading():
        pass


@pytest.mark.parametrize("content", [b"this is not a database" * 1000, b"\0" * 20_000])
def test_a_file_that_is_no_warehouse_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    target = warehouse(tmp_path)
    target.path.write_bytes(content)
    with pytest.raises(WarehouseDamaged), target.reading():
        pass
    with pytest.raises(WarehouseDamaged), target.writing():
        pass
    assert target.path.read_bytes() == content


def test_a_query_that_fails_over_a_text_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="corrupt"), warehouse(tmp_path).writing() as connection:
        connection.execute("SELECT 'corrupt checksum'::INTEGER")


def test_a_size_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    target = Warehouse(tmp_path / "w.duckdb", WarehouseSettings(memory="lots"))
    with pytest.raises(WarehouseError, match="refuses the settings"), target.writing():
        pass


def test_a_path_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    target = warehouse(tmp_path / os.fsdecode(b"w\xff"))
    with pytest.raises(WarehouseError, match="no UTF-8"), target.writing():
        pass


def test_an_empty_file_becomes_a_warehouse(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    target.path.touch()
    with pytest.raises(WarehouseMissing), target.reading():
        pass
    with target.writing():
        pass
    assert one(target, COUNT) == 0


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = warehouse(tmp_path / "file")
    with pytest.raises((WarehouseError, WarehouseMissing)), target.reading():
        pass
    with pytest.raises(WarehouseError), target.writing():
        pass


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "EXPORT DATABASE '/tmp/out'",
        "DELETE FROM mailbox_cursor",
        "CREATE TABLE t (i INTEGER)",
    ],
)
def test_sql_reaches_no_file_and_no_network_and_changes_nothing(tmp_path: Path, sql: str) -> None:
    target = warehouse(tmp_path)
    with target.writing() as connection:
        connection.execute(ADD)
    with target.reading() as connection, pytest.raises(DatabaseError):
        connection.execute(sql)
    assert one(target, COUNT) == 1


def test_waiting_has_an_end(tmp_path: Path) -> None:
    target = warehouse(tmp_path, wait=0.2)
    with target.writing() as connection:
        connection.execute(ADD)
    with turn(target.path, write=True, wait=1), pytest.raises(WarehouseBusy, match="Try again"), target.reading():
        pass
    assert one(target, COUNT) == 1


def test_a_program_that_takes_no_turns_is_named(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    with target.writing() as connection:
        connection.execute(ADD)
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(target.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(WarehouseError, match="does not take turns"), target.reading():
            pass
        other.communicate()
    assert one(target, COUNT) == 1


@pytest.mark.parametrize(("moment", "rows"), [("before the commit", 1), ("after the commit", 2)])
def test_a_killed_writer_leaves_no_half_batch_and_no_lock(tmp_path: Path, moment: str, rows: int) -> None:
    target = warehouse(tmp_path, wait=2.0)
    with target.writing() as connection:
        connection.execute(ADD)
    code = f"""
import os, signal, sys
from pathlib import Path
from tests.warehouse.build import warehouse
with warehouse(Path(sys.argv[1])).writing() as connection:
    connection.execute({ADD!r})
    if {moment!r} == "after the commit":
        connection.commit()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert one(target, COUNT) == rows
    with target.writing() as connection:
        connection.execute(ADD)
    assert one(target, COUNT) == rows + 1
