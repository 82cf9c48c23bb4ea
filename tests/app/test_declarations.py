"""Decisions from the command line and as a file: names, round trips, mistakes by their line, exit codes."""

from __future__ import annotations

import json
import subprocess
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from analysis.declared import Declared, Match
from app import exitcodes
from app.commands.asking import today
from app.declarations import quoted, read, written
from ingest.errors import UsageError
from tests.app.conftest import PROGRAM, Whosends, write_month
from warehouse import journal
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

KEY = "net:192.0.2.0/24"
ENTRY = '[[source]]\ndomain = "example.com"\nkey = "net:192.0.2.0/24"\nverdict = "approved"\n'


def imported(whosends: Whosends, path: Path, text: str, *more: str) -> dict[str, Any]:
    Path("sources.toml").write_text(text, "utf-8")
    ran = whosends("sources", "import", "sources.toml", "--warehouse", path, "--json", *more)
    assert ran.code == 0, ran.err
    return ran.document


def current(whosends: Whosends, path: Path) -> list[dict[str, Any]]:
    sql = "SELECT domain, source_key, decision, owner, note, until, expects, cadence FROM current_decision"
    return list(whosends("query", sql, "--warehouse", path, "--json").document["rows"])


def test_before_and_after_are_printed_and_an_address_names_its_source(whosends: Whosends, month: Path) -> None:
    first = whosends("sources", "approve", "192.0.2.1", "--owner", "IT", "--warehouse", month, "--json")
    (made,) = first.document["decided"]
    assert (made["source_key"], made["before"], made["after"]["decision"]) == (KEY, None, "approved")
    (made,) = whosends("sources", "spoof", KEY, "--warehouse", month, "--json").document["decided"]
    assert made["before"]["decision"] == "approved"
    assert made["after"] == {**made["before"], "decision": "spoof"}, "the owner stays"
    said = whosends("sources", "undo", KEY, "--warehouse", month)
    assert said.out == f"{KEY} for example.com: spoof is taken back, approved counts again\n"
    assert "nothing is decided" in whosends("sources", "undo", KEY, "--warehouse", month).out
    assert whosends("sources", "undo", KEY, "--warehouse", month).code == exitcodes.USAGE


@pytest.mark.parametrize(("given", "code"), [(f"# ours\n{KEY}\n\n{KEY}\n", exitcodes.OK), ("", exitcodes.USAGE)])
def test_keys_from_standard_input(month: Path, given: str, code: int) -> None:
    command = [str(PROGRAM), "sources", "approve", "-", "--warehouse", str(month), "--json"]
    ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert ran.returncode == code
    assert len(json.loads(ran.stdout).get("decided", [])) == (code == exitcodes.OK)


def test_a_name_that_several_have_lists_them(whosends: Whosends, sample: Path) -> None:
    ran = whosends("sources", "approve", "metanet ag", "--warehouse", sample)
    assert ran.code == exitcodes.USAGE
    assert "net:94.126.16.0/24" in ran.err
    assert "net:2a00:1128:1:1::/64" in ran.err


def test_who_decides_can_be_configured_and_the_past_is_no_end(whosends: Whosends, month: Path) -> None:
    Path("whosends.toml").write_text('[warehouse]\nuser = "ops@example.com"\n', "utf-8")
    assert whosends("sources", "approve", KEY, "--warehouse", month).code == 0
    rows = whosends("query", "SELECT actor FROM journal", "--warehouse", month, "--json").document["rows"]
    assert [row["actor"] for row in rows] == ["ops@example.com"]
    ran = whosends("sources", "approve", KEY, "--until", "2020-01-01", "--warehouse", month)
    assert (ran.code, "over already" in ran.err) == (exitcodes.USAGE, True)


