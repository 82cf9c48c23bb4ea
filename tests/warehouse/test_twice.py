"""Two stored reports that a newer parser takes for one: nothing counts twice, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ingest.attestation import Attestation
from ingest.outcome import Reason
from tests.warehouse.build import NOW, ListInput, identify, loader, message, one, refused, row, warehouse, xml
from tests.warehouse.test_attested import MISMATCH, UNSIGNED, VERIFIED, arrive
from tests.warehouse.test_mixed import loaded, tls
from warehouse import journal, quarantine, twice
from warehouse.connect import Warehouse
from warehouse.load import load
from warehouse.packing import document_hash, packed
from warehouse.reparse import ReparseSummary, reparse
from warehouse.retention import prune
from warehouse.rollup import ROLLUPS
from warehouse.settings import RetentionSettings

FIRST, SAME, OTHER = xml(row(count=7)), b"\n" + xml(row(count=7)), xml(row(count=8))
STAYS = "SELECT list(report_key ORDER BY report_key) FROM aggregate_report"
SUMS = """
    SELECT (SELECT sum(messages) FROM aggregate_record), (SELECT sum(messages) FROM daily),
           (SELECT sum(messages) FROM source_month), (SELECT sum(messages) FROM aggregate_report)
"""


def misread(target: Warehouse, documents: dict[int, bytes], table: str = "aggregate_report") -> None:
    """As if an older parser had taken these documents, by their report's key, for what is stored."""
    key = table.replace("aggregate_", "") + "_key"
    with target.writing() as connection:
        for report, document in documents.items():
            name, found = document_hash(document), [report]
            (before,) = connection.execute(f"SELECT document_hash FROM {table} WHERE {key} = ?", found).fetchall()[0]
            connection.execute(f"UPDATE {table} SET document_hash = ? WHERE {key} = ?", [name, report])
            connection.execute("DELETE FROM raw_document WHERE document_hash = ?", [before])
            connection.execute("INSERT INTO raw_document VALUES (?, ?, ?)", [name, len(document), packed(document)])
        connection.execute(f"UPDATE {table} SET parser_version = 0")


def told_apart(folder: Path, second: bytes, *grades: Attestation) -> Warehouse:
    """Two reports, stored as such; the documents of both are about the first."""
    target, mails = warehouse(folder), (FIRST, xml(row(count=9), report_id="r2"))
    if grades:
        arrive(target, *zip(mails, grades, strict=True))
    else:
        load(ListInput([[message(raw) for raw in mails]]), loader(target))
    misread(target, {2: second})
    return target


def counts(summary: ReparseSummary) -> tuple[int, int]:
    return summary.duplicates, summary.conflicts


def test_the_one_stored_first_stays(tmp_path: Path) -> None:
    target = told_apart(tmp_path, SAME)
    assert counts(reparse(target, identify, NOW)) == (1, 0)
    assert one(target, STAYS) == [1]
    assert one(target, SUMS) == (7, 7, 7, 7)
    assert one(target, "SELECT count(*) FROM raw_document") == 1
    for rollup in ROLLUPS:
        assert one(target, f"SELECT count(*) FROM {rollup.name} WHERE messages <= 0") == 0
    again = ListInput([[message(SAME)]])
    assert load(again, loader(target)).duplicates == 1
    assert counts(reparse(target, identify, NOW, everything=True)) == (0, 0)
    assert one(target, SUMS) == (7, 7, 7, 7)


def test_one_that_says_otherwise_goes_to_quarantine(tmp_path: Path) -> None:
    target = told_apart(tmp_path, OTHER)
    assert counts(reparse(target, identify, NOW)) == (0, 1)
    assert one(target, STAYS) == [1]
    assert one(target, SUMS) == (7, 7, 7, 7)
    with target.reading() as connection:
        kept = quarantine.show(connection, 1)
        assert journal.verify(connection) is None
    assert kept
    assert (kept.reason, kept.message.raw) == (Reason.CONFLICT, OTHER)
    assert "It turned out to be Report 1 with other content" in kept.sentence
    assert one(target, "SELECT action, subject FROM journal") == ("report.replace", "report 2")


def test_what_was_read_rightly_before_is_looked_at_too(tmp_path: Path) -> None:
    target = told_apart(tmp_path, SAME)
    with target.writing() as connection:
        connection.execute("UPDATE aggregate_report SET parser_version = 1 WHERE report_key = 1")
    assert counts(reparse(target, identify, NOW)) == (1, 0)
    assert one(target, SUMS) == (7, 7, 7, 7)


