"""What counts as lately: a report of a day to come, which anybody can write, makes nothing else old."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analysis import regrouping, tree
from analysis.period import up_to_newest
from tests.warehouse.build import DAY, NOW, ListInput, loader, message, row, warehouse, xml
from warehouse import addresses, blocklists, reads_bonds
from warehouse.connect import Connection, Warehouse
from warehouse.load import load

LATER = int(datetime(2090, 1, 1, tzinfo=UTC).timestamp())
TODAY = NOW.date()
FAILING = row("192.0.2.7", 50, dkim="fail")


@pytest.fixture
def target(tmp_path: Path) -> Warehouse:
    found = warehouse(tmp_path)
    ours = [xml(row(spf="pass"), FAILING), xml(row("192.0.2.8", 3, dkim="fail"), report_id="r2", domain="example.org")]
    later = [xml(report_id=f"later {n}", domain="other.example", begin=LATER + n * DAY) for n in range(2)]
    load(ListInput([[message(raw) for raw in (*ours, *later)]]), loader(found))
    with found.writing() as connection:
        connection.execute("UPDATE address SET source_key = 'net:192.0.2.0/24' WHERE source_ip = '192.0.2.7'")
        connection.execute("UPDATE address_day SET source_key = 'net:192.0.2.0/24' WHERE source_ip = '192.0.2.7'")
    return found


def shown(connection: Connection) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.domain, one.keys) for one in regrouping.to_ask(connection, NOW, 1)]


def test_dns_is_asked_for_what_sent_lately(target: Warehouse) -> None:
    with target.reading() as connection:
        assert shown(connection) == [("example.com", ("s1._domainkey.example.com",))]
        assert tree.due(connection, NOW.replace(tzinfo=None), 1) == ["example.com"]


def test_addresses_are_bound_by_the_mail_of_lately(target: Warehouse) -> None:
    with target.reading() as connection:
        scope = up_to_newest(connection, TODAY)
        assert scope.until == date(2026, 11, 20)
        assert regrouping.senders(connection, TODAY) == ["192.0.2.1"]
        paths = reads_bonds.passing_paths(connection, scope, ["192.0.2.1"])
        keys = reads_bonds.passing_keys(connection, scope, ["192.0.2.1"])
        homes = reads_bonds.key_homes(connection, scope)
        assert paths["spf_domain"].to_list() == keys["signing_domain"].to_list() == ["example.com"]
        assert homes["selector"].to_list() == ["s1"]


def test_blocklists_and_names_are_asked_for_the_mail_of_lately(target: Warehouse) -> None:
    with target.reading() as connection:
        scope = up_to_newest(connection, TODAY)
        assert blocklists.to_ask(connection, scope, ["list.example"], NOW, 7, 10) == ["192.0.2.7"]
        assert addresses.to_ask(connection, NOW, 30) == ["192.0.2.7", "192.0.2.1", "192.0.2.8"]
