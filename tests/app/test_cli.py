"""The command line as a whole: help, exit codes, where options may stand, how runs end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from app import cli, exitcodes
from app.commands.base import Run
from ingest.errors import MailboxUnreachable
from tests.app.conftest import PROGRAM, Whosends
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

HEAVY = ("duckdb", "polars", "pyarrow", "streamlit", "altair", "lxml", "numpy", "imapclient", "dns", "jinja2")
PATHS = [
    *([name] for name in cli.COMMANDS),
    *(["sources", name] for name in ("list", "approve", "forwarder", "spoof", "retire", "undo")),
    *(["quarantine", name] for name in ("list", "show", "retry")),
    ["report", "weekly"],
    *(["config", name] for name in ("show", "path")),
]


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
from app.cli import main
assert main(["--help"]) == 0
print("LOADED", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_explains_itself(whosends: Whosends, path: list[str]) -> None:
    ran = whosends(*path, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: whosends {' '.join(path)}")
    assert len(ran.out.splitlines()) > 4
    assert ran.err == ""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (["ingest", ""], "PATH"),
        (["ingest", "a", ""], "PATH"),
        (["quarantine", "show", ""], "KEY"),
        (["quarantine", "drop", "1", ""], "KEYS"),
        (["quarantine", "export", ""], "FOLDER"),
        (["backup", ""], "PATH"),
        (["sources", "approve", "", "--owner", ""], "SOURCE"),
        (["query", "", "--json"], "SQL"),
    ],
)
def test_an_empty_argument_is_told_as_one(whosends: Whosends, line: list[str], name: str) -> None:
    ran = whosends(*line)
    assert ran.code == exitcodes.USAGE
    assert f"{name} is empty." in (ran.out if "--json" in line else ran.err)
    assert "is empty" not in whosends("findings", "assign", "none", "").err


def test_every_command_of_the_table_is_there() -> None:
    context = click.Context(cli.cli, info_name="whosends", obj=Run({}))
    for name in cli.COMMANDS:
        command = cli.cli.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_version(whosends: Whosends) -> None:
    ran = whosends("--version")
    assert ran.code == 0
    assert ran.out.startswith("whosends ")


@pytest.mark.parametrize("before", [True, False])
def test_options_stand_before_or_after_the_command(whosends: Whosends, sample: Path, before: bool) -> None:
    options, command = ["--warehouse", sample, "--json", "--offline"], ["query", "SELECT 1 AS one"]
    ran = whosends(*(options + command if before else command + options))
    assert ran.code == 0
    assert ran.document["rows"] == [{"one": 1}]


def test_options_stand_between_a_group_and_its_command(whosends: Whosends, sample: Path) -> None:
    ran = whosends("sources", "--json", "list", "--warehouse", sample)
    assert ran.code == 0
    assert ran.document["sources"]


def test_the_option_outranks_the_environment(whosends: Whosends, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHOSENDS_WAREHOUSE", "/nowhere/else.duckdb")
    assert whosends("query", "SELECT 1").code == exitcodes.USAGE
    assert whosends("query", "SELECT 1", "--warehouse", sample).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["statsu"],
        ["status", "--nonsense"],
        ["readiness"],
        ["readiness", "example.com", "--target", "none"],
        ["query", "SELECT 1", "--limit", "0"],
        ["ingest"],
    ],
)
def test_a_wrong_line_is_usage(whosends: Whosends, arguments: list[str]) -> None:
    ran = whosends(*arguments)
    assert ran.code == exitcodes.USAGE
    assert ran.out == ""
    assert ran.err.startswith("Error: ")
    assert len(ran.err.splitlines()) <= 2


@pytest.mark.parametrize("arguments", [[], ["quarantine"]])
def test_without_a_command_the_help_is_shown_as_it_is(whosends: Whosends, arguments: list[str]) -> None:
    ran = whosends(*arguments)
    assert (ran.code, ran.out) == (exitcodes.USAGE, "")
    assert ran.err == whosends(*arguments, "--help").out
    ran = whosends("--json", *arguments)
    assert ran.document["error"]["message"] == "Missing command."


def test_a_misspelt_command_is_guessed(whosends: Whosends) -> None:
    assert "Did you mean 'status'?" in whosends("statsu").err


@pytest.mark.parametrize("arguments", [["--json", "nonsense"], ["status", "--json"], ["--json", "status", "--bad"]])
def test_errors_are_documents_too(whosends: Whosends, arguments: list[str]) -> None:
    ran = whosends(*arguments)
    assert ran.code == exitcodes.USAGE
    assert set(ran.document["error"]) == {"message", "hint", "exit_code"}
    assert ran.document["error"]["exit_code"] == ran.code
    assert ran.err.startswith("Error: ")


def test_json_after_two_dashes_is_no_option(whosends: Whosends) -> None:
    ran = whosends("ingest", "--", "--json")
    assert ran.code == exitcodes.USAGE
    assert ran.out == ""


def test_an_error_says_whether_to_try_again() -> None:
    assert cli._ending(MailboxUnreachable("No answer.", "Wait.")) == cli.Ending("No answer.", "Wait.", exitcodes.AGAIN)


def test_a_crash_is_one_line_and_a_hint() -> None:
    ending = cli._ending(RuntimeError("what\nnobody foresaw"))
    assert ending.exit_code == exitcodes.FAILED
    assert ending.message == "RuntimeError: what\nnobody foresaw"
    assert "--verbose" in ending.hint


def test_a_crash_in_the_middle_prints_no_traceback(whosends: Whosends, home: Path) -> None:
    (home / "file").write_text("")
    ran = whosends("query", "SELECT 1", "--warehouse", home / "file" / "below.duckdb")
    assert ran.code in (exitcodes.USAGE, exitcodes.FAILED)
    ran = whosends("ingest", home / "file", "--warehouse", home / "file" / "below.duckdb")
    assert ran.code == exitcodes.FAILED
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) <= 2


def test_a_damaged_warehouse_fails_in_words(whosends: Whosends, home: Path) -> None:
    (home / "noise.duckdb").write_bytes(b"this is no database" * 1000)
    ran = whosends("status", "--warehouse", home / "noise.duckdb", "--json")
    assert ran.code == exitcodes.FAILED
    assert "damaged" in ran.document["error"]["message"]


def test_ctrl_c_ends_cleanly() -> None:
    assert cli._ending(KeyboardInterrupt()).exit_code == exitcodes.INTERRUPTED


def test_control_characters_in_arguments_do_not_reach_the_terminal(whosends: Whosends) -> None:
    ran = whosends("readiness\x1b[31m\nError: forged")
    assert ran.code == exitcodes.USAGE
    assert "\x1b" not in ran.err
    assert len(ran.err.splitlines()) <= 2


def test_a_reader_that_goes_away_ends_the_run_quietly(sample: Path, home: Path) -> None:
    arguments = [str(PROGRAM), "export", "aggregate_record", "--warehouse", str(sample)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b"report_key,")
        process.stdout.close()
        assert process.wait(60) == exitcodes.CLOSED
        assert process.stderr.read() == b""


def test_a_reader_that_is_gone_from_the_start_is_no_error(sample: Path, home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [str(PROGRAM), "query", "SELECT 1", "--warehouse", str(sample)]
    try:
        done = subprocess.run(arguments, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (exitcodes.CLOSED, b"")


def test_the_installed_program_prints_data_on_stdout_only(sample: Path, home: Path) -> None:
    arguments = [str(PROGRAM), "--json", "--warehouse", str(sample), "drift", "-v"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == exitcodes.FOUND
    assert json.loads(done.stdout)["schema_version"] == 1


def test_a_busy_warehouse_is_worth_another_try(
    whosends: Whosends, month: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOSENDS_WAREHOUSE__WAIT", "0.2")
    with Warehouse(month, WarehouseSettings()).writing():
        ran = whosends("query", "SELECT 1", "--warehouse", month, "--json")
    assert ran.code == exitcodes.AGAIN
    assert ran.document["error"]["exit_code"] == exitcodes.AGAIN


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--warehouse", ""),
        ("status", "--config", ""),
        ("backup", ""),
        ("restore", ""),
        ("export", "daily", "--out", ""),
        ("quarantine", "show", "1", "--out", ""),
        ("quarantine", "export", ""),
        ("report", "weekly", "--out", ""),
        ("sources", "export", "--out", ""),
        ("sources", "import", ""),
        ("selectors", "--declared", ""),
    ],
)
def test_a_path_that_is_empty_is_no_path(whosends: Whosends, month: Path, arguments: list[str]) -> None:
    ran = whosends(*arguments, *(() if "--warehouse" in arguments else ("--warehouse", month)))
    assert ran.code == exitcodes.USAGE
    assert "is empty" in ran.err
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("option", ["--warehouse", "--config"])
def test_the_home_folder_of_nobody_is_said_to_be_none(whosends: Whosends, option: str) -> None:
    ran = whosends("status", option, "~nobody-of-this-name/x")
    assert ran.code == exitcodes.USAGE
    assert "'~nobody-of-this-name' is no user's home folder" in ran.err
