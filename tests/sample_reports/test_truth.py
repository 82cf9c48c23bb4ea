"""The truth agrees with an independent reading of the files."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import maxminddb
import pytest

from tests.sample_reports.reading import Read, Record, documents

Truth = dict[str, Any]
Files = dict[str, list[Read]]


def alignment(records: list[Record]) -> dict[str, int]:
    return {
        "messages": sum(r.messages for r in records),
        "aligned": sum(r.messages for r in records if r.dkim or r.spf),
        "dkim_aligned": sum(r.messages for r in records if r.dkim),
        "spf_aligned": sum(r.messages for r in records if r.spf),
    }


def day(report: Read) -> date:
    return datetime.fromtimestamp(report.begin, UTC).date()


def source_of(truth: Truth, domain: str, name: str) -> dict[str, Any]:
    (found,) = (s for s in truth["sources"] if s["domain"] == domain and s["name"] == name)
    return dict(found)


def event(truth: Truth, kind: str) -> dict[str, Any]:
    return dict(next(e for e in truth["events"] if e["kind"] == kind))


def test_totals(truth: Truth, reports: list[Read]) -> None:
    outcomes = Counter(entry["outcome"] for entry in truth["files"])
    records = [record for report in reports for record in report.records]
    kinds = Counter(entry["kind"] for entry in truth["files"] if "kind" in entry)
    assert truth["totals"] == {
        "messages_seen": len(truth["files"]),
        "stored": outcomes["stored"],
        "duplicates": outcomes["duplicate"],
        "quarantined": outcomes["quarantined"],
        "not_reports": outcomes["not_report"],
        "reports": len(reports) + kinds.total(),
        "tls_reports": kinds["tls_report"],
        "failure_reports": kinds["failure_report"],
        "notices": kinds["bounce"],
        "records": len(records),
        "messages": sum(record.messages for record in records),
    }


def test_every_file_is_listed(truth: Truth, folder: Path) -> None:
    there = [p.relative_to(folder).as_posix() for name in ("files", "mail") for p in (folder / name).iterdir()]
    assert [entry["path"] for entry in truth["files"]] == sorted(there)


def test_every_file_holds_what_the_truth_says(truth: Truth, by_file: Files) -> None:
    for entry in truth["files"]:
        found = [
            {
                "reporter": r.org_name,
                "domain": r.domain,
                "report_id": r.report_id,
                "begin": r.begin,
                "end": r.end,
                "records": len(r.records),
                "messages": sum(record.messages for record in r.records),
            }
            for r in by_file.get(entry["path"], [])
        ]
        assert found == entry["reports"], entry["path"]


def test_per_domain(truth: Truth, reports: list[Read]) -> None:
    for domain, said in truth["per_domain"].items():
        own = [report for report in reports if report.domain == domain]
        records = [record for report in own for record in report.records]
        assert said == {"reports": len(own), "records": len(records), **alignment(records)}


def test_per_source(truth: Truth, reports: list[Read]) -> None:
    records: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for report in reports:
        for record in report.records:
            records[report.domain, record.source_ip].append(record)
    for source in truth["sources"]:
        own = [record for ip in source["ips"] for record in records.pop((source["domain"], ip))]
        assert alignment(own) == {key: source[key] for key in alignment([])}, source["name"]
    assert not records, "every address belongs to exactly one source"


def test_first_and_last_day_lie_in_the_reports(truth: Truth, reports: list[Read]) -> None:
    for source in truth["sources"]:
        ips = set(source["ips"])
        own = [r for r in reports if r.domain == source["domain"] and any(x.source_ip in ips for x in r.records)]
        assert min(map(day, own)).isoformat() <= source["first_day"]
        assert source["first_day"] <= source["last_day"]
        assert source["last_day"] <= max(day(r) + timedelta(days=2) for r in own).isoformat()


def test_outcomes(truth: Truth, by_file: Files, folder: Path) -> None:
    entries = {entry["path"]: entry for entry in truth["files"]}
    stored = {r.identity: r for path, e in entries.items() if e["outcome"] == "stored" for r in by_file.get(path, [])}
    duplicates = [e for e in entries.values() if e["outcome"] == "duplicate"]
    assert len(duplicates) == 7
    for entry in duplicates:
        assert by_file[entry["path"]] == by_file[entry["duplicate_of"]]
        assert entry["duplicate_of"] < entry["path"]
    (conflict,) = (path for path, e in entries.items() if e.get("reason") == "conflict")
    (resent,) = by_file[conflict]
    assert resent != stored[resent.identity]
    assert alignment(list(resent.records)) == alignment(list(stored[resent.identity].records))
    (truncated,) = (path for path, e in entries.items() if e.get("reason") == "truncated")
    with pytest.raises(EOFError):
        documents(folder / truncated)
    others = [path for path, e in entries.items() if e["outcome"] == "not_report"]
    assert [by_file[path] for path in others] == [[], []]
    assert [len(reports) for reports in by_file.values() if len(reports) > 1] == [2]


def test_the_offline_database_names_every_sender(truth: Truth) -> None:
    path = str(resources.files("parsedmarc.resources.ipinfo") / "ipinfo_lite.mmdb")
    with maxminddb.open_database(path) as database:
        for source in truth["sources"]:
            owners = {_owner(database, ip) for ip in source["ips"]}
            assert owners <= set(source["as_domains"]), source["name"]
            if source["kind"] != "spoofing":
                assert owners == set(source["as_domains"])


def _owner(database: maxminddb.Reader, ip: str) -> str:
    assert ipaddress.ip_address(ip).is_global
    row = database.get(ip)
    assert isinstance(row, dict)
    return str(row["as_domain"])


def test_no_two_sources_of_a_domain_share_an_owner(truth: Truth) -> None:
    for domain in truth["per_domain"]:
        owners = Counter(o for s in truth["sources"] if s["domain"] == domain for o in s["as_domains"])
        assert set(owners.values()) == {1}


def test_policy_as_published(truth: Truth, reports: list[Read]) -> None:
    for known in truth["domains"]:
        for report in reports:
            if report.domain != known["domain"]:
                continue
            # Reporters take up to a day to notice, and one of them writes about three days at once.
            span = timedelta(seconds=report.end - report.begin)
            days = {day(report) - timedelta(days=1), day(report), (day(report) + span)}
            assert report.p in {policy_on(known, when) for when in days}


def policy_on(known: dict[str, Any], when: date) -> str:
    past = [h["p"] for h in known["policy_history"] if h["day"] <= when.isoformat()]
    return str((past or [known["policy_history"][0]["p"]])[-1])


def test_dispositions_follow_the_policy(truth: Truth, reports: list[Read]) -> None:
    change = date.fromisoformat(event(truth, "policy_change")["day"])
    main = event(truth, "policy_change")["domain"]
    quarantined: Counter[bool] = Counter()
    failed: Counter[bool] = Counter()
    for report in reports:
        if report.domain == main and report.org_name == "google.com":
            for record in report.records:
                if not (record.dkim or record.spf) and record.header_from == main:
                    failed[day(report) >= change] += record.messages
                    quarantined[day(report) >= change] += (record.disposition == "quarantine") * record.messages
    assert quarantined[False] == 0
    assert quarantined[True] > 0.85 * failed[True] > 1000
    allowed = {"none", "pass", "quarantine", "reject"}
    assert {r.disposition for report in reports for r in report.records} == allowed


@pytest.mark.parametrize("kind", ["drift_step", "drift_slide"])
def test_drift_begins_on_its_day(truth: Truth, reports: list[Read], kind: str) -> None:
    drift = event(truth, kind)
    ips = set(source_of(truth, drift["domain"], drift["source"])["ips"])
    started, ended = drift["day"], drift["ended_on"] or drift["day"]
    shares = {}
    for name, first, last in (("before", "", started), ("after", ended, "9")):
        own = [
            record
            for report in reports
            if report.domain == drift["domain"] and report.end - report.begin <= 86400
            if first <= day(report).isoformat() < last
            for record in report.records
            if record.source_ip in ips
        ]
        sums = alignment(own)
        shares[name] = round(sums["dkim_aligned"] / sums["messages"], 4)
    assert shares == {"before": drift["before"], "after": drift["after"]}
    assert shares["before"] > 0.98
    assert shares["after"] < 0.1


def test_the_silent_reporter(truth: Truth, reports: list[Read]) -> None:
    silence = event(truth, "reporter_silent")
    theirs = [report for report in reports if report.org_name == silence["reporter"]]
    assert max(map(day, theirs)) == date.fromisoformat(silence["day"]) - timedelta(days=1)


def test_the_burst_is_a_burst(truth: Truth, reports: list[Read]) -> None:
    burst = event(truth, "spoofing_burst")
    source = source_of(truth, burst["domain"], burst["source"])
    assert (source["first_day"], source["last_day"]) == (burst["day"], burst["ended_on"])
    assert source["aligned"] == 0
    assert len(source["ips"]) > 200
    assert burst["after"] > 500
    assert {o for s in truth["sources"] if s["kind"] == "spoofing" for o in s["as_domains"]} >= set(burst["as_domains"])


def test_forwarders_carry_several_selectors(truth: Truth, reports: list[Read]) -> None:
    for name in ("hoster-forwarding", "alumni-forwarding"):
        ips = set(source_of(truth, "northlight.example", name)["ips"])
        selectors = {
            selector
            for report in reports
            for record in report.records
            if record.source_ip in ips
            for domain, selector, _ in record.dkim_results
            if selector and domain.endswith("northlight.example")
        }
        assert len(selectors) >= 5


def test_reporters_differ_as_they_do(truth: Truth, reports: list[Read], folder: Path) -> None:
    assert len({report.org_name for report in reports}) >= 11
    assert {report.namespace for report in reports} == {
        "",
        "http://dmarc.org/dmarc-xml/0.1",
        "urn:ietf:params:xml:ns:dmarc-2.0",
    }
    endings = Counter("".join(path.suffixes[-1:]) for path in (folder / "files").iterdir())
    assert set(endings) == {".gz", ".zip", ".xml"}
    assert any(report.end - report.begin > 2 * 86400 for report in reports)
    reasons = {reason for report in reports for record in report.records for reason in record.reasons}
    assert reasons >= {"forwarded", "mailing_list", "local_policy", "trusted_forwarder", "other"}


def test_the_readme_tells_the_same_story(truth: Truth, folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    for happening in truth["events"]:
        assert f"`{happening['kind']}`" in text
        assert happening["kind"] == "spoofing_drip" or happening["day"] in text
    for source in truth["sources"]:
        assert f"| {source['name']} |" in text
        assert f"| {source['kind']} |" in text
    for known in truth["domains"]:
        assert f"`{known['domain']}`" in text
