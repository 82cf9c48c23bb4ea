"""What is changed after it was stored: reparse, renewed addresses, the melted rollup, decisions, the journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.warehouse.build import BEGIN, NOW, ListInput, identify, loader, message, one, row, warehouse, xml
from warehouse import addresses, deltas, journal, melting, reads, reads_sources
from warehouse.address import Address
from warehouse.connect import Warehouse
from warehouse.decisions import SourceDecision, decide, undo
from warehouse.documents import document
from warehouse.errors import DecisionRefused
from warehouse.instants import naive
from warehouse.load import load
from warehouse.reparse import reparse
from warehouse.scope import Scope

DAILY = "SELECT sum(messages), count(*) FROM daily"


@pytest.fixture
def target(tmp_path: Path) -> Warehouse:
    made = warehouse(tmp_path)
    rows = [row("192.0.2.1", 10), row("192.0.2.2", 20, dkim="fail")]
    mails = [message(xml(*rows, report_id="a")), message(xml(*rows, report_id="b", begin=BEGIN, days=3))]
    load(ListInput([mails]), loader(made))
    return made


def test_reparse_mends_what_an_older_parser_misread(target: Warehouse) -> None:
    with target.writing() as connection:
        connection.execute("UPDATE aggregate_report SET parser_version = 0, content_hash = 'old' WHERE report_id = 'b'")
        connection.execute(
            "UPDATE aggregate_record SET header_from = 'wrong' WHERE report_key ="
            " (SELECT report_key FROM aggregate_report WHERE report_id = 'b')"
        )
        connection.execute("UPDATE daily SET header_from = 'wrong' WHERE estimated")
    summary = reparse(target, identify, NOW)
    assert (summary.reports, summary.changed, summary.refused) == (1, 1, 0)
    assert one(target, "SELECT sum(messages), count(*) FILTER (header_from = 'wrong') FROM daily") == (60, 0)
    assert one(target, "SELECT sum(messages), count(*) FILTER (header_from = 'wrong') FROM aggregate_record") == (60, 0)
    assert one(target, "SELECT count(*), count(DISTINCT report_key) FROM aggregate_report") == (2, 2)
    assert reparse(target, identify, NOW).reports == 0
    assert reparse(target, identify, NOW, everything=True).changed == 0


def test_reparse_leaves_a_report_without_its_document_as_it_is(target: Warehouse) -> None:
    with target.writing() as connection:
        connection.execute("DELETE FROM raw_document")
    summary = reparse(target, identify, NOW, everything=True)
    assert (summary.reports, summary.without_document) == (2, 2)
    assert one(target, "SELECT sum(messages) FROM aggregate_record") == 60


def test_the_document_of_a_report_comes_back_as_it_came(target: Warehouse) -> None:
    with target.reading() as connection:
        assert (document(connection, 1) or b"").startswith(b'<?xml version="1.0"?><feedback>')
        assert document(connection, 99) is None


def test_a_renewed_address_takes_its_days_to_its_new_source(target: Warehouse) -> None:
    with target.writing() as connection:
        asked = addresses.to_ask(connection, NOW, days=30)
        assert asked == ["192.0.2.2", "192.0.2.1"]
        named = Address("192.0.2.1", "ptr:mail.example", ptr="mail.example", ptr_at=naive(NOW))
        moved = addresses.renew(connection, [named], NOW)
        assert moved == 1
        assert addresses.to_ask(connection, NOW, days=30) == ["192.0.2.2"]
        assert addresses.to_ask(connection, NOW + timedelta(days=31), days=30) == ["192.0.2.2", "192.0.2.1"]
    assert one(target, "SELECT sum(messages) FROM daily WHERE source_key = 'ptr:mail.example'") == 20
    assert one(target, "SELECT sum(messages), count(*) FILTER (source_key = 'ip:192.0.2.1') FROM daily") == (60, 0)


def test_a_decision_goes_along_when_dns_gives_a_source_another_key(target: Warehouse) -> None:
    deciding(target, "approved")
    with target.writing() as connection:
        addresses.renew(connection, [Address("192.0.2.1", "ptr:mail.example"), Address("192.0.2.2", "b")], NOW)
    with target.reading() as connection:
        found = reads.decisions(connection).select("source_key", "decision", "owner").rows()
        assert journal.verify(connection) is None
    assert found == [("ip:192.0.2.1", "approved", "IT"), ("ptr:mail.example", "approved", "IT")]


def test_melting_the_rollup_changes_no_sum(target: Warehouse) -> None:
    with target.reading() as connection:
        before = reads_sources.sources(connection, Scope()).sort("source_key")
    with target.writing() as connection:
        deltas.add_stored(connection, deltas.STORED.format(reports="SELECT report_key FROM aggregate_report"))
        deltas.take_away(connection, deltas.STORED.format(reports="SELECT report_key FROM aggregate_report"))
        for piece in melting.due(connection, everything=True):
            melting.melt_piece(connection, piece)
        assert not melting.due(connection)
    with target.reading() as connection:
        assert reads_sources.sources(connection, Scope()).sort("source_key").equals(before)


def test_rollup_sums_are_plain_integers(target: Warehouse) -> None:
    # A SUM stored as HUGEINT makes the same query hundreds of times slower.
    assert one(
        target, "SELECT data_type FROM duckdb_columns() WHERE table_name = 'daily' AND column_name = 'messages'"
    ) == ("BIGINT")


def test_a_scope_narrows_domains_and_days(target: Warehouse) -> None:
    first, last = datetime(2026, 11, 21, tzinfo=UTC).date(), datetime(2026, 11, 22, tzinfo=UTC).date()
    with target.reading() as connection:
        assert reads_sources.sources(connection, Scope(since=first, until=last))["messages"].sum() == 19
        assert reads_sources.sources(connection, Scope(("example.com",)))["messages"].sum() == 60
        assert reads_sources.sources(connection, Scope(("';--",))).is_empty()


def deciding(target: Warehouse, word: str, source_key: str = "ip:192.0.2.1") -> None:
    with target.writing() as connection:
        decide(connection, SourceDecision("example.com", source_key, word, "ann", owner="IT"), NOW)


def current(target: Warehouse) -> list[str]:
    with target.reading() as connection:
        return list(reads.decisions(connection)["decision"])


def test_decisions_are_taken_back_one_by_one(target: Warehouse) -> None:
    deciding(target, "approved")
    deciding(target, "spoof")
    states = [current(target)]
    for _ in range(2):
        with target.writing() as connection:
            undo(connection, "example.com", "ip:192.0.2.1", "ben", NOW)
        states.append(current(target))
    assert states == [["spoof"], ["approved"], []]
    with pytest.raises(DecisionRefused, match="take back"), target.writing() as connection:
        undo(connection, "example.com", "ip:192.0.2.1", "ben", NOW)
    assert one(target, "SELECT count(*), count(DISTINCT hash) FROM journal") == (4, 4)


@pytest.mark.parametrize(("word", "key"), [("perhaps", "ip:192.0.2.1"), ("approved", "ip:203.0.113.1")])
def test_a_decision_about_nothing_is_refused(target: Warehouse, word: str, key: str) -> None:
    with pytest.raises(DecisionRefused):
        deciding(target, word, key)
    assert one(target, "SELECT count(*) FROM journal") == 0


@pytest.mark.parametrize(
    "change",
    ["UPDATE journal SET actor = 'eve' WHERE entry_key = 2", "DELETE FROM journal WHERE entry_key = 1"],
)
def test_a_journal_that_was_rewritten_is_found_out(target: Warehouse, change: str) -> None:
    for word in ("approved", "spoof", "retired"):
        deciding(target, word)
    with target.reading() as connection:
        assert journal.verify(connection) is None
    with target.writing() as connection:
        connection.execute(change)
    with target.reading() as connection:
        assert journal.verify(connection) == 2
