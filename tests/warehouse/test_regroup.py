"""Sources merged, split and renamed: what is noted, what goes along, and how it is taken back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ingest.inputs.files import FileInput  # noqa: F401 - the shape of a load
from tests.warehouse.build import BEGIN, DAY, NOW, ListInput, loader, message, one, row, warehouse, xml
from warehouse import addresses, journal, reads_sources, regroup
from warehouse.address import Address
from warehouse.connect import Warehouse
from warehouse.decisions import SourceDecision, decide
from warehouse.errors import DecisionRefused
from warehouse.instants import naive
from warehouse.load import load
from warehouse.retention import prune
from warehouse.rollup import ROLLUPS
from warehouse.scope import Scope
from warehouse.settings import RetentionSettings

IPS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
LATER = NOW + timedelta(days=1)


@pytest.fixture
def target(tmp_path: Path) -> Warehouse:
    """Three addresses that were named before, each its own source: 10, 20 and 30 messages."""
    made = warehouse(tmp_path)
    rows = [row(ip, 10 * number) for number, ip in enumerate(IPS, start=1)]
    load(ListInput([[message(xml(*rows))]]), loader(made))
    with made.writing() as connection:
        addresses.renew(connection, [Address(ip, f"ip:{ip}", ptr_at=naive(NOW)) for ip in IPS], NOW)
    return made


def move(target: Warehouse, keys: dict[str, str], cause: str = "names") -> None:
    with target.writing() as connection:
        made = [Address(ip, key, f"Service {key}", ptr_at=naive(LATER)) for ip, key in keys.items()]
        addresses.renew(connection, made, LATER, cause)


def told(target: Warehouse) -> list[tuple[object, ...]]:
    with target.reading() as connection:
        found = regroup.history(connection)
    return found.select("regroup_key", "kind", "old_key", "new_key", "addresses", "messages", "undone_by").rows()


def sums(target: Warehouse) -> dict[str, int]:
    with target.reading() as connection:
        found = reads_sources.sources(connection, Scope())
    return dict(found.select("source_key", "messages").iter_rows())


def decided(target: Warehouse, key: str, word: str, owner: str = "IT") -> None:
    with target.writing() as connection:
        decide(connection, SourceDecision("example.com", key, word, "anna", owner), NOW)


def decisions(target: Warehouse) -> dict[str, tuple[str, str]]:
    with target.reading() as connection:
        assert journal.verify(connection) is None
        rows = connection.execute("SELECT source_key, decision, owner FROM current_decision").fetchall()
    return {key: (word, owner) for key, word, owner in rows}


def test_what_happened_is_told_by_what_is_left_and_what_was_there(target: Warehouse) -> None:
    move(target, {IPS[0]: "svc:a"})
    move(target, {IPS[1]: "svc:a"})
    move(target, {IPS[0]: "svc:b", IPS[2]: "svc:c"})
    move(target, {IPS[1]: "svc:c"})
    assert [one[1:6] for one in reversed(told(target))] == [
        ("renamed", "ip:192.0.2.1", "svc:a", 1, 10),
        ("merged", "ip:192.0.2.2", "svc:a", 1, 20),
        ("renamed", "ip:192.0.2.3", "svc:c", 1, 30),
        ("split", "svc:a", "svc:b", 1, 10),
        ("merged", "svc:a", "svc:c", 1, 20),
    ]
    assert sums(target) == {"svc:b": 10, "svc:c": 50}


def test_two_that_become_one_are_merged(target: Warehouse) -> None:
    move(target, {IPS[0]: "svc:a", IPS[1]: "svc:a"})
    assert {one[1] for one in told(target)} == {"merged"}


def test_an_address_that_gets_its_first_name_is_no_regrouping(tmp_path: Path) -> None:
    made = warehouse(tmp_path)
    load(ListInput([[message(xml(row(IPS[0])))]]), loader(made))
    move(made, {IPS[0]: "svc:a"})
    assert told(made) == []
    assert sums(made) == {"svc:a": 10}


def test_after_an_upgrade_all_is_told(tmp_path: Path) -> None:
    made = warehouse(tmp_path)
    load(ListInput([[message(xml(row(IPS[0])))]]), loader(made))
    move(made, {IPS[0]: "svc:a"}, "upgrade")
    assert [one[1] for one in told(made)] == ["renamed"]


def test_a_merge_taken_back_stays_so_whatever_dns_says(target: Warehouse) -> None:
    move(target, {IPS[0]: "svc:a", IPS[1]: "svc:a"})
    [second, first] = [one[0] for one in told(target)]
    with target.writing() as connection:
        assert regroup.undo(connection, int(str(first)), "anna", LATER) == 1
    assert sums(target) == {"ip:192.0.2.1": 10, "svc:a": 20, "ip:192.0.2.3": 30}
    assert one(target, f"SELECT service FROM address WHERE source_ip = '{IPS[0]}'") is None
    assert told(target)[0][1:5] == ("split", "svc:a", "ip:192.0.2.1", 1)
    assert dict((one[0], one[6]) for one in told(target))[first] == told(target)[0][0]
    move(target, {IPS[0]: "svc:a", IPS[1]: "svc:a"}, "upgrade")
    assert sums(target) == {"ip:192.0.2.1": 10, "svc:a": 20, "ip:192.0.2.3": 30}
    with target.reading() as connection:
        last = journal.entries(connection)[-1]
    assert (last.actor, last.action, last.subject) == ("anna", "source.regroup", str(first))
    assert second != first


def test_an_undo_can_be_taken_back_and_lets_the_addresses_go(target: Warehouse) -> None:
    move(target, {IPS[0]: "svc:a"})
    with target.writing() as connection:
        regroup.undo(connection, 1, "anna", LATER)
        regroup.undo(connection, 2, "anna", LATER)
    assert sums(target)["svc:a"] == 10
    move(target, {IPS[0]: "svc:b"})
    assert sums(target)["svc:b"] == 10


@pytest.mark.parametrize("key", [99, 1])
def test_what_is_not_there_or_was_taken_back_cannot_be(target: Warehouse, key: int) -> None:
    move(target, {IPS[0]: "svc:a"})
    with target.writing() as connection:
        regroup.undo(connection, 1, "anna", LATER)
    with pytest.raises(DecisionRefused), target.writing() as connection:
        regroup.undo(connection, key, "anna", LATER)


def test_what_moved_on_cannot_return(target: Warehouse) -> None:
    move(target, {IPS[0]: "svc:a"})
    move(target, {IPS[0]: "svc:b"})
    with pytest.raises(DecisionRefused, match="svc:a"), target.writing() as connection:
        regroup.undo(connection, 1, "anna", LATER)


def test_a_decision_follows_its_source_and_returns_with_it(target: Warehouse) -> None:
    decided(target, "ip:192.0.2.1", "approved")
    move(target, {IPS[0]: "svc:a"})
    assert decisions(target)["svc:a"] == ("approved", "IT")
    with target.writing() as connection:
        regroup.undo(connection, 1, "anna", LATER)
    assert decisions(target) == {"ip:192.0.2.1": ("approved", "IT")}


def test_a_decision_of_a_persons_about_the_new_source_stays(target: Warehouse) -> None:
    move(target, {IPS[0]: "svc:a"})
    decided(target, "svc:a", "spoof")
    decided(target, "ip:192.0.2.2", "spoof", "Ops")
    move(target, {IPS[1]: "svc:a"})
    assert decisions(target)["svc:a"] == ("spoof", "IT")


def test_decisions_that_differ_are_left_to_a_person(target: Warehouse) -> None:
    decided(target, "ip:192.0.2.1", "approved")
    decided(target, "ip:192.0.2.2", "spoof")
    move(target, {IPS[0]: "svc:a", IPS[1]: "svc:a"})
    assert "svc:a" not in decisions(target)
    with target.reading() as connection:
        assert set(regroup.history(connection)["conflict"]) == {"example.com"}


LATE = xml(*(row(ip, 10 * number) for number, ip in enumerate(IPS, start=1)), report_id="late", begin=BEGIN + 40 * DAY)


def pruned(target: Warehouse) -> dict[str, dict[str, int]]:
    """Records of the first day go, those of another month stay; what each rollup says by source."""
    load(ListInput([[message(LATE)]]), loader(target))
    with target.writing() as connection:
        assert prune(connection, RetentionSettings(records_days=1), NOW, sure=True).records == 3
    return by_source(target)


def by_source(target: Warehouse) -> dict[str, dict[str, int]]:
    """What each rollup with sources says of them; its tables by day and by month alike."""
    found = {}
    with target.reading() as connection:
        for name in [one.name for one in ROLLUPS if "source_key" in one.keys and one.name != "reason_day"]:
            sql = f"SELECT source_key, sum(messages)::BIGINT FROM {name} GROUP BY ALL HAVING sum(messages) <> 0"
            found[name] = dict(connection.execute(sql).fetchall())
        for name in [one.months for one in ROLLUPS if one.monthly]:
            assert (
                dict(connection.execute(sql.replace("FROM envelope_day", f"FROM {name}")).fetchall()) == found["daily"]
            )
    return found


def test_days_without_records_follow_a_source_that_is_renamed_or_merged(target: Warehouse) -> None:
    pruned(target)
    move(target, {IPS[0]: "svc:a", IPS[1]: "svc:a"})
    for found in by_source(target).values():
        assert found == {"svc:a": 60, f"ip:{IPS[2]}": 60}


def test_what_is_renamed_and_put_back_is_as_it_was(target: Warehouse) -> None:
    before = pruned(target)
    move(target, {IPS[0]: "svc:a"})
    assert by_source(target) != before
    with target.writing() as connection:
        regroup.undo(connection, 1, "anna", LATER)
    assert by_source(target) == before


def test_two_that_change_their_names_at_once_take_along_what_is_theirs(target: Warehouse) -> None:
    pruned(target)
    move(target, {IPS[0]: "svc:a"})
    move(target, {IPS[0]: "svc:b", IPS[1]: "svc:a"})
    for found in by_source(target).values():
        assert found == {"svc:b": 20, "svc:a": 40, f"ip:{IPS[2]}": 60}


def test_of_a_source_that_is_split_days_without_records_stay(target: Warehouse) -> None:
    move(target, {IPS[0]: "svc:a", IPS[1]: "svc:a"})
    pruned(target)
    move(target, {IPS[0]: "svc:b"})
    for found in by_source(target).values():
        assert found == {"svc:a": 50, "svc:b": 10, f"ip:{IPS[2]}": 60}


def test_a_decision_follows_a_source_that_has_no_records(target: Warehouse) -> None:
    decided(target, f"ip:{IPS[0]}", "approved")
    with target.writing() as connection:
        prune(connection, RetentionSettings(records_days=1), LATER + timedelta(days=30), sure=True)
    move(target, {IPS[0]: "svc:a"})
    assert decisions(target)["svc:a"] == ("approved", "IT")