def test_many_of_one_report_leave_one(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    load(ListInput([[message(xml(row(count=n), report_id=f"r{n}")) for n in range(1, 9)]]), loader(target))
    third = xml(row(count=3), report_id="r3")
    misread(target, {n: b"\n" * n + third for n in range(4, 8)})
    assert counts(reparse(target, identify, NOW)) == (4, 0)
    assert one(target, STAYS) == [1, 2, 3, 8]
    assert one(target, SUMS) == (14, 14, 14, 14)


@pytest.mark.parametrize("stored", [UNSIGNED, MISMATCH])
def test_one_that_is_vouched_for_lends_the_other_its_grade(tmp_path: Path, stored: Attestation) -> None:
    target = told_apart(tmp_path, SAME, stored, VERIFIED)
    assert counts(reparse(target, identify, NOW)) == (1, 0)
    assert one(target, "SELECT report_key, attestation, doubt FROM aggregate_report") == (1, "verified", "")
    assert one(target, SUMS) == (7, 7, 7, 7)
    assert one(target, "SELECT count(*) FROM daily WHERE doubt <> ''") == 0


def test_one_that_is_vouched_for_takes_the_place_of_another(tmp_path: Path) -> None:
    target = told_apart(tmp_path, OTHER, UNSIGNED, VERIFIED)
    assert counts(reparse(target, identify, NOW)) == (0, 1)
    assert one(target, STAYS) == [2]
    assert one(target, SUMS) == (8, 8, 8, 8)
    kept = refused(target)
    assert kept.message.raw == FIRST


def test_of_one_whose_records_are_gone_what_it_brought_stays(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    later = xml(row(count=9), report_id="r2", begin=int(NOW.timestamp()))
    load(ListInput([[message(later), message(FIRST)]]), loader(target))
    misread(target, {1: SAME})
    with target.writing() as connection:
        connection.execute("UPDATE aggregate_report SET parser_version = 1 WHERE report_key = 2")
        assert prune(connection, RetentionSettings(records_days=1), NOW, sure=True).records == 1
    assert counts(reparse(target, identify, NOW + timedelta(days=1))) == (1, 0)
    assert one(target, STAYS) == [2]
    assert one(target, "SELECT sum(messages) FROM daily") == 7


def test_what_this_parser_has_not_read_is_compared_with_nothing(tmp_path: Path) -> None:
    target = told_apart(tmp_path, SAME)
    with target.writing() as connection:
        connection.execute(
            "DELETE FROM raw_document WHERE document_hash ="
            " (SELECT document_hash FROM aggregate_report WHERE report_key = 1)"
        )
    summary = reparse(target, identify, NOW)
    assert (summary.without_document, *counts(summary)) == (1, 0, 0)


def test_a_run_that_was_killed_before_its_end_is_made_good(tmp_path: Path) -> None:
    target = told_apart(tmp_path, SAME)
    with target.reading() as connection:
        assert not twice.groups(connection, twice.AGGREGATE, 1)
    reparse(target, identify, NOW)
    target = told_apart(tmp_path / "killed", SAME)
    with target.writing() as connection:
        # What the first part of a run leaves.
        first = "(SELECT identity_hash FROM aggregate_report WHERE report_key = 1)"
        connection.execute(f"UPDATE aggregate_report SET parser_version = 1, identity_hash = {first}")
        connection.execute("UPDATE aggregate_report SET content_hash = 'the same'")
    summary = reparse(target, identify, NOW)
    assert (summary.reports, *counts(summary)) == (0, 1, 0)
    assert one(target, SUMS) == (7, 7, 7, 7)


def test_tls_reports_too(tmp_path: Path) -> None:
    target, (first, other) = warehouse(tmp_path), (tls(), tls(failed=5))
    loaded(loader(target), first, tls(report_id="t2"), tls(report_id="t3"))
    misread(target, {2: first + b"\n", 3: other}, "tls_report")
    summary = reparse(target, identify, NOW)
    assert (summary.kinds["tls_report"].duplicates, summary.kinds["tls_report"].conflicts) == (1, 1)
    tables = ("tls_report", "tls_policy", "tls_failure", "raw_document")
    assert one(target, f"SELECT {', '.join(f'(SELECT count(*) FROM {name})' for name in tables)}") == (1, 1, 1, 1)
    kept = refused(target)
    assert (kept.reason, kept.message.raw) == (Reason.CONFLICT, other)
