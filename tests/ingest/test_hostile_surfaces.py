"""Hostile messages through the loader into a warehouse, and out of every surface: nothing that comes out acts."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app import exitcodes
from app.cli import main
from ingest.outcome import Duplicate, NotAReport, Outcome, Quarantined, Stored
from tests.ingest.hostile import ATTACKS
from tests.ingest.hostile_fields import FIELDS, MARK
from tests.warehouse.build import ListInput, loader, message, warehouse, xml
from warehouse.load import LoadSummary, load

SMALL = 2**20
# All but line ends: controls of both sets, bidirectional marks, what has no width, separators.
ACTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
FORMULA = re.compile(r"[=+@\t\r]|-(?![0-9.]*$)")
TABLES = (
    "aggregate_report", "aggregate_record", "address", "daily", "message", "quarantine", "tls_report", "tls_policy",
    "tls_failure", "failure_report", "delivery_status",
)  # fmt: skip
QUESTIONS = (
    ["status"], ["sources"], ["drift"], ["readiness", "example.com"], ["reporters"], ["tls"], ["failures"], ["bounces"],
    ["quarantine", "list"], ["quarantine", "show", "1"],
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Outcome], LoadSummary]:
    """A warehouse that every small attack and every attacked field was loaded into, beside a plain report."""
    folder = tmp_path_factory.mktemp("hostile")
    target = warehouse(folder)
    raws = {"a plain report": xml()} | FIELDS
    raws |= {name: raw for name, (build, _) in ATTACKS.items() if len(raw := _built(name, build)) <= SMALL}
    # The same mail twice would be a duplicate: what many attacks share is one report.
    source = ListInput([[message(raw, f"{name}\x1b[2J\u202e") for name, raw in raws.items()]])
    summary = load(source, loader(target))
    outcomes = {m.origin.removesuffix("\x1b[2J\u202e"): outcome for m, outcome in source.told}
    return folder / "warehouse.duckdb", outcomes, summary


def _built(name: str, build: object) -> bytes:
    """Small ones only: the others are measured elsewhere, and take seconds to make."""
    large = re.search(r"MB|MiB|GB|million|\d0,000|members", name)
    return bytes(SMALL + 1) if large else build()  # type: ignore[operator, no-any-return]


Whosends = Callable[..., str]


@pytest.fixture
def whosends(
    hostile: tuple[Path, object, object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Whosends:
    """What the program prints of that warehouse, in this process; what it says beside is looked at here."""
    monkeypatch.chdir(hostile[0].parent)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        code = main([*arguments, "--warehouse", str(hostile[0]), "--offline"])
        out, err = capsys.readouterr()
        assert code in (exitcodes.OK, exitcodes.FOUND, exitcodes.UNKNOWN), err
        assert not ACTIVE.search(err)
        return out

    return run


def test_every_message_ends_once_and_as_expected(hostile: tuple[Path, dict[str, Outcome], LoadSummary]) -> None:
    _, outcomes, summary = hostile
    assert summary.seen == len(outcomes) > 200
    assert summary.seen == summary.stored + summary.duplicates + summary.quarantined + summary.not_reports
    for name, outcome in outcomes.items():
        ended = "stored"
        match outcome:
            case Quarantined(reason):
                ended = str(reason)
            case NotAReport():
                ended = "not_a_report"
            case Stored() | Duplicate():
                pass
        expected = ATTACKS[name][1] if name in ATTACKS else ()
        # Two attacks around one report differ in what it says: that is told as a conflict.
        assert ended != "unexpected", name
        assert not expected or ended in (*expected, "conflict" if "stored" in expected else ""), name


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_answers_as_text_and_as_json_are_inert(whosends: Whosends, question: list[str]) -> None:
    assert not ACTIVE.search(whosends(*question))
    assert not ACTIVE.search(_strings(json.loads(whosends(*question, "--json"))))


def _strings(value: object) -> str:
    """All texts in a document, but for a message's own beginning, which JSON keeps as it is and escapes."""
    if isinstance(value, dict):
        return "".join(_strings(inner) for name, inner in value.items() if name not in ("beginning", "origin"))
    if isinstance(value, list):
        return "".join(map(_strings, value))
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("table", TABLES)
def test_tables_as_csv_hold_no_formula(whosends: Whosends, table: str) -> None:
    rows = list(csv.reader(io.StringIO(whosends("export", table))))
    assert len(rows) > 1
    for row in rows[1:]:
        assert not [cell for cell in row if FORMULA.match(cell)]


class _Page(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {f"{name}={value}" for name, value in attrs}


@pytest.mark.parametrize("form", ["html", "md", "csv"])
def test_the_weekly_summary_is_inert(whosends: Whosends, form: str) -> None:
    weeks = ("2024-W01", "2026-W47")
    for said in (whosends("report", "weekly", "--format", form, "--week", week) for week in weeks):
        assert not ACTIVE.search(said)
        if form == "html":
            page = _Page()
            page.feed(said)
            assert "script" not in page.elements
            assert not [one for one in page.attributes if MARK in one or "javascript:" in one or one.startswith("on")]
        if form == "csv":
            assert not [cell for row in csv.reader(io.StringIO(said)) for cell in row if FORMULA.match(cell)]


def test_attacks_reach_the_surfaces_at_all(whosends: Whosends) -> None:
    """Else nothing above would have been tested."""
    assert MARK in whosends("export", "aggregate_report")
    assert MARK in whosends("sources", "--json")