def test_an_expired_decision_is_shown_as_one(whosends: Whosends, month: Path) -> None:
    imported(whosends, month, ENTRY + "until = 2020-01-01\n")
    assert "expired decision" in whosends("sources", "--warehouse", month).out
    assert whosends("sources", "--undecided", "--warehouse", month).code == exitcodes.FOUND
    ran = whosends("sources", "check", "--warehouse", month, "--json")
    assert (ran.code, [one["kind"] for one in ran.document["deviations"]]) == (exitcodes.FOUND, ["expired"])


def test_import_says_what_changes_and_twice_is_nothing(whosends: Whosends, month: Path) -> None:
    text = ENTRY + 'owner = "IT"\nexpects = "dkim"\ncadence = "daily"\nnote = """two\nlines"""\n'
    dry = imported(whosends, month, text, "--dry-run")
    assert (dry["counts"]["created"], current(whosends, month)) == (1, [])
    assert imported(whosends, month, text)["counts"]["created"] == 1
    before = journalled(month)
    assert imported(whosends, month, text)["counts"]["unchanged"] == 1
    assert journalled(month) == before
    changed = imported(whosends, month, text.replace('"IT"', '"Ops"'))["sources"][0]
    assert (changed["ending"], changed["changes"], changed["line"]) == ("changed", ["owner"], 1)
    other = ENTRY.replace("192.0.2.0", "198.51.100.0")
    kept = imported(whosends, month, other)
    assert (kept["counts"]["created"], kept["counts"]["not_in_the_file"]) == (1, 1)
    assert kept["sources"][0]["unseen"]
    assert imported(whosends, month, other, "--replace")["counts"]["taken_back"] == 1
    assert [row["source_key"] for row in current(whosends, month)] == ["net:198.51.100.0/24"]


def journalled(path: Path) -> list[tuple[str, str]]:
    """What the log holds, which must be whole; an import names its file."""
    with Warehouse(path, WarehouseSettings()).reading() as connection:
        assert journal.verify(connection) is None
        rows = connection.execute("SELECT action, after->>'origin' FROM journal ORDER BY entry_key").fetchall()
    assert all(origin.startswith("sources.toml sha256:") for action, origin in rows if action == "source.import")
    return rows


