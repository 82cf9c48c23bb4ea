"""The sample organisation: every source, the forecast and the week against what is really so."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.bounces import bounces
from analysis.findings import findings
from analysis.identity import Identifier
from analysis.readiness import readiness
from analysis.settings import AnalysisSettings
from analysis.sources import Source, sources
from analysis.weekly import weekly
from ingest.inputs.files import FileInput
from ingest.network import NetworkDatabase, ServiceMap
from ingest.settings import UnpackLimits
from warehouse import reads_sources
from warehouse.connect import Warehouse
from warehouse.load import Loader, load
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

SAMPLE = Path(__file__).parents[2] / "sample_reports"
MAIN, SHOP, CLUB = "northlight.example", "northlight-shop.example", "northlight-club.example"
LAST, TODAY = date(2026, 11, 22), date(2026, 11, 24)
SETTINGS = AnalysisSettings()

pytestmark = pytest.mark.xdist_group("sample")


@pytest.fixture(scope="module")
def truth() -> Any:
    return json.loads((SAMPLE / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    target = Warehouse(tmp_path_factory.mktemp("sample") / "warehouse.duckdb", WarehouseSettings())
    identifier, limits = Identifier(NetworkDatabase(), ServiceMap()), UnpackLimits()
    loader = Loader(target, limits, identifier.identify, lambda: datetime(2026, 11, 24, 8))  # noqa: DTZ001 - UTC
    load(FileInput([SAMPLE / "mail", SAMPLE / "files"], limits), loader)
    return target


@pytest.fixture(scope="module")
def found(warehouse: Warehouse) -> list[Source]:
    return sources(warehouse, Scope(), TODAY, SETTINGS.sources)


@pytest.fixture(scope="module")
def kinds(warehouse: Warehouse, truth: Any) -> dict[tuple[str, str], str]:
    """What each source really is, by most of its messages."""
    by_ip = {(source["domain"], ip): source["kind"] for source in truth["sources"] for ip in source["ips"]}
    with warehouse.reading() as connection:
        rows = reads_sources.source_addresses(connection, Scope())
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows.iter_rows(named=True):
        kind = by_ip[row["domain"], row["source_ip"]]
        counts[row["domain"], row["source_key"]][kind] += row["messages"]
    return {key: kind.most_common(1)[0][0] for key, kind in counts.items()}


def test_every_bounce_is_of_its_kind_and_known_by_who_refused(warehouse: Warehouse, truth: Any) -> None:
    _, groups = bounces(warehouse, Scope())
    names = ("domain", "kind", "provider", "recipients")
    told = [tuple(row[name] for name in names) for row in truth["other_kinds"]["bounces"]]
    assert sorted(groups.select(names).iter_rows()) == sorted(told)
    repeated = groups.filter(pl.col("pattern") & pl.col("kind").is_in(["authentication", "policy"]))
    refusing = {event["provider"] for event in truth["events"] if event["kind"].startswith("provider_")}
    assert refusing <= set(repeated["provider"])


def test_every_source_has_one_operator(found: list[Source]) -> None:
    assert {source.as_domain for source in found if source.domain == MAIN} >= {"microsoft.com", "mailjet.com"}
    assert len({(source.domain, source.source_key) for source in found}) == len(found)


def test_every_operator_of_the_truth_is_found_with_its_messages(found: list[Source], truth: Any) -> None:
    told: Counter[tuple[str, str | None]] = Counter()
    for source in found:
        told[source.domain, source.as_domain] += source.messages
    real: Counter[tuple[str, str]] = Counter()
    for source in truth["sources"]:
        if len(source["as_domains"]) == 1:
            real[source["domain"], source["as_domains"][0]] += source["messages"]
    assert {key: told[key] for key in real} == dict(real)


def test_no_sender_forwarder_or_list_is_taken_for_something_else(
    found: list[Source], kinds: dict[tuple[str, str], str]
) -> None:
    wrong = [
        (source.name, source.kind, kinds[source.domain, source.source_key])
        for source in found
        if kinds[source.domain, source.source_key] not in (source.kind, "spoofing")
    ]
    assert wrong == []


def test_spoofing_is_found_and_nothing_else_is_called_so(
    found: list[Source], kinds: dict[tuple[str, str], str]
) -> None:
    # What is not found are single machines with few messages at the end of a month: those stay unknown,
    # since a forgotten billing system looks just the same.
    forged = [source for source in found if kinds[source.domain, source.source_key] == "spoofing"]
    called = [source for source in forged if source.kind == "spoofing"]
    assert {source.kind for source in forged} <= {"spoofing", "unknown"}
    assert len(called) >= 0.85 * len(forged)
    assert sum(source.messages for source in called) >= 0.95 * sum(source.messages for source in forged)
    assert all(source.messages < 100 for source in forged if source.kind == "unknown")


def test_who_is_sure_is_right(found: list[Source], kinds: dict[tuple[str, str], str]) -> None:
    right = [source.kind == kinds[source.domain, source.source_key] for source in found if source.confidence >= 0.8]
    assert len(right) > 0.7 * len(found)
    assert sum(right) >= 0.98 * len(right)


def test_reject_would_have_lost_what_the_reports_say(warehouse: Warehouse) -> None:
    answer = readiness(warehouse, MAIN, "reject", TODAY, SETTINGS)
    with warehouse.reading() as connection:
        failing = reads_sources.blockable(connection, Scope((MAIN,), answer.since, answer.until))["messages"].sum()
    parts = (
        answer.legitimate_blocked,
        answer.forwarded_blocked,
        answer.spoofing_blocked,
        answer.undecided_blocked,
    )
    assert sum(parts) == failing == sum(source.would_block for source in answer.sources)
    assert [source.name for source in answer.sources[:3]] == ["Mailjet", "Salesforce", "Brevo"]
    assert answer.verdict == "stop"
    states = {gate.id: gate.state for gate in answer.gates}
    assert states["legitimate_mail"] == states["drift"] == states["subdomains"] == states["decided"] == "stop"


def test_the_club_is_at_reject_and_loses_nothing(warehouse: Warehouse) -> None:
    answer = readiness(warehouse, CLUB, "reject", TODAY, SETTINGS)
    assert (answer.already, answer.verdict, answer.legitimate_blocked) == (True, "go", 0)


def test_the_lost_senders_come_first_and_the_stopped_wave_last(warehouse: Warehouse) -> None:
    todo = findings(warehouse, Scope((MAIN,)), TODAY, SETTINGS)
    assert [(finding.code, finding.severity) for finding in todo[:2]] == [("alignment_lost", "critical")] * 2
    assert [finding.title.split()[0] for finding in todo[:3]] == ["Mailjet", "Salesforce", "Brevo"]
    [wave] = [finding for finding in todo if finding.code == "spoofing"]
    assert wave.severity == "info"
    # What only looks like trouble is none: a rotated key, more addresses, growth, peaks.
    assert not {"Microsoft 365", "Mailgun", "Twilio SendGrid"} & {finding.title.split(" s")[0] for finding in todo}


def test_the_unannounced_service_is_the_news_of_its_week(warehouse: Warehouse) -> None:
    answer = weekly(warehouse, "2026-W45", TODAY, SETTINGS, (MAIN,))
    assert [source.name for source in answer.new_sources][:1] == ["Brevo"]
    assert answer.silent_reporters == ("gmx.net",)
