"""ingest, quarantine, reparse, query, export: numbers that add up, nothing lost, nothing dangerous."""

from __future__ import annotations

import csv
import gzip
import io
import json
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from app import exitcodes
from app.render import clean
from tests.app.conftest import PROGRAM, Ran, Whosends
from tests.warehouse.build import row, xml
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

SUMMARY = {
    "schema_version", "seen", "stored", "duplicates", "quarantined", "not_reports", "reports", "records", "messages",
    "seconds", "failures",
}  # fmt: skip
HOSTILE = "=cmd|'/C calc'!A0 \u202eevil\u200b [red]x[/red] ![i](http://evil.example/x.png)"


@pytest.fixture
def folder(home: Path) -> Path:
    """Two reports, one of them twice, something broken, and something that is no report."""
    found = home / "folder"
    found.mkdir()
    (found / "one.xml").write_bytes(xml(row(count=10), report_id="one"))
    (found / "again.xml.gz").write_bytes(gzip.compress(xml(row(count=10), report_id="one")))
    (found / "two.xml").write_bytes(xml(row("192.0.2.9", 5), reporter=HOSTILE.replace("<", ""), report_id="two"))
    (found / "broken.xml").write_bytes(xml(report_id="three")[:-40])
    (found / "note.txt").write_text("hello")
    return found


@pytest.fixture
def loaded(whosends: Whosends, folder: Path, home: Path) -> tuple[Ran, Path]:
    path = home / "loaded.duckdb"
    return whosends("ingest", folder, "--warehouse", path, "--json"), path


def test_ingest_says_how_each_message_ended(loaded: tuple[Ran, Path]) -> None:
    ran, _ = loaded
    assert ran.code == exitcodes.OK
    found = ran.document
    assert set(found) >= SUMMARY
    assert (found["seen"], found["stored"], found["duplicates"], found["quarantined"], found["not_reports"]) == (
        5, 2, 1, 1, 1,
    )  # fmt: skip
    assert (found["reports"], found["records"], found["messages"]) == (2, 2, 15)
    (failure,) = found["failures"]
    assert set(failure) == {"origin", "reason", "message"}
    assert failure["origin"].endswith("broken.xml")
    assert ran.err == ""


def test_ingest_again_changes_nothing_and_is_fine(whosends: Whosends, folder: Path, home: Path) -> None:
    (folder / "broken.xml").unlink()
    path = home / "x.duckdb"
    first = whosends("ingest", folder, "--warehouse", path)
    assert first.code == exitcodes.OK
    assert first.out.splitlines()[1].startswith("15 messages in 2 records")
    second = whosends("ingest", folder, "--warehouse", path, "--json")
    assert second.code == exitcodes.OK
    assert (second.document["stored"], second.document["duplicates"]) == (0, 3)


def test_ingest_from_standard_input(home: Path) -> None:
    arguments = [str(PROGRAM), "ingest", "-", "--warehouse", str(home / "x.duckdb"), "--json"]
    done = subprocess.run(arguments, input=xml(), capture_output=True, check=True)
    assert json.loads(done.stdout)["stored"] == 1


def test_ingest_of_a_missing_path_is_usage(whosends: Whosends, home: Path) -> None:
    ran = whosends("ingest", home / "missing", "--warehouse", home / "x.duckdb")
    assert ran.code == exitcodes.USAGE
    assert "does not exist" in ran.err


def test_a_line_each_thousand_messages_without_a_terminal(whosends: Whosends, sample: Path, home: Path) -> None:
    many = home / "many"
    many.mkdir()
    for number in range(1200):
        (many / f"{number}.txt").write_text(str(number))
    ran = whosends("ingest", many, "--warehouse", home / "x.duckdb")
    assert [line[:8] for line in ran.err.splitlines()] == ["Reading:"]
    assert whosends("ingest", many, "--warehouse", home / "y.duckdb", "-q").err == ""


def test_quarantine_is_listed_shown_and_tried_again(whosends: Whosends, loaded: tuple[Ran, Path], home: Path) -> None:
    _, path = loaded
    ran = whosends("quarantine", "list", "--warehouse", path, "--json")
    assert ran.code == exitcodes.FOUND
    (kept,) = ran.document["quarantine"]
    assert {"quarantine_key", "reason", "sentence", "origin", "size", "first_seen_at", "times_seen"} <= set(kept)
    key = kept["quarantine_key"]
    assert whosends("quarantine", "list", "--reason", "conflict", "--warehouse", path).code == exitcodes.OK
    shown = whosends("quarantine", "show", key, "--warehouse", path, "--out", home / "bytes")
    assert shown.code == exitcodes.OK
    assert "<org_name>Reporter</org_name>" in shown.out
    assert (home / "bytes").read_bytes() == xml(report_id="three")[:-40]
    assert whosends("quarantine", "show", 99, "--warehouse", path).code == exitcodes.USAGE
    assert whosends("quarantine", "retry", key, "--warehouse", path).code == exitcodes.FOUND
    assert whosends("quarantine", "retry", "--all", "--warehouse", path, "--json").document["quarantined"] == 1
    for wrong in ([], ["99"], ["1", "--all"]):
        assert whosends("quarantine", "retry", *wrong, "--warehouse", path).code == exitcodes.USAGE


