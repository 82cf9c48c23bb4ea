"""Every odd report that was met, beside what it must be read as: tests/cases/aggregate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import frame, markup, record
from ingest.reports.aggregate import parse
from tests.accept import expected_file
from tests.ingest.reports.answers import CASES, answer
from tests.ingest.writer import write

ALL = sorted(CASES.glob("*.xml"))


@pytest.mark.parametrize("case", ALL, ids=[case.stem for case in ALL])
def test_case(case: Path) -> None:
    expected = json.loads(expected_file(case).read_text("utf-8"))
    assert answer(case.read_bytes()) == expected


def test_every_expected_file_has_its_case() -> None:
    assert {expected_file(case) for case in ALL} == set(CASES.glob("*.json"))


def test_cases_are_numbered_without_gaps() -> None:
    assert [int(case.name[:3]) for case in ALL] == list(range(1, len(ALL) + 1))


def test_the_memory_of_shapes_changes_nothing() -> None:
    # In another order, and with every shape known from the first round.
    first = {case: answer(case.read_bytes()) for case in ALL}
    again = {case: answer(case.read_bytes()) for case in reversed(ALL)}
    record.forget()
    frame.frames.clear()
    fresh = {case: answer(case.read_bytes()) for case in reversed(ALL)}
    assert first == again == fresh


def long_report(records: int) -> bytes:
    one = {"header_from": "example.com", "disposition": "none", "dkim_aligned": True, "spf_aligned": False}
    rows = [
        {"source_ip": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "messages": n % 9 + 1, **one} for n in range(records)
    ]
    return write({"records": rows})


def test_a_streamed_report_is_read_like_a_short_one() -> None:
    document = long_report(2_000)
    assert len(document) > markup.STREAMED_BEYOND
    report = parse(document)
    assert len(report.records) == 2_000
    assert report.messages == sum(n % 9 + 1 for n in range(2_000))
    assert [r.source_ip for r in report.records[:3]] == ["10.0.0.0", "10.0.0.1", "10.0.0.2"]
    assert report.records[-1].source_ip == "10.0.7.207"
    assert report.policy_published.domain == "example.com"
    assert report.repairs == ()


def test_a_streamed_report_is_mended_too() -> None:
    document = b"junk" + long_report(2_000) + b"</trailing>"
    report = parse(document)
    assert len(report.records) == 2_000
    assert [repair.code for repair in report.repairs] == ["surroundings"]


def test_a_streamed_report_with_the_policy_at_its_end() -> None:
    document = long_report(2_000)
    start, end = document.index(b"<policy_published>"), document.index(b"</policy_published>") + 19
    moved = document[:start] + document[end:].replace(b"</feedback>", document[start:end] + b"</feedback>")
    assert parse(moved).policy_published == parse(document).policy_published


@pytest.mark.parametrize("cut", [100, 70_000, -30])
def test_a_streamed_report_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(MalformedReport) as refused:
        parse(long_report(2_000)[:cut])
    assert refused.value.reason == Reason.XML_BROKEN
    assert "cut off" in str(refused.value)


def test_a_streamed_report_inside_a_wrapper() -> None:
    document = b"<wrapper>" + long_report(2_000).partition(b"?>")[2] + b"</wrapper>"
    assert len(parse(document).records) == 2_000
