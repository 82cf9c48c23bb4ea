"""From files to answers, through the command as a person or a script runs it, against the truth of the sample."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_reports"
COMMAND = str(Path(sys.executable).with_name("whosends"))

pytestmark = pytest.mark.xdist_group("sample")


def whosends(*arguments: str, code: int = 0, **keywords: Any) -> Any:
    """The JSON that a command prints; fails where it ends otherwise than with `code`."""
    ran = subprocess.run(
        [COMMAND, *arguments, "--json"], capture_output=True, text=True, check=False, timeout=120, **keywords
    )
    assert ran.returncode == code, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def truth() -> Any:
    return json.loads((SAMPLE / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("flow") / "warehouse.duckdb")


@pytest.fixture(scope="module")
def ingested(warehouse: str) -> Any:
    return whosends("ingest", str(SAMPLE / "mail"), str(SAMPLE / "files"), "--warehouse", warehouse)


@pytest.fixture(scope="module")
def rows(ingested: Any, warehouse: str) -> Any:
    del ingested  # it fills the warehouse
    return lambda sql: whosends("query", sql, "--warehouse", warehouse)["rows"]


def test_every_file_ends_as_the_truth_says(ingested: Any, truth: Any) -> None:
    totals = dict(truth["totals"])
    assert ingested["seen"] == totals.pop("messages_seen")
    assert {name: ingested[name] for name in totals} == totals
    assert ingested["seen"] == sum(ingested[name] for name in ("stored", "duplicates", "quarantined", "not_reports"))
    assert {failure["reason"] for failure in ingested["failures"]} == {"conflict", "broken_archive"}


def test_reading_it_again_changes_nothing(ingested: Any, truth: Any, warehouse: str, rows: Any) -> None:
    again = whosends("ingest", "--warehouse", warehouse, str(SAMPLE / "files"), str(SAMPLE / "mail"))
    assert (again["stored"], again["reports"], again["messages"]) == (0, 0, 0)
    assert again["duplicates"] == ingested["stored"] + ingested["duplicates"]
    assert rows("SELECT sum(messages) AS n FROM aggregate_record") == [{"n": truth["totals"]["messages"]}]


def test_each_domain_has_its_sums(rows: Any, truth: Any) -> None:
    found = rows("""
        SELECT domain, count(DISTINCT report_key) AS reports, count(*) AS records, sum(messages) AS messages,
               sum(messages) FILTER (dkim_aligned) AS dkim_aligned, sum(messages) FILTER (spf_aligned) AS spf_aligned,
               sum(messages) FILTER (dkim_aligned OR spf_aligned) AS aligned
        FROM aggregate_record GROUP BY domain
    """)
    assert {row.pop("domain"): row for row in found} == truth["per_domain"]


def test_each_file_brought_its_own_reports(rows: Any, truth: Any) -> None:
    found = {
        (row["reporter"], row["domain"], row["report_id"], row["begin"], row["records"], row["messages"])
        for row in rows(
            "SELECT reporter, domain, report_id, epoch(begin_at)::BIGINT AS begin, records, messages"
            " FROM aggregate_report"
        )
    }
    stated = {
        (r["reporter"], r["domain"], r["report_id"], r["begin"], r["records"], r["messages"])
        for file in truth["files"]
        if file["outcome"] == "stored"
        for r in file["reports"]
    }
    assert found == stated


def test_the_rollup_says_the_same_as_the_records(rows: Any) -> None:
    # Spread reports move messages between days, never between anything else.
    columns = "domain, header_from, reporter, disposition, dkim_aligned, spf_aligned"
    sums = f"SELECT {columns}, sum(messages)::BIGINT AS n FROM {{}} GROUP BY ALL"
    difference = f"({sums.format('daily')} EXCEPT {sums.format('aggregate_record')})"
    assert rows(f"SELECT count(*) AS n FROM {difference}") == [{"n": 0}]


def test_no_report_is_recomputed_otherwise_than_the_reporter_said(rows: Any) -> None:
    disagree = "dkim_aligned <> dkim_recomputed OR spf_aligned <> spf_recomputed"
    assert rows(f"SELECT count(*) AS n FROM aggregate_record WHERE {disagree}") == [{"n": 0}]


def test_tls_reports_tell_the_sessions_of_the_truth(ingested: Any, truth: Any, warehouse: str) -> None:
    del ingested
    told = whosends("tls", "--warehouse", warehouse, "--days", "120")
    names = ("domain", "successful_sessions", "failed_sessions")
    assert [{name: row[name] for name in names} for row in told["policies"]] == truth["other_kinds"]["tls"]
    failed = {row["result_type"]: (row["failed_sessions"], row["first_day"]) for row in told["failures"]}
    events = {event["kind"]: (event["after"], event["day"]) for event in truth["events"]}
    assert failed["certificate-expired"] == events["tls_certificate_expired"]
    assert failed["sts-policy-fetch-error"] == events["tls_policy_unreachable"]


def test_failure_reports_are_stored_without_whom_they_name(rows: Any, truth: Any) -> None:
    told = [file["tells"] for file in truth["files"] if file.get("kind") == "failure_report"]
    found = rows("SELECT domain, source_ip, CAST(day AS VARCHAR) AS day FROM failure_report")
    assert sorted(map(str, found)) == sorted(
        str({name: one[name] for name in ("domain", "source_ip", "day")}) for one in told
    )
    (kept,) = rows("SELECT string_agg(to_json(failure_report)::VARCHAR) AS everything FROM failure_report")
    assert "seetal-net.example" in kept["everything"]
    assert not [name for name in ("bieri", "kuenzli", "buchung", "kundennummer") if name in kept["everything"].lower()]


def test_the_known_drifts_are_found_and_no_other_loss(rows: Any, truth: Any, warehouse: str) -> None:
    del rows
    drifts = whosends("drift", "--warehouse", warehouse, "--offline", code=1)["drifts"]
    losses = {d["as_domain"]: d for d in drifts if d["mechanism"] == "dkim" and d["after"] < d["before"]}
    events = {e["as_domain"]: e for e in truth["events"] if e["kind"].startswith("drift_")}
    assert losses.keys() == events.keys()
    for name, event in events.items():
        assert losses[name]["shape"] == event["kind"].removeprefix("drift_")


def test_p_reject_is_stopped_by_what_the_sample_broke(rows: Any, warehouse: str, tmp_path: Path) -> None:
    del rows
    settings = tmp_path / "whosends.toml"
    settings.write_text("[readiness]\nstale_days = 1000000\n")  # the sample ends on a day of its own
    wish = ("--target", "reject", "--warehouse", warehouse, "--offline", "--config", str(settings))
    answer = whosends("readiness", "northlight.example", *wish, code=1)
    assert (answer["domain"], answer["target"], answer["verdict"]) == ("northlight.example", "reject", "stop")
    assert any(gate["state"] == "stop" for gate in answer["gates"])
    blocked = {source["as_domain"]: source for source in answer["sources"]}
    for name in ("mailjet.com", "salesforce.com", "sendinblue.com"):
        assert 0 < blocked[name]["would_block"] <= blocked[name]["messages"]