def test_a_refused_message_is_dropped_once_and_written_out_only_while_its_bytes_are_there(
    whosends: Whosends, loaded: tuple[Ran, Path], home: Path
) -> None:
    _, path = loaded
    (kept,) = whosends("quarantine", "list", "--warehouse", path, "--json").document["quarantine"]
    key = kept["quarantine_key"]
    with Warehouse(path, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE quarantine SET kept = 0, data = ''::BLOB, dropped_at = now()::TIMESTAMP")
    ran = whosends("quarantine", "show", key, "--warehouse", path, "--out", home / "bytes")
    assert (ran.code, (home / "bytes").exists()) == (exitcodes.FAILED, False)
    assert whosends("quarantine", "show", key, "--warehouse", path).code == exitcodes.OK
    assert "1 message dropped" in whosends("quarantine", "drop", key, key, "--warehouse", path).out


def test_a_raised_limit_lets_a_message_in(whosends: Whosends, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "big.xml.gz").write_bytes(gzip.compress(xml(*(row(f"192.0.2.{n}") for n in range(1, 99)))))
    path = home / "x.duckdb"
    monkeypatch.setenv("WHOSENDS_LIMITS__DOCUMENT_BYTES", "5000")
    assert whosends("ingest", home / "big.xml.gz", "--warehouse", path).code == exitcodes.OK
    monkeypatch.delenv("WHOSENDS_LIMITS__DOCUMENT_BYTES")
    assert whosends("quarantine", "retry", "--all", "--warehouse", path).code == exitcodes.OK
    assert whosends("quarantine", "list", "--warehouse", path).code == exitcodes.OK


def test_reparse_says_what_changed(whosends: Whosends, loaded: tuple[Ran, Path]) -> None:
    _, path = loaded
    assert whosends("reparse", "--warehouse", path, "--json").document["reports"] == 0
    ran = whosends("reparse", "--all", "--warehouse", path, "--json")
    assert ran.code == exitcodes.OK
    assert (ran.document["reports"], ran.document["changed"]) == (2, 0)


def test_query_prints_rows_with_every_type(whosends: Whosends, sample: Path) -> None:
    sql = """
        SELECT 1 AS a, 2 AS a, sum(messages) AS whole, 1.50::DECIMAL(5,2) AS part, 'nan'::DOUBLE AS nothing,
               min(day) AS day, 'x'::BLOB AS bytes, {'k': [1, NULL]} AS nested, TIMESTAMP '2026-01-02 03:04:05' AS at,
               TIMESTAMPTZ '2026-01-02 03:04:05+00' AS "zoned at", true AS yes, NULL AS empty
        FROM daily -- a comment at the end
    """
    ran = whosends("query", sql, "--warehouse", sample, "--json")
    assert ran.code == exitcodes.OK, ran.err
    (found,) = ran.document["rows"]
    assert isinstance(found.pop("whole"), int)
    assert found == {
        "a": 1, "a_1": 2, "part": 1.5, "nothing": None, "day": "2026-07-26", "bytes": "78", "nested": {"k": [1, None]},
        "at": "2026-01-02T03:04:05", "zoned at": "2026-01-02T03:04:05+00", "yes": True, "empty": None,
    }  # fmt: skip


def test_query_is_bounded_and_says_so(whosends: Whosends, sample: Path) -> None:
    ran = whosends("query", "SELECT * FROM range(20000)", "--warehouse", sample, "--json")
    assert len(ran.document["rows"]) == 10_000
    assert "Only the first 10,000 rows" in ran.err
    exact = whosends("query", "SELECT * FROM range(7)", "--limit", 7, "--warehouse", sample, "--json")
    assert (len(exact.document["rows"]), exact.err) == (7, "")


ENDLESS = "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.range * b.range % 7 = 3"


def test_a_query_that_takes_too_long_is_ended(whosends: Whosends, sample: Path) -> None:
    ran = whosends("query", ENDLESS, "--timeout", "0.5", "--warehouse", sample)
    assert ran.code == exitcodes.USAGE
    assert ran.err.startswith("Error: The query took longer than 0.5 s.")


def test_ctrl_c_ends_a_query_at_once(sample: Path, home: Path) -> None:
    arguments = [str(PROGRAM), "query", ENDLESS, "--warehouse", str(sample)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (exitcodes.INTERRUPTED, "", "Error: Stopped.")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "",
        "   ",
        "-- nothing",
        "SELEC 1",
        "SELECT missing FROM daily",
        "DELETE FROM daily",
        "DROP TABLE daily",
        "CREATE TABLE x AS SELECT 1",
        "COPY daily TO 'out.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "ATTACH 'other.duckdb' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "EXPORT DATABASE 'x'",
        "PRAGMA enable_external_access=true",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
    ],
)
def test_query_refuses_what_is_no_question(whosends: Whosends, sample: Path, sql: str) -> None:
    ran = whosends("query", sql, "--warehouse", sample, "--json")
    assert ran.code == exitcodes.USAGE
    assert ran.document["error"]["exit_code"] == exitcodes.USAGE
    assert len(ran.err.splitlines()) <= 2