@pytest.mark.parametrize(
    "note", ['"]]\n[[source]]\nkey = "x"', "\x1b[31m\u202e\u2028\x85\x7f", "'''\"\"\"\\", "=cmd()"]
)
def test_a_round_trip_changes_nothing_whatever_was_written(whosends: Whosends, month: Path, note: str) -> None:
    whosends("sources", "approve", KEY, "--note", note, "--owner", note, "--until", "2099-01-01", "--warehouse", month)
    before = current(whosends, month)
    assert whosends("sources", "export", "--out", "out.toml", "--warehouse", month).code == 0
    text = Path("out.toml").read_text("utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text
    ran = whosends("sources", "import", "out.toml", "--replace", "--warehouse", month, "--json")
    assert ran.document["counts"]["unchanged"] == 1
    assert current(whosends, month) == before
    assert before[0]["note"] == note


@hypothesis.given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_quoting(text: str) -> None:
    line = quoted(text)
    assert tomllib.loads(f"a = {line}") == {"a": text}
    assert "\n" not in line


def test_a_match_survives_writing_and_reading(tmp_path: Path) -> None:
    match = Match("Mailjet", "bounce.example.com", "example.com", "s1", ("192.0.2.0/24", "2001:db8::/32"))
    one = Declared("example.com", "approved", match=match, until=date(2027, 1, 1), cadence="quarterly")
    path = tmp_path / "s.toml"
    path.write_text(written([one], {}), "utf-8")
    (again,) = read(path).declared
    assert (again.match, again.until, again.cadence) == (one.match, one.until, one.cadence)


@pytest.mark.parametrize(("lines", "line", "said"), [
    ('verdict = "aproved"', 5, "one of approved, forwarder"),
    ('until = "soon"', 5, "a date like 2026-11-30"),
    ("until = 2026-11-30T10:00:00", 5, "a date"),
    ('ownr = "IT"', 5, "Did you mean 'owner'?"),
    ('expects = "arc"', 5, "one of dkim, spf, both"),
    ('cadence = "yearly"', 5, "one of daily"),
    ("owner = 3", 5, "text in quotes"),
    ('match = { service = "x" }', 1, "either a key or a match"),
    ('note = """\n[[source]]\n"""\nuntil = 1', 8, "a date"),
    ('\n[[source]]\ndomain = "example.com"\nkey = "net:192.0.2.0/24"\nverdict = "spoof"', 6, "on line 1 already"),
    ('\n[[source]]\ndomain = "example.com"\nverdict = "spoof"\nmatch = { addresses = "192.0.2.1/24" }', 9, "host bits"),
    ('\n[[source]]\ndomain = "example.com"\nverdict = "spoof"\nmatch = { selector = "s1" }', 9, "is anybody's"),
])  # fmt: skip
def test_mistakes_are_told_by_their_line(tmp_path: Path, lines: str, line: int, said: str) -> None:
    path = tmp_path / "s.toml"
    text = ENTRY.replace('verdict = "approved"\n', "") if lines.startswith("verdict") else ENTRY
    path.write_text(text + ("" if text == ENTRY else "# it follows\n") + lines, "utf-8")
    with pytest.raises(UsageError) as error:
        read(path)
    assert f", line {line}: " in error.value.message
    assert said in error.value.message


@pytest.mark.parametrize("raw", [b"[[source]", b"\xff\xfe", b"source = 3", b"[[sources]]\na = 1", b"version = 2"])
def test_what_is_no_such_file_is_one_sentence(whosends: Whosends, month: Path, raw: bytes) -> None:
    Path("bad.toml").write_bytes(raw)
    for command in ("import", "check"):
        ran = whosends("sources", command, "bad.toml", "--warehouse", month)
        assert (ran.code, ran.err.count("Error: ")) == (exitcodes.USAGE, 1)
    assert whosends("sources", "import", "missing.toml", "--warehouse", month).code == exitcodes.USAGE


def test_a_bad_entry_leaves_nothing_behind(whosends: Whosends, month: Path) -> None:
    two = ENTRY + ENTRY.replace('key = "net:192.0.2.0/24"', 'match = { addresses = ["192.0.2.1"] }')
    Path("two.toml").write_text(two, "utf-8")
    ran = whosends("sources", "import", "two.toml", "--warehouse", month)
    assert (ran.code, "Lines 1 and 5 both declare" in ran.err) == (exitcodes.USAGE, True)
    assert current(whosends, month) == []


def test_check_ends_as_it_found(whosends: Whosends, month: Path) -> None:
    assert whosends("sources", "check", "--warehouse", month).code == exitcodes.FOUND
    assert whosends("sources", "check", "--fail-on", "broken", "--warehouse", month).code == exitcodes.OK
    Path("s.toml").write_text(ENTRY + 'cadence = "daily"\nexpects = "both"\n', "utf-8")
    ran = whosends("sources", "check", "s.toml", "--warehouse", month, "--json")
    assert (ran.code, ran.document["deviations"], ran.document["failing"]) == (exitcodes.OK, [], [])
    assert json.loads(ran.out)["rhythms"][f"example.com {KEY}"]["word"] == "daily"
    assert ran.document["newest"] >= str(today())[:4]


def test_check_without_new_reports_is_unknown(whosends: Whosends, home: Path) -> None:
    old = home / "old.duckdb"
    write_month(home / "old", last=datetime.now(UTC) - timedelta(days=60))
    assert whosends("ingest", home / "old", "--warehouse", old).code == 0
    Path("s.toml").write_text(ENTRY, "utf-8")
    assert whosends("sources", "check", "s.toml", "--warehouse", old).code == exitcodes.UNKNOWN
