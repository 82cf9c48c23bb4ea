"""status, sources, drift, readiness, report: what programs rely on, and how each ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import exitcodes
from app.commands.status import trend
from tests.analysis.world import World, days, usual
from tests.app.conftest import Whosends, write_month
from tests.warehouse.build import row, xml

SOURCE = {
    "domain", "source_key", "name", "service", "asn", "as_domain", "country", "ips", "messages", "aligned",
    "dkim_aligned", "spf_aligned", "first_seen", "last_seen", "kind", "confidence", "evidence", "decision",
}  # fmt: skip
DRIFT = {
    "domain", "source_key", "as_domain", "mechanism", "shape", "started_on", "before", "after", "messages", "p_value",
    "cause", "cause_sentence",
}  # fmt: skip
READINESS = {"schema_version", "domain", "target", "verdict", "days", "messages", "sources", "gates"}
BLOCKED = {"source_key", "as_domain", "kind", "would_block", "already_blocked"}
STATUS = {"domain", "policy", "target", "verdict", "messages", "aligned", "trend", "undecided", "top_issue", "owner"}


def by_domain(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["domain"]: row for row in rows}


def test_status_of_a_sound_domain_is_go(whosends: Whosends, month: Path) -> None:
    ran = whosends("status", "--warehouse", month, "--json")
    assert ran.code == exitcodes.OK, ran.out
    assert {"domains", "data_until", "reporters", "usual_reporters", "quarantined"} <= set(ran.document)
    (domain,) = ran.document["domains"]
    assert set(domain) >= STATUS
    assert (domain["verdict"], domain["messages"], domain["aligned"]) == ("go", 12000, 12000)
    text = whosends("status", "--warehouse", month)
    assert text.out.splitlines()[0].split()[:3] == ["DOMAIN", "POLICY", "VERDICT"]
    assert "100.0 %" in text.out
    assert "Data to " in text.err


def test_status_of_a_broken_domain_is_stop(whosends: Whosends, sample: Path, unhurried: Path) -> None:
    ran = whosends("status", "--warehouse", sample, "--config", unhurried, "--json")
    assert ran.code == exitcodes.FOUND
    assert by_domain(ran.document["domains"])["northlight.example"]["verdict"] == "stop"


def test_old_data_is_unknown_and_never_fine(whosends: Whosends, home: Path) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=90)
    old = home / "old.duckdb"
    assert whosends("ingest", write_month(home / "old", last=long_ago), "--warehouse", old).code == 0
    assert whosends("status", "--warehouse", old).code == exitcodes.UNKNOWN
    ran = whosends("readiness", "example.com", "--target", "reject", "--warehouse", old, "--json")
    assert ran.code == exitcodes.UNKNOWN
    assert ran.document["verdict"] == "unknown"
    # Days are counted from the newest data, so the month is there all the same.
    assert ran.document["messages"] == 12000


def test_an_empty_warehouse_is_unknown(whosends: Whosends, home: Path) -> None:
    (home / "empty").mkdir()
    empty = home / "empty.duckdb"
    assert whosends("ingest", home / "empty", "--warehouse", empty).code == 0
    ran = whosends("status", "--warehouse", empty)
    assert ran.code == exitcodes.UNKNOWN
    assert "No reports yet" in ran.err
    for command, key in (("sources", "sources"), ("drift", "drifts")):
        ran = whosends(command, "--warehouse", empty, "--json")
        assert (ran.code, ran.document[key]) == (exitcodes.UNKNOWN, [])
    assert "Too little data to tell" in whosends("drift", "--warehouse", empty).err
    assert whosends("readiness", "example.com", "--warehouse", empty).code == exitcodes.USAGE
    assert "No mail was reported" in whosends("report", "weekly", "--warehouse", empty).out


@pytest.mark.parametrize(
    "command", [["status"], ["sources"], ["drift"], ["readiness", "example.com"], ["report", "weekly"]]
)
def test_without_a_warehouse_it_says_what_to_do(whosends: Whosends, command: list[str]) -> None:
    ran = whosends(*command)
    assert ran.code == exitcodes.USAGE
    assert "whosends ingest" in ran.err


def test_sources_hold_what_programs_rely_on(whosends: Whosends, sample: Path) -> None:
    ran = whosends("sources", "--warehouse", sample, "--json", "--days", "120")
    assert ran.code == exitcodes.OK
    found = ran.document["sources"]
    assert all(set(source) >= SOURCE for source in found)
    sendgrid = next(source for source in found if source["source_key"] == "svc:sendgrid")
    assert sendgrid["domain"] == "northlight.example"
    assert sendgrid["kind"] == "aligned"
    assert sendgrid["first_seen"] == "2026-07-26"
    assert isinstance(sendgrid["evidence"], list)
    assert sendgrid["decision"] is None
    text = whosends("sources", "list", "--warehouse", sample)
    assert len(text.out.splitlines()) == 51
    assert "--all" in text.err


def test_sources_are_narrowed(whosends: Whosends, sample: Path) -> None:
    def keys(*options: str) -> list[dict[str, Any]]:
        return list(whosends("sources", "--warehouse", sample, "--json", *options).document["sources"])

    everything = keys()
    assert {source["kind"] for source in keys("--kind", "spoofing")} == {"spoofing"}
    shop = keys("--domain", "Northlight-Shop.example.")
    assert {source["domain"] for source in shop} == {"northlight-shop.example"}
    day = keys("--since", "2026-11-22", "--until", "2026-11-22")
    assert 0 < sum(source["messages"] for source in day) < sum(source["messages"] for source in everything)
    assert day == keys("--days", "1")
    assert keys("--since", "2020-01-01", "--until", "2020-01-02") == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--since", "yesterday"], "--since: 'yesterday' is no date."),
        (["--until", "2026-13-01"], "--until: '2026-13-01' is no date."),
        (["--since", "2026-11-02", "--until", "2026-11-01"], "--until 2026-11-01 is before --since 2026-11-02."),
        (["--since", "2026-11-02", "--days", "3"], "--since and --days both say where to begin."),
        (["--domain", "northlite.example"], "No report is about 'northlite.example'."),
    ],
)
def test_wrong_dates_and_domains_are_one_clear_sentence(
    whosends: Whosends, sample: Path, options: list[str], sentence: str
) -> None:
    for command in ("status", "sources", "drift"):
        ran = whosends(command, "--warehouse", sample, *options)
        assert ran.code == exitcodes.USAGE
        assert ran.err.splitlines()[0] == f"Error: {sentence}"
        assert len(ran.err.splitlines()) == 2


def test_an_unknown_domain_is_answered_with_the_known_ones(whosends: Whosends, sample: Path) -> None:
    assert "Did you mean 'northlight.example'?" in whosends("readiness", "northlite.example", "--warehouse", sample).err
    assert "Known are: northlight-club.example, " in whosends("readiness", "q.test", "--warehouse", sample).err


def test_a_clock_that_was_set_back_hides_no_data_where_reporters_agree(whosends: Whosends, home: Path) -> None:
    last = datetime.now(UTC) + timedelta(days=10)  # what a clock that is ten days behind makes of now
    whosends("ingest", write_month(home / "month", last=last), "-q")
    ran = whosends("status")
    assert f"Data to {last:%Y-%m-%d} (UTC)" in ran.err
    assert "clock says" in ran.err
    assert whosends("status", "--json").document["data_until"] == f"{last:%Y-%m-%d}"
    sources = whosends("sources", "--json").document["sources"]
    assert [(one["last_seen"], one["messages"]) for one in sources] == [(f"{last:%Y-%m-%d}", 4 * 30 * 100)]


def test_a_date_in_the_future_does_not_hide_the_data(whosends: Whosends, home: Path, month: Path) -> None:
    ahead = write_month(home / "ahead", last=datetime.now(UTC) + timedelta(days=3000))
    (file, *_) = sorted(ahead.glob("Yahoo*-0.xml"))
    assert whosends("ingest", file, "--warehouse", month).code == 0
    (source,) = whosends("sources", "--warehouse", month, "--json").document["sources"]
    assert source["messages"] == 12000


def test_drift_holds_what_programs_rely_on(whosends: Whosends, sample: Path) -> None:
    ran = whosends("drift", "--warehouse", sample, "--json")
    assert ran.code == exitcodes.FOUND
    assert all(set(drift) >= DRIFT for drift in ran.document["drifts"])
    mailjet = next(d for d in ran.document["drifts"] if d["as_domain"] == "mailjet.com" and d["mechanism"] == "dkim")
    assert mailjet["started_on"] == "2026-10-08"
    assert isinstance(mailjet["cause"], str)
    assert mailjet["shape"] == "step"
    text = whosends("drift", "--warehouse", sample)
    assert "Mailjet" in text.out


def test_stability_is_said(whosends: Whosends, month: Path) -> None:
    ran = whosends("drift", "--warehouse", month)
    assert ran.code == exitcodes.OK
    assert ran.err.startswith("Stable: ")
    assert whosends("drift", "--warehouse", month, "--json").document["drifts"] == []


def test_readiness_holds_what_programs_rely_on(whosends: Whosends, sample: Path, unhurried: Path) -> None:
    wish = ("readiness", "northlight.example", "--target", "reject", "--warehouse", sample, "--config", unhurried)
    ran = whosends(*wish, "--json")
    assert ran.code == exitcodes.FOUND
    assert set(ran.document) >= READINESS
    assert ran.document["verdict"] == "stop"
    assert all(set(source) >= BLOCKED for source in ran.document["sources"])
    assert all({"id", "state", "evidence", "fix", "owner"} <= set(gate) for gate in ran.document["gates"])
    text = whosends(*wish)
    assert text.out.startswith("northlight.example, p=quarantine to p=reject: stop")


def test_a_candidate_has_its_ledger(whosends: Whosends, sample: Path) -> None:
    wish = ("readiness", "northlight.example", "--candidate", "p=reject; sp=none; adkim=s", "--warehouse", sample)
    told = whosends(*wish, "--json").document
    assert (told["target"], told["ledger"]["record"], told["next"]) == (
        "reject", "v=DMARC1; p=reject; sp=none; adkim=s", None,
    )  # fmt: skip
    assert set(told["ledger"]["groups"]) == {"legitimate", "forwarded", "undecided", "spoofing"}
    counts = [entry["count"] for entry in told["ledger"]["entries"]]
    assert all(one["failing"] == one["refused"] + one["let_through"] + one["open"] for one in counts)
    assert all(one["low"] <= one["expected"] <= one["high"] for one in counts)
    assert "REFUSED (FACT)" in whosends(*wish).out


def test_the_next_record_keeps_the_tags(whosends: Whosends, month: Path) -> None:
    wish = ("readiness", "example.com", "--warehouse", month)
    assert "Next, in the TXT record at _dmarc.example.com: set p=reject; t=y." in whosends(*wish).out
    told = whosends(*wish, "--record", "v=DMARC1; p=quarantine; rua=mailto:a@b.example").out
    assert "\nv=DMARC1; p=reject; t=y; rua=mailto:a@b.example\n" in told


def test_forecasts_are_held_against_what_came(whosends: Whosends, sample: Path, month: Path) -> None:
    ran = whosends("readiness", "--backtest", "--warehouse", sample, "--json")
    assert (ran.code, len(ran.document["experiments"])) == (exitcodes.OK, 1)
    assert 0 <= ran.document["held"] <= 1
    none = whosends("readiness", "example.com", "--backtest", "--warehouse", month)
    assert (none.code, none.out) == (
        exitcodes.UNKNOWN, "No policy turned stricter in these reports, so there is nothing to test on.\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    "given", [["example.com", "--candidate", "p=block"], ["example.com", "--record", "\x1b[2J"], [],
              ["example.com", "--without-include", "spf.nobody.example"]],
)  # fmt: skip
def test_what_cannot_be_tried_is_a_sentence(whosends: Whosends, month: Path, given: list[str]) -> None:
    ran = whosends("readiness", *given, "--warehouse", month)
    assert ran.code == exitcodes.USAGE
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.err


def test_readiness_go_is_zero(whosends: Whosends, month: Path) -> None:
    ran = whosends("readiness", "EXAMPLE.com", "--target", "reject", "--warehouse", month, "--json")
    assert (ran.code, ran.document["verdict"]) == (exitcodes.OK, "go")


def test_the_target_comes_from_the_configuration(whosends: Whosends, month: Path) -> None:
    Path("whosends.toml").write_text("[[domain]]\nname = 'example.com'\ntarget = 'quarantine'\n")
    ran = whosends("readiness", "example.com", "--warehouse", month, "--json")
    assert ran.document["target"] == "quarantine"


def test_what_is_new_is_listed_with_what_to_ask_whom(whosends: Whosends, tmp_path: Path) -> None:
    world = World.at(tmp_path)
    usual(world, days(29))
    world.send("192.88.99.10", days(1), 40, dkim=(("crm.test", "k", "pass"),), spf=("b.crm.test", "pass"))
    path = world.save().path
    ran = whosends("sources", "--new", "--warehouse", path)
    assert ran.code == exitcodes.FOUND
    assert "as:crm.test" in ran.out
    assert "Ask " in ran.out
    assert "as:mailer.test" not in ran.out
    ran = whosends("sources", "--new", "--until", "2026-11-15", "--warehouse", path)
    assert (ran.code, ran.out) == (exitcodes.OK, "")


def test_decisions_are_recorded_and_taken_back(whosends: Whosends, month: Path) -> None:
    key = "net:192.0.2.0/24"

    def decided() -> dict[str, Any] | None:
        (source,) = whosends("sources", "--warehouse", month, "--json").document["sources"]
        decision = source["decision"]
        return dict(decision) if decision else None

    assert whosends("sources", "--undecided", "--warehouse", month).code == exitcodes.FOUND
    ran = whosends(
        "sources",
        "approve",
        key,
        "--owner",
        "IT",
        "--note",
        "ours",
        "--until",
        "2099-01-01",
        "--warehouse",
        month,
        "--json",
    )
    assert ran.code == 0
    assert ran.document["decided"][0]["decision"] == "approved"
    found = decided()
    assert found
    assert (found["decision"], found["owner"], found["note"], found["until"]) == (
        "approved",
        "IT",
        "ours",
        "2099-01-01",
    )
    assert found["decided_by"]
    assert whosends("sources", "--undecided", "--warehouse", month).code == exitcodes.OK
    for name, decision in (("forwarder", "forwarder"), ("spoof", "spoof"), ("retire", "retired")):
        assert whosends("sources", name, key, "-d", "example.com", "--warehouse", month).code == 0
        found = decided()
        assert found
        assert found["decision"] == decision
    assert whosends("sources", "undo", key, "--warehouse", month).code == 0
    found = decided()
    assert found
    assert found["decision"] == "spoof"


@pytest.mark.parametrize("name", ["approve", "undo"])
def test_a_decision_about_nothing_is_refused_and_nothing_is_kept(whosends: Whosends, month: Path, name: str) -> None:
    ran = whosends("sources", name, "net:192.0.2.0/24", "as:unknown.example", "--warehouse", month)
    assert ran.code == exitcodes.USAGE
    count = whosends("query", "SELECT count(*) AS n FROM source_decision", "--warehouse", month, "--json")
    assert count.document["rows"] == [{"n": 0}]
    ran = whosends(
        "sources", name, "net:192.0.2.0/24", "--until" if name == "approve" else "-d", "x", "--warehouse", month
    )
    assert ran.code == exitcodes.USAGE


@pytest.mark.parametrize("form", ["md", "html", "csv", "json"])
def test_report_weekly_in_each_format(whosends: Whosends, sample: Path, home: Path, form: str) -> None:
    printed = whosends("report", "weekly", "--week", "2026-W47", "--format", form, "--warehouse", sample)
    assert printed.code == exitcodes.OK
    written = whosends(
        "report",
        "weekly",
        "--week",
        "2026-W47",
        "--format",
        form,
        "--out",
        home / "out",
        "--warehouse",
        sample,
        "--json",
    )
    assert written.document["week"] == "2026-W47"
    assert (home / "out" / f"whosends-2026-W47.{form}").read_text("utf-8") == printed.out
    assert "northlight-shop.example" in printed.out


def test_report_weekly_as_a_document(whosends: Whosends, sample: Path) -> None:
    ran = whosends(
        "report", "weekly", "--week", "2026-W41", "--json", "-d", "northlight.example", "--warehouse", sample
    )
    assert {"week", "verdict", "subject", "headline", "findings", "new_sources", "drifts", "domains"} <= set(
        ran.document
    )
    assert [domain["domain"] for domain in ran.document["domains"]] == ["northlight.example"]
    assert all(isinstance(drift["cause"], str) for drift in ran.document["drifts"])


@pytest.mark.parametrize("week", ["2026-47", "2026-W54", "last", "2026-W00"])
def test_a_wrong_week_is_usage(whosends: Whosends, sample: Path, week: str) -> None:
    ran = whosends("report", "weekly", "--week", week, "--warehouse", sample)
    assert ran.code == exitcodes.USAGE
    assert "2026-W47" in ran.err


def test_the_trend_is_drawn() -> None:
    assert trend((0.0, 0.5, 1.0, None)) == "▁▅█·"


def test_one_report_is_too_little_for_any_praise(whosends: Whosends, home: Path) -> None:
    """A single message of yesterday: nothing is fine yet, and no sentence has an odd number in it."""
    begin = int((datetime.now(UTC) - timedelta(days=1)).replace(hour=0, minute=0, second=0).timestamp())
    (home / "one.xml").write_bytes(xml(row(count=1), begin=begin))
    path = home / "one.duckdb"
    assert whosends("ingest", home / "one.xml", "--warehouse", path).code == exitcodes.OK
    assert "whether they are enough" in whosends("findings", "--warehouse", path).err
    gates = whosends("readiness", "example.com", "--warehouse", path, "--json").document["gates"]
    (unseen,) = (gate for gate in gates if gate["id"] == "unseen")
    assert (unseen["state"], "0 senders" in unseen["evidence"]) == ("unknown", False)
    week = whosends("report", "weekly", "--week", "2020-W10", "--warehouse", path, "--json").document
    assert week["subject"] == "[Unknown] No domain W10: no mail was reported"
    text = whosends("report", "weekly", "--week", "2020-W10", "--warehouse", path).out
    assert "0 domains" not in text
    assert "- -" not in text
