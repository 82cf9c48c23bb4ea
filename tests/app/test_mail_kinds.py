"""tls, failures, bounces: what programs rely on, how each ends, and that strangers' text stays inert."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.bounces import bounces
from app import exitcodes
from tests.app.conftest import Whosends, write_month
from warehouse.connect import Warehouse
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

CASES = Path(__file__).parents[1] / "cases"
CHOSEN = {
    "tls": ("001", "002", "009", "030"),
    "failure": ("001", "006", "013", "020"),
    "dsn": ("001", "003", "011", "020", "034"),
}
COMMANDS = ("tls", "failures", "bounces")


@pytest.fixture
def mixed(whosends: Whosends, home: Path) -> Path:
    """A warehouse of some reports of each of the three kinds."""
    folder, path = home / "mixed", home / "mixed.duckdb"
    folder.mkdir()
    for kind, numbers in CHOSEN.items():
        for case in (CASES / kind).iterdir():
            if case.name[:3] in numbers and ".expected." not in case.name:
                # The cases are all of one day's report; here each is a report of its own.
                raw = case.read_bytes().replace(b"2026-11-20T00:00:00Z_", case.name[:3].encode())
                (folder / f"{kind}-{case.name}").write_bytes(raw)
    ran = whosends("ingest", folder, "--warehouse", path)
    assert ran.code == exitcodes.OK, ran.err
    assert "Among the reports: 4 TLS reports, 4 failure reports, 5 bounces" in ran.out
    return path


def test_ingest_counts_each_kind(whosends: Whosends, home: Path) -> None:
    ran = whosends("ingest", CASES / "dsn" / "001-postfix-user-unknown.eml", "--warehouse", home / "a.duckdb", "--json")
    assert {
        name: ran.document[name] for name in ("stored", "reports", "tls_reports", "failure_reports", "notices")
    } == {
        "stored": 1,
        "reports": 1,
        "tls_reports": 0,
        "failure_reports": 0,
        "notices": 1,
    }


def test_tls(whosends: Whosends, mixed: Path) -> None:
    ran = whosends("tls", "--warehouse", mixed, "--json", "--domain", "Example.com.")
    assert ran.code == exitcodes.OK
    assert set(ran.document) == {"schema_version", "policies", "failures", "days"}
    assert {row["domain"] for row in ran.document["policies"]} == {"example.com"}
    assert sum(row["failed_sessions"] for row in ran.document["policies"]) == 303 + 2 + 4
    assert ran.document["failures"][0]["result_type"] == "starttls-not-supported"
    assert ran.document["days"][0]["day"] == "2026-11-20"
    text = whosends("tls", "--warehouse", mixed)
    assert text.out.splitlines()[0].split()[:4] == ["DOMAIN", "POLICY", "ENCRYPTED", "FAILED"]
    assert "news.example.com" in text.out


def test_failures(whosends: Whosends, mixed: Path) -> None:
    ran = whosends("failures", "--warehouse", mixed, "--json")
    assert ran.code == exitcodes.OK
    assert set(ran.document) == {"schema_version", "sources", "reports"}
    assert {row["source_ip"] for row in ran.document["sources"]} == {"203.0.113.7", "203.0.113.68"}
    assert {row["feedback_type"] for row in ran.document["reports"]} == {"auth-failure"}
    complaints = whosends("failures", "--warehouse", mixed, "--json", "--complaints").document
    assert [row["feedback_type"] for row in complaints["reports"]] == ["abuse"]
    text = whosends("failures", "--warehouse", mixed, "--reports")
    assert text.out.splitlines()[0].split()[:3] == ["ARRIVED", "DOMAIN", "SOURCE"]


def test_bounces(whosends: Whosends, mixed: Path) -> None:
    ran = whosends("bounces", "--warehouse", mixed, "--json")
    assert ran.code == exitcodes.OK
    assert set(ran.document) == {"schema_version", "groups", "deliveries", "days", "recipients"}
    assert {row["code"] for row in ran.document["deliveries"]} >= {"5.1.1", "5.7.26", "5.2.2", "4.7.28"}
    assert len(ran.document["recipients"]) == 8
    text = whosends("bounces", "--warehouse", mixed, "--codes")
    assert text.out.splitlines()[0].split()[:4] == ["DOMAIN", "ACTION", "CODE", "SMTP"]
    assert "bad destination mailbox address" in text.out
    assert len(whosends("bounces", "--warehouse", mixed, "--recipients").out.splitlines()) == 9


def test_bounces_tell_kinds_and_patterns_as_the_page_does(whosends: Whosends, mixed: Path) -> None:
    told = whosends("bounces", "--warehouse", mixed, "--json").document["groups"]
    _, groups = bounces(Warehouse(mixed, WarehouseSettings()), Scope())
    assert sorted((row["kind"], row["provider"], row["recipients"], row["pattern"]) for row in told) == sorted(
        groups.select("kind", "provider", "recipients", "pattern").rows()
    )
    assert {"authentication", "hard", "throttled", "soft"} <= {row["kind"] for row in told}
    lines = whosends("bounces", "--warehouse", mixed).out.splitlines()
    assert lines[0].split()[:2] == ["KIND", "WHO"]
    assert [line.split()[0] for line in lines[1:]] == [row["kind"] for row in told]
    assert all(("pattern" if row["pattern"] else "single") in line for row, line in zip(told, lines[1:], strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_unknown_and_said(whosends: Whosends, home: Path, command: str) -> None:
    path = home / "month.duckdb"
    assert whosends("ingest", write_month(home / "month"), "--warehouse", path).code == 0
    ran = whosends(command, "--warehouse", path)
    assert (ran.code, ran.out) == (exitcodes.UNKNOWN, "")
    assert "covers these days" in ran.err or "No bounce" in ran.err
    ran = whosends(command, "--warehouse", path, "--domain", "example.com")
    assert ran.code == exitcodes.USAGE


@pytest.mark.parametrize("command", COMMANDS)
def test_days_narrow_the_answer(whosends: Whosends, mixed: Path, command: str) -> None:
    assert whosends(command, "--warehouse", mixed, "--until", "2026-11-19").code == exitcodes.UNKNOWN
    assert (
        whosends(command, "--warehouse", mixed, "--since", "2026-11-20", "--until", "2026-11-20").code == exitcodes.OK
    )


@pytest.mark.parametrize(
    "arguments",
    [["failures"], ["failures", "--reports"], ["bounces"], ["bounces", "--codes"], ["bounces", "--recipients"]],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_strangers_text_is_inert_and_names_nobody(
    whosends: Whosends, mixed: Path, arguments: list[str], form: list[str]
) -> None:
    out = whosends(*arguments, *form, "--warehouse", mixed, "--all").out
    assert not {"\x1b", "\u202e", "\u200b", "\0"} & set(out)
    assert not [name for name in ("jane.doe", "orders.team", "victim.person", "bounce+ann") if name in out.lower()]


def test_privacy_is_a_setting(whosends: Whosends, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, path = CASES / "dsn" / "001-postfix-user-unknown.eml", home / "a.duckdb"
    monkeypatch.setenv("WHOSENDS_PRIVACY__BOUNCES", "full")
    assert whosends("ingest", case, "--warehouse", path).code == exitcodes.OK
    (recipient,) = whosends("bounces", "--warehouse", path, "--json").document["recipients"]
    assert recipient["recipient"] == "jane.doe@shop.example.org"
    monkeypatch.setenv("WHOSENDS_PRIVACY__BOUNCES", "some")
    ran = whosends("ingest", case, "--warehouse", path)
    assert ran.code == exitcodes.USAGE
    assert "redacted or full" in ran.err