def test_hostile_text_is_inert_in_tables(whosends: Whosends, loaded: tuple[Ran, Path]) -> None:
    _, path = loaded
    ran = whosends("query", "SELECT reporter FROM aggregate_report WHERE report_id = 'two'", "--warehouse", path)
    assert "\u202e" not in ran.out
    assert "\u200b" not in ran.out
    assert "[red]x[/red]" in ran.out
    document = whosends("query", "SELECT reporter FROM aggregate_report", "--warehouse", path, "--json")
    assert "\u202e" not in document.out


def test_export_of_a_table_in_each_format(whosends: Whosends, loaded: tuple[Ran, Path], home: Path) -> None:
    _, path = loaded
    rows = list(csv.DictReader(io.StringIO(whosends("export", "aggregate_record", "--warehouse", path).out)))
    assert [int(one["messages"]) for one in rows] == [5, 10] or [int(one["messages"]) for one in rows] == [10, 5]
    assert {one["dkim_aligned"] for one in rows} == {"true"}
    hostile = next(one for one in rows if one["messages"] == "5")
    assert hostile["reporter"].startswith("'=cmd|")
    assert "\u202e" not in hostile["reporter"]
    lines = whosends("export", "aggregate_record", "--format", "ndjson", "--warehouse", path).out.splitlines()
    exact = next(one for one in map(json.loads, lines) if one["messages"] == 5)
    assert exact["reporter"] == clean(HOSTILE)
    assert exact["dkim"] == [{"domain": "example.com", "selector": "s1", "result": "pass"}]
    for form in ("csv", "ndjson", "parquet"):
        ran = whosends("export", "daily", "--format", form, "--out", home / f"d.{form}", "--warehouse", path, "--json")
        assert ran.document["rows"] == 2
        assert (home / f"d.{form}").stat().st_size
    assert sum(pq.read_table(home / "d.parquet").column("messages").to_pylist()) == 15
    assert not list(home.glob("*.part"))


def test_export_is_narrowed_by_domain_and_day(whosends: Whosends, sample: Path) -> None:
    options = ["-d", "northlight-club.example", "--since", "2026-11-20", "--until", "2026-11-21"]
    ran = whosends("export", "daily", *options, "--warehouse", sample)
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert {one["domain"] for one in rows} == {"northlight-club.example"}
    assert {one["day"] for one in rows} == {"2026-11-20", "2026-11-21"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dayly"], "There is no table 'dayly'."),
        (["daily; DROP TABLE daily"], "There is no table 'daily; DROP TABLE daily'."),
        (["load_run", "--days", "3"], "Table load_run has no domain and day to narrow it by."),
        (["daily", "--format", "parquet"], "Parquet does not go to standard output."),
    ],
)
def test_export_refuses_in_words(whosends: Whosends, sample: Path, arguments: list[str], sentence: str) -> None:
    ran = whosends("export", *arguments, "--warehouse", sample)
    assert ran.code == exitcodes.USAGE
    assert ran.err.splitlines()[0] == f"Error: {sentence}"


def test_export_to_a_folder_that_is_not_there_leaves_nothing(whosends: Whosends, sample: Path, home: Path) -> None:
    ran = whosends("export", "daily", "--out", home / "missing" / "x.csv", "--warehouse", sample)
    assert ran.code == exitcodes.FAILED
    assert "No such file" in ran.err
