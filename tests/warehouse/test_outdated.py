"""Reports that an older parser read come again: what this parser makes of both documents counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.outcome import Duplicate, Quarantined
from tests.warehouse.build import ListInput, loader, message, one, row, warehouse, xml
from tests.warehouse.test_attested import UNSIGNED, VERIFIED, arrive
from tests.warehouse.test_mixed import tls
from warehouse.connect import Warehouse
from warehouse.load import load

REPORT, TLS = xml(row(count=7)), tls()
KINDS = {"aggregate_report": (REPORT, xml(row(count=8))), "tls_report": (TLS, tls(failed=5))}


def stored(folder: Path, table: str, changed: str, **settings: object) -> Warehouse:
    """A report that an older parser read otherwise."""
    target = warehouse(folder, **settings)
    load(ListInput([[message(KINDS[table][0])]]), loader(target))
    with target.writing() as connection:
        connection.execute(f"UPDATE {table} SET parser_version = 0, {changed} = 'an older hash'")
    return target


def again(target: Warehouse, raw: bytes) -> object:
    source = ListInput([[message(raw)]])
    load(source, loader(target))
    return source.told[0][1]


@pytest.mark.parametrize("table", KINDS)
@pytest.mark.parametrize("changed", ["content_hash", "identity_hash"])
@pytest.mark.parametrize("keep", [True, False])
def test_the_same_bytes_are_the_same_report(tmp_path: Path, table: str, changed: str, keep: bool) -> None:
    target = stored(tmp_path, table, changed, keep_documents=keep)
    assert again(target, KINDS[table][0]) == Duplicate(1)
    assert one(target, f"SELECT count(*) FROM {table}") == 1


@pytest.mark.parametrize("table", KINDS)
def test_another_document_of_the_same_content_is_no_conflict(tmp_path: Path, table: str) -> None:
    target, (same, other) = stored(tmp_path, table, "content_hash"), KINDS[table]
    assert again(target, same + b"\n") == Duplicate(1)
    assert isinstance(again(target, other), Quarantined)


def test_without_its_document_its_hash_is_all_that_is_known(tmp_path: Path) -> None:
    target = stored(tmp_path, "aggregate_report", "content_hash", keep_documents=False)
    assert isinstance(again(target, REPORT + b"\n"), Quarantined)


def test_the_same_report_raises_the_grade_and_replaces_nothing(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    arrive(target, (REPORT, UNSIGNED))
    with target.writing() as connection:
        connection.execute("UPDATE aggregate_report SET parser_version = 0, content_hash = 'an older hash'")
    assert arrive(target, (REPORT + b"\n", VERIFIED)) == [Duplicate(1)]
    assert one(target, "SELECT attestation, doubt FROM aggregate_report") == ("verified", "")
    assert one(target, "SELECT count(*) FROM journal") == 0
