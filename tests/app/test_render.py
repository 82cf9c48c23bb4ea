"""What reaches a screen, a pipe, a spreadsheet or a program is inert, whatever it was."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.base import Run
from app.logs import one_line
from app.render import BREAKS, INVISIBLE, Screen, clean, csv_cell, plain, said, share, to_json


class Word(StrEnum):
    GO = "go"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("two\nlines\r\nand\ttabs\u2028more", "two lines and tabs more"),
        ("moc.\u202eevil", "moc.evil"),
        ("a\u200bb\u200dc\ufeffd\xade", "abcde"),
        ("nul\x00bell\x07del\x7fc1\x9b31m", "nulbelldelc131m"),
        ("tag\U000e0041\ud800", "tag"),
        ("Zoë 株式会社 Ünïcode", "Zoë 株式会社 Ünïcode"),
        ("[bold]x[/bold] :smile:", "[bold]x[/bold] :smile:"),
    ],
)
def test_clean_text_is_one_harmless_line(text: str, harmless: str) -> None:
    assert clean(text) == harmless


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_invisible_is_left(text: str) -> None:
    cleaned = clean(text)
    assert not INVISIBLE.search(cleaned)
    assert not BREAKS.search(cleaned)
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(exclude_categories=())))
def test_json_is_inert_and_exact(text: str) -> None:
    written = to_json({"text": text})
    assert not INVISIBLE.search(written.replace("\n", ""))
    # Two lone halves side by side are one character in JSON; nothing else changes.
    assert json.loads(written)["text"].encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1+1", "＝1+1", "＠x"])
def test_a_formula_becomes_text(text: str) -> None:
    assert csv_cell(text) == "'" + text


def test_a_separator_of_another_country_begins_no_formula() -> None:
    assert csv_cell("CRM;=HYPERLINK(A1)") == "CRM;'=HYPERLINK(A1)"
    assert csv_cell("=a; =b\t@c") == "'=a;' =b\t'@c"


@pytest.mark.parametrize("value", ["plain", "p=none; sp=none", "a=b", "", -5, 1.5, None, True])
def test_what_is_no_formula_stays(value: object) -> None:
    assert csv_cell(value) == value


def test_values_as_programs_get_them() -> None:
    assert plain({"a": (date(2026, 11, 22), datetime(2026, 11, 22, 7, tzinfo=UTC)), 1: b"\x00\xff"}) == {
        "a": ["2026-11-22", "2026-11-22T07:00:00+00:00"],
        "1": "00ff",
    }
    assert plain([Decimal(3), Decimal("1.5"), float("nan"), float("inf"), Word.GO, 2**100]) == [
        3,
        1.5,
        None,
        None,
        "go",
        2**100,
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), ("", "-"), (True, "yes"), (1234567, "1,234,567"), (date(2026, 1, 2), "2026-01-02"), ([1], "[1]")],
)
def test_values_as_people_get_them(value: object, text: str) -> None:
    assert said(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 1, "100.0 %"),
        (99999, 100000, "99.9 %"),
        (1, 100000, "<0.1 %"),
        (0, 5, "0.0 %"),
        (1, 0, "-"),
        (1, 3, "33.3 %"),
    ],
)
def test_only_all_is_all_and_only_nothing_is_nothing(part: float, whole: float, text: str) -> None:
    assert share(part, whole) == text


def test_a_piped_table_is_aligned_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(Run({})).table(("Name", "Count"), [("株式会社", 1), ("\x1b[31mx[red]", 1000), (None, None)])
    assert capsys.readouterr().out.splitlines() == [
        "NAME      COUNT",
        "株式会社      1",
        "x[red]    1,000",
        "-             -",
    ]


def test_quiet_prints_no_notes(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run({})
    run.options["quiet"] = True
    Screen(run).note("beside")
    assert capsys.readouterr().err == ""


TABLE = """
from app.commands.base import Run
from app.render import Screen
Screen(Run({})).table(("A", "B"), [("[red]x[/red]", "stop"), ("\\x1b[2Jy", "go")])
"""


@pytest.mark.parametrize(
    ("variables", "coloured"), [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)]
)
def test_a_terminal_table_interprets_nothing(variables: dict[str, str], coloured: bool) -> None:
    environ = {"TERM": "xterm", "COLUMNS": "80", "PATH": "/usr/bin:/bin", **variables}
    done = subprocess.run([sys.executable, "-c", TABLE], capture_output=True, text=True, env=environ, check=True)
    assert "[red]x[/red]" in done.stdout
    assert "\x1b[2J" not in done.stdout
    assert ("\x1b[1;31m" in done.stdout) is coloured


def test_log_lines_cannot_be_forged() -> None:
    assert one_line("a\nerror app forged\x1b[0m\u202e") == "a\\u000aerror app forged\\u001b[0m\\u202e"
