"""`whosends findings` and `whosends audit`, as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.conftest import Whosends, write_misaligned, write_month
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings


@pytest.fixture
def broken(whosends: Whosends, home: Path) -> Path:
    """A month of fresh reports with a sender that does not align."""
    folder, path = write_month(home / "month"), home / "broken.duckdb"
    write_misaligned(folder)
    assert whosends("ingest", folder, "--warehouse", path).code == 0
    return path


def first(whosends: Whosends, path: Path) -> dict[str, object]:
    return whosends("findings", "--warehouse", path, "--json").document["findings"][0]


def test_the_list_says_what_to_do_and_fails_a_script_when_asked_to(whosends: Whosends, broken: Path) -> None:
    ran = whosends("findings", "--warehouse", broken)
    assert ran.code == 0
    assert ran.out.splitlines()[0].split() == ["ID", "SEVERITY", "STATE", "FINDING", "OWNER", "DAYS", "MESSAGES"]
    worst = first(whosends, broken)
    assert worst["state"] == "open"
    fails = [whosends("findings", "--warehouse", broken, "--fail-on", bound).code for bound in ("info", "critical")]
    assert fails == [1, int(worst["severity"] == "critical")]


def test_a_finding_is_assigned_noted_snoozed_fixed_closed_and_opened_again(whosends: Whosends, broken: Path) -> None:
    key = first(whosends, broken)["id"]
    said = (
        ("assign", key, "Sales <b>"),
        ("note", key, "=HYPERLINK(1)\x1b[31m"),
        ("snooze", key),
        ("fixed", key),
        ("close", key, "--reason", "Ours, and harmless."),
        ("reopen", key),
    )
    for words in said:
        ran = whosends("findings", *words, "--warehouse", broken)
        assert ran.code == 0, ran.err
        assert "\x1b" not in ran.out
    shown = whosends("findings", "show", key, "--warehouse", broken, "--json").document
    assert shown["finding"]["owner"] == "Sales <b>"
    assert shown["finding"]["state"] == "open"
    actions = [entry["action"] for entry in shown["history"]]
    assert actions == [
        "finding.open", "finding.assign", "finding.note", "finding.snooze", "finding.fix", "finding.close",
        "finding.reopen",
    ]  # fmt: skip
    assert whosends("findings", "show", key, "--warehouse", broken).code == 0
    assert whosends("findings", "--owner", "nobody", "--warehouse", broken).out == ""


def test_a_clients_owner_is_the_owner_of_its_domains(whosends: Whosends, broken: Path, home: Path) -> None:
    file = home / "client.toml"
    file.write_text('[[client]]\nname = "A"\nowner = "Cleo"\n[[domain]]\nname = "example.com"\nclient = "A"\n', "utf-8")
    assert "Cleo" in whosends("status", "--warehouse", broken, "--config", file).out


def test_who_decides_is_whom_the_settings_name(whosends: Whosends, broken: Path, home: Path) -> None:
    file = home / "named.toml"
    file.write_text('[warehouse]\nuser = "ada"\n', "utf-8")
    options = ("--warehouse", broken, "--config", file)
    key = first(whosends, broken)["id"]
    assert whosends("findings", "note", key, "seen", *options).code == 0
    entries = whosends("audit", *options, "--json", "--subject", key).document["entries"]
    assert {one["actor"] for one in entries if one["action"] == "finding.note"} == {"ada"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nothing"), "There is no finding 'nothing'"),
        (("snooze", "ID", "--until", "2020-01-01"), "is over"),
        (("fixed", "ID", "--on", "2999-01-01"), "still to come"),
        (("note", "ID", "x" * 501), "501 characters"),
        (("reopen", "ID"), "is open already"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    whosends: Whosends, broken: Path, words: tuple[str, ...], said: str
) -> None:
    key = str(first(whosends, broken)["id"])
    ran = whosends("findings", *(key if word == "ID" else word for word in words), "--warehouse", broken)
    assert ran.code == 2
    assert said in ran.err


def test_no_reports_are_not_nothing_to_do(whosends: Whosends, home: Path) -> None:
    ran = whosends("findings", "--warehouse", home / "none.duckdb")
    assert ran.code == 2
    assert "There is no warehouse" in ran.err


TAMPERINGS = (
    "UPDATE journal SET actor = 'eve' WHERE entry_key = 2",
    'UPDATE journal SET after = \'{"state": "closed"}\' WHERE entry_key = 2',
    "UPDATE journal SET written_at = written_at + INTERVAL 1 DAY WHERE entry_key = 2",
    "DELETE FROM journal WHERE entry_key = 1",
    "UPDATE journal SET previous = '' WHERE entry_key = 2",
    "INSERT INTO journal SELECT * REPLACE (nextval('entry_key_seq') AS entry_key) FROM journal WHERE entry_key = 2",
)


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_journal_that_was_tampered_with_is_found_out(whosends: Whosends, broken: Path, tampering: str) -> None:
    key = first(whosends, broken)["id"]
    for word in ("a", "b"):
        whosends("findings", "note", key, word, "--warehouse", broken)
    whole = whosends("audit", "--verify", "--warehouse", broken, "--json")
    assert (whole.code, whole.document["broken_at"]) == (0, None)
    with Warehouse(broken, WarehouseSettings()).writing() as connection:
        connection.execute(tampering)
    ran = whosends("audit", "--verify", "--warehouse", broken, "--json")
    assert ran.code == 1
    assert ran.document["broken_at"] == (whole.document["entries"] + 1 if "INSERT" in tampering else 2)
    assert "broken at entry" in whosends("audit", "--verify", "--warehouse", broken).out


def test_a_journal_whose_end_was_cut_off_shows_by_its_hash(whosends: Whosends, broken: Path) -> None:
    key = first(whosends, broken)["id"]
    whosends("findings", "note", key, "kept", "--warehouse", broken)
    before = whosends("audit", "--verify", "--warehouse", broken, "--json").document
    with Warehouse(broken, WarehouseSettings()).writing() as connection:
        connection.execute("DELETE FROM journal WHERE entry_key = (SELECT max(entry_key) FROM journal)")
    ran = whosends("audit", "--verify", "--noted", before["last_hash"], "--warehouse", broken, "--json")
    after = ran.document
    assert (ran.code, after["entries"], after["broken_at"]) == (1, before["entries"] - 1, None)
    assert after["last_hash"] != before["last_hash"]
    assert (after["untold"], after["noted_gone"]) == ([key], True)
    said = whosends("audit", "--verify", "--noted", before["last_hash"], "--warehouse", broken).out
    assert "No entry has the hash that was noted" in said
    assert f"Not as the journal last told of them: {key}." in said
    # With the finding put back as well, only the hash that was noted elsewhere tells.
    with Warehouse(broken, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE finding SET note = NULL WHERE finding_key = ?", [key])
    assert whosends("audit", "--verify", "--warehouse", broken).code == 0
    assert whosends("audit", "--verify", "--noted", before["last_hash"], "--warehouse", broken).code == 1
    assert whosends("audit", "--verify", "--noted", after["last_hash"], "--warehouse", broken).code == 0
    assert whosends("audit", "--verify", "--noted", "x", "--warehouse", broken).code == 2
    listed = whosends("audit", "--warehouse", broken, "--subject", key, "--json").document["entries"]
    assert [entry["action"] for entry in listed] == ["finding.open"]


def test_a_fix_of_long_ago_is_judged_like_any_other(whosends: Whosends, broken: Path) -> None:
    assert whosends("sources", "approve", "198.51.100.7", "--warehouse", broken).code == 0
    found = whosends("findings", "--warehouse", broken, "--json").document["findings"]
    worst = next(one for one in found if one["kind"] == "alignment")
    assert whosends("findings", "fixed", worst["id"], "--on", "0001-01-01", "--warehouse", broken).code == 0
    ran = whosends("findings", "show", worst["id"], "--warehouse", broken, "--json")
    assert ran.code == 0, ran.err
    assert ran.document["finding"]["state"] == "open"
    assert ran.document["finding"]["reason"].startswith("The fix did not help")


def test_an_empty_choice_of_findings_is_no_good_news(whosends: Whosends, broken: Path, month: Path) -> None:
    assert "Nothing to do" not in whosends("findings", "--owner", "nobody", "--warehouse", broken).err
    assert "1 other finding" in whosends("findings", "--owner", "nobody", "--warehouse", month).err


def test_a_subject_without_entries_is_said_to_have_none(whosends: Whosends, broken: Path) -> None:
    first(whosends, broken)
    assert "no entry about this" in whosends("audit", "--subject", "nothing", "--warehouse", broken).err


def test_status_tells_of_what_waits_and_for_whom(whosends: Whosends, broken: Path) -> None:
    def line() -> tuple[str, str | None]:
        (domain,) = whosends("status", "--warehouse", broken, "--json").document["domains"]
        return domain["top_issue"], domain["owner"]

    worst = first(whosends, broken)
    assert line() == (worst["title"], None)
    assert whosends("findings", "assign", worst["id"], "Sales", "--warehouse", broken).code == 0
    assert line() == (worst["title"], "Sales")
    assert whosends("findings", "snooze", worst["id"], "--warehouse", broken).code == 0
    assert line()[0] != worst["title"]
