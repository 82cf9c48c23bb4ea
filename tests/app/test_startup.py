"""What a command does not load. A large library costs a small command more than its own work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.without import PATIENCE, without

LARGE = ("altair", "lxml", "maxminddb", "numpy", "pandas", "parsedmarc", "polars", "pyarrow", "streamlit")
LISTED = f"""
import sys
from app.cli import main
code = main(sys.argv[1:])
print("loaded:", *(name for name in {LARGE!r} if name in sys.modules))
"""


def loaded(*arguments: str | Path) -> set[str]:
    """Which of the large libraries one command has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", LISTED, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].removeprefix("loaded:").split())


@pytest.mark.parametrize("arguments", [("--help",), ("config", "show"), ("services", "list"), ("query", "SELECT 1")])
def test_the_smallest_commands_load_nothing_large(sample: Path, arguments: tuple[str, ...]) -> None:
    assert not loaded("--warehouse", sample, *arguments)


@pytest.mark.parametrize("arguments", [("tls",), ("failures",), ("bounces",)])
def test_mail_that_is_no_aggregate_report_is_told_without_its_parser(sample: Path, arguments: tuple[str, ...]) -> None:
    assert not loaded("--warehouse", sample, *arguments) & {"altair", "lxml", "pandas", "parsedmarc", "streamlit"}


def test_the_quarantine_is_listed_without_what_reads_or_stores_reports(sample: Path) -> None:
    of_loads = {"lxml", "numpy", "pandas", "parsedmarc", "pyarrow"}
    assert not loaded("--warehouse", sample, "quarantine", "list") & of_loads


@pytest.mark.parametrize("command", ["status", "findings", "sources", "drift", "changes", "reporters"])
def test_answers_are_given_without_what_only_ingest_or_the_app_need(sample: Path, command: str) -> None:
    assert not loaded("--warehouse", sample, command) & {
        "altair",
        "lxml",
        "maxminddb",
        "pandas",
        "parsedmarc",
        "streamlit",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("sources",),
        ("selectors",),
        ("drift",),
        ("readiness", "northlight.example"),
        ("report", "weekly"),
    ],
)
def test_answers_that_are_kept_are_read_without_what_works_them_out(sample: Path, arguments: tuple[str, ...]) -> None:
    loaded("--warehouse", sample, *arguments)
    assert not loaded("--warehouse", sample, *arguments) & {"numpy", "pyarrow"}


def test_a_module_that_is_left_out_is_not_loaded_and_can_be_afterwards() -> None:
    sys.modules.pop("this", None)
    with without("this"):
        with pytest.raises(ImportError, match="left out"):
            __import__("this")
        assert "this" not in sys.modules
    __import__("this")
    with without("this"):
        __import__("this")  # what is loaded stays


def test_who_asks_for_it_again_and_again_is_let_in() -> None:
    sys.modules.pop("colorsys", None)
    with without("colorsys"):
        for _ in range(PATIENCE):
            with pytest.raises(ImportError):
                __import__("colorsys")
        __import__("colorsys")
