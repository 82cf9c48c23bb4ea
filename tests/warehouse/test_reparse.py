"""Every kind of report read again: under the same keys, with what changed told by column."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.settings import PrivacySettings
from tests.warehouse.build import BEGIN, DAY, NOW, identify, loader, one, warehouse, xml
from tests.warehouse.test_mixed import BOTH, loaded, tls
from warehouse.connect import Warehouse
from warehouse.packing import packed
from warehouse.reparse import BATCH, BATCH_RECORDS, batches, reparse
from warehouse.rollup import ROLLUPS

FULL = PrivacySettings("full", "full")
TABLES = ("aggregate_report", "aggregate_record", "tls_report", "tls_policy", "tls_failure", "failure_report",
          "delivery_status", "daily")  # fmt: skip


@pytest.fixture
def target(tmp_path: Path) -> Warehouse:
    made = warehouse(tmp_path)
    loaded(replace(loader(made), privacy=FULL), *BOTH, tls(), xml())
    return made


def rows(target: Warehouse) -> list[list[object]]:
    with target.reading() as connection:
        return [sorted(connection.execute(f"FROM {table}").fetchall(), key=repr) for table in TABLES]


def test_reading_again_with_the_same_parsers_changes_nothing(target: Warehouse) -> None:
    before = rows(target)
    summary = reparse(target, identify, NOW, privacy=FULL, everything=True)
    assert (summary.reports, summary.changed, summary.refused, summary.without_document) == (4, 0, 0, 0)
    assert rows(target) == before
    assert reparse(target, identify, NOW, privacy=FULL).reports == 0


def test_what_an_older_parser_misread_is_mended_and_told_by_column(target: Warehouse) -> None:
    before = rows(target)
    with target.writing() as connection:
        for table in ("aggregate_report", "tls_report", "failure_report", "delivery_status"):
            connection.execute(f"UPDATE {table} SET parser_version = 0")
        connection.execute("UPDATE tls_report SET contact_info = 'wrong'")
        connection.execute("DELETE FROM tls_failure")
        connection.execute("UPDATE failure_report SET source_ip = '192.0.2.99', spf_result = NULL")
        connection.execute("UPDATE delivery_status SET code = '4.0.0'")
        connection.execute("UPDATE aggregate_report SET email = 'wrong', content_hash = 'older'")
    summary = reparse(target, identify, NOW, privacy=FULL)
    assert rows(target) == before
    assert summary.changed == 4
    assert summary.kinds["aggregate_report"].fields == {"aggregate_report.email": 1}
    assert summary.kinds["tls_report"].fields["tls_report.contact_info"] == 1
    assert summary.kinds["tls_report"].fields["tls_failure.result_type"] == 1
    assert summary.kinds["failure_report"].fields == {"failure_report.source_ip": 1, "failure_report.spf_result": 1}
    assert summary.kinds["delivery_status"].fields == {"delivery_status.code": 1}


def test_nothing_is_left_of_a_day_and_a_domain_that_were_misread(tmp_path: Path) -> None:
    target, right = warehouse(tmp_path), xml(domain="right.example", begin=BEGIN + 40 * DAY)
    loaded(loader(target), xml())
    with target.writing() as connection:
        connection.execute("UPDATE raw_document SET data = ?, size = ?", [packed(right), len(right)])
    reparse(target, identify, NOW, everything=True)
    for rollup in ROLLUPS:
        for name in {rollup.name, rollup.months if rollup.monthly else rollup.name}:
            assert one(target, f"SELECT count(*) FROM {name} WHERE domain <> 'right.example'") == 0
    assert one(target, "SELECT domain, day::VARCHAR, messages FROM reporter_day") == ("right.example", "2026-12-30", 10)


def test_what_was_put_right_of_an_archive_is_still_told(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(loader(target), gzip.compress(xml())[:-8], gzip.compress(tls())[:-8])
    before = rows(target)
    summary = reparse(target, identify, NOW, everything=True)
    assert (summary.reports, summary.changed) == (2, 0)
    assert rows(target) == before
    for table in ("aggregate_report", "tls_report"):
        assert one(target, f"SELECT list_transform(repairs, x -> x.code) FROM {table}") == ["gzip_trailer"]


def test_mails_that_were_not_kept_leave_their_reports_as_they_are(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(loader(target), *BOTH)
    before = rows(target)
    summary = reparse(target, identify, NOW, everything=True)
    assert (summary.reports, summary.without_document, summary.changed) == (2, 2, 0)
    assert rows(target) == before


def test_less_is_kept_once_less_is_asked_for(target: Warehouse) -> None:
    summary = reparse(target, identify, NOW, everything=True)
    assert summary.kinds["delivery_status"].fields["delivery_status.recipient"] == 1
    assert one(target, "SELECT count(recipient), count(subject) FROM delivery_status") == (0, 0)
    assert one(target, "SELECT count(mail_from) FROM failure_report") == 0


def test_a_document_that_is_refused_now_leaves_what_it_gave(target: Warehouse) -> None:
    with target.writing() as connection:
        connection.execute(
            "UPDATE raw_document SET data = (SELECT data FROM raw_document SEMI JOIN delivery_status"
            " ON document_hash = message_hash), size = (SELECT size FROM raw_document SEMI JOIN delivery_status"
            " ON document_hash = message_hash)"
        )
    before = rows(target)
    summary = reparse(target, identify, NOW, privacy=FULL, everything=True)
    assert (summary.reports, summary.refused, summary.changed) == (4, 3, 0)
    assert rows(target) == before


def test_reports_of_many_records_are_read_again_in_small_batches() -> None:
    half, whole = BATCH_RECORDS // 2, BATCH_RECORDS
    sizes = [half, half, 1, whole + 1, half, half + 1, *[1] * (BATCH + 1)]
    found = list(batches(enumerate(sizes)))
    assert [key for batch in found for key in batch] == list(range(len(sizes)))
    assert [len(batch) for batch in found] == [2, 1, 1, 1, 500, 2]
