"""Decisions: what counts before and after each, who is named, and that the log holds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.warehouse.build import NOW, ListInput, loader, message, row, warehouse, xml
from warehouse import decisions, journal
from warehouse.connect import Warehouse
from warehouse.decisions import SourceDecision
from warehouse.errors import DecisionRefused
from warehouse.load import load

KEY = "ip:192.0.2.1"


@pytest.fixture
def target(tmp_path: Path) -> Warehouse:
    made = warehouse(tmp_path)
    load(ListInput([[message(xml(row()))]]), loader(made))
    return made


def said(decision: str = "approved", **more: object) -> SourceDecision:
    return SourceDecision("example.com", KEY, decision, "ada", **more)  # type: ignore[arg-type]


def test_before_and_after_are_told_and_undo_shows_what_counts_again(target: Warehouse) -> None:
    with target.writing() as connection:
        first = decisions.decide(connection, said(owner="IT", expects="dkim", cadence="weekly"), NOW)
        second = decisions.decide(connection, said("retired", until=date(2027, 1, 1)), NOW)
        back = decisions.undo(connection, "example.com", KEY, "bob", NOW)
    assert first.before is None
    assert first.after == {
        "decision": "approved", "owner": "IT", "note": None, "until": None, "expects": "dkim", "cadence": "weekly",
    }  # fmt: skip
    assert second.before == first.after
    assert second.after is not None
    assert second.after["until"] == "2027-01-01"
    assert (back.before, back.after) == (second.after, first.after)


def test_what_is_not_said_is_kept_and_empty_text_clears(target: Warehouse) -> None:
    with target.writing() as connection:
        decisions.decide(connection, said(owner="IT", note="x", expects="dkim"), NOW)
        kept = decisions.kept(connection, said("forwarder"))
        cleared = decisions.kept(connection, said("forwarder", owner=""))
    assert (kept.owner, kept.note, kept.expects) == ("IT", None, "dkim")
    assert (cleared.owner, cleared.expects) == (None, "dkim")


def test_withdrawing_takes_all_of_them_back_and_the_log_names_the_file(target: Warehouse) -> None:
    with target.writing() as connection:
        decisions.decide(connection, said(), NOW)
        decisions.decide(connection, said("spoof"), NOW, "sources.toml sha256:abc")
        change = decisions.withdraw(connection, said("undecided"), NOW, "sources.toml sha256:def")
        assert change.after is None
        assert journal.verify(connection) is None
        rows = connection.execute("SELECT action, after->>'origin' FROM journal ORDER BY entry_key").fetchall()
    assert rows == [
        ("source.decide", None),
        ("source.import", "sources.toml sha256:abc"),
        ("source.import", "sources.toml sha256:def"),
    ]


@pytest.mark.parametrize("more", [{"expects": "arc"}, {"cadence": "yearly"}, {"decision": "maybe"}])
def test_words_that_are_none_are_refused(target: Warehouse, more: dict[str, str]) -> None:
    with target.writing() as connection, pytest.raises(DecisionRefused, match="There is no"):
        decisions.decide(connection, said(**more), NOW)


def test_only_a_declared_source_may_come_before_its_mail(target: Warehouse) -> None:
    unseen = SourceDecision("example.com", "as:crm.test", "approved", "ada")
    with target.writing() as connection:
        with pytest.raises(DecisionRefused, match="No report names"):
            decisions.decide(connection, unseen, NOW)
        assert decisions.decide(connection, unseen, NOW, "sources.toml").after
