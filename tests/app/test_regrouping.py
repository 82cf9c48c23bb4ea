"""Sources that our own DNS names, as a poll finds it in a real name server; how that is shown and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.commands.base import Run
from app.commands.renaming import rename
from tests.app.conftest import Whosends, write_month
from tests.servers.nsd import Nsd
from tests.warehouse.build import xml
from warehouse import addresses
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

pytestmark = pytest.mark.server

ROW = """<record><row><source_ip>{ip}</source_ip><count>30</count><policy_evaluated>
<disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
<identifiers><header_from>example.com</header_from></identifiers>
<auth_results><dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>
<spf><domain>{path}</domain><result>pass</result></spf></auth_results></record>"""
ZONE = '@ TXT "v=spf1 -all"\n'
POINTING = ZONE + "em CNAME u1.wl.sendgrid.net.\n"
IP, KEY = "198.51.100.7", "net:198.51.100.0/24"


@pytest.fixture
def nsd() -> Iterator[Nsd]:
    server = Nsd({"example.com": ZONE, "100.51.198.in-addr.arpa": "", "sendgrid.net": ""})
    server.start()
    yield server
    server.remove()


@pytest.fixture
def run(home: Path, nsd: Nsd, whosends: Whosends) -> Run:
    """A warehouse with one sender of ours, in a network that nobody knows."""
    settings = home / "here" / "whosends.toml"
    settings.write_text(
        f'[resolver]\nnameservers = ["127.0.0.1"]\nport = {nsd.port}\ntimeout = 1.0\nrecord_days = 0\n'
        f'[warehouse]\npath = "{home / "w.duckdb"}"\nuser = "anna"\n'
    )
    report = home / "report.xml"
    report.write_bytes(xml(ROW.format(ip=IP, path="em.example.com"), begin=1_795_000_000))
    assert whosends("ingest", report).code == 0
    made = Run({})
    made.options["config"] = settings
    return made


def keys(run: Run) -> dict[str, tuple[str, str | None]]:
    with Warehouse(run.config.warehouse_path, WarehouseSettings()).reading() as connection:
        rows = addresses.known(connection, [IP]).iter_rows(named=True)
        return {row["source_ip"]: (row["source_key"], row["bound_by"]) for row in rows}


def test_a_return_path_that_points_to_a_service_names_the_source_at_once(run: Run, nsd: Nsd) -> None:
    nsd.set("example.com", POINTING)
    rename(run)
    assert keys(run) == {IP: ("svc:sendgrid", "path")}


def test_what_dns_says_of_the_record_is_kept_with_each_poll(run: Run, nsd: Nsd, whosends: Whosends) -> None:
    nsd.set("example.com", f'{ZONE}_dmarc TXT "v=DMARC1; p=none; rua=mailto:a@sendgrid.net"\n')
    rename(run)
    ran = whosends("readiness", "example.com", "--offline", "--json").document
    [gate] = [one for one in ran["gates"] if one["id"] == "authorised"]
    assert gate["evidence"].startswith("sendgrid.net does not say that it takes reports about example.com")
    assert ran["dns"]["destinations"][0]["takes"] is False
    # An answer that fails leaves what is known.
    nsd.stop()
    rename(run)
    assert whosends("readiness", "example.com", "--offline", "--json").document["dns"] == ran["dns"]


def test_a_host_that_our_record_names_is_ours_at_once(run: Run, nsd: Nsd, whosends: Whosends) -> None:
    nsd.set("example.com", f'@ TXT "v=spf1 a:mail.example.com -all"\nmail A {IP}\n')
    rename(run)
    assert keys(run) == {IP: ("ptr:example.com", "host")}
    [source] = whosends("sources", "--json").document["sources"]
    assert "own_host" in [entry["code"] for entry in source["evidence"]]


def test_who_sends_through_a_carrier_is_named_and_whose_machines_they_are_is_told(
    run: Run, nsd: Nsd, whosends: Whosends
) -> None:
    rename(run)
    nsd.set("sendgrid.net", '@ TXT "v=spf1 ip4:198.51.100.0/24 -all"\n')
    nsd.set("example.com", '@ TXT "v=spf1 include:sendgrid.net -all"\nem CNAME m1.p1.email.myshopify.com.\n')
    rename(run)
    assert keys(run) == {IP: ("svc:shopify", "path")}
    [source] = whosends("sources", "--json").document["sources"]
    assert (source["name"], source["carrier"]) == ("Shopify", "Twilio SendGrid")
    # What our DNS names is the one and the other.
    assert "dns_names_others" not in [entry["code"] for entry in source["evidence"]]
    assert "Twilio SendGrid: it sends from machines of that service's" in whosends("sources", "show", IP).out
    assert whosends("sources", "history", "--undo", 1).code == 0
    rename(run)
    [source] = whosends("sources", "--json").document["sources"]
    assert (source["source_key"], source["carrier"]) == (KEY, None)


def test_what_was_known_by_another_name_is_regrouped_shown_and_taken_back(
    run: Run, nsd: Nsd, whosends: Whosends
) -> None:
    rename(run)
    assert keys(run) == {IP: (KEY, None)}
    assert whosends("sources", "approve", IP, "--owner", "IT").code == 0
    nsd.set("example.com", POINTING)
    rename(run)
    [change] = whosends("sources", "history", IP, "--json").document["history"]
    assert (change["kind"], change["old_key"], change["new_key"], change["cause"]) == (
        "renamed", KEY, "svc:sendgrid", "records",
    )  # fmt: skip
    [source] = whosends("sources", "--json").document["sources"]
    assert (source["source_key"], source["decision"]["decision"], source["decision"]["owner"]) == (
        "svc:sendgrid", "approved", "IT",
    )  # fmt: skip
    assert {"dns_points_here"} <= {entry["code"] for entry in source["evidence"]}
    assert "renamed" in whosends("sources", "history").out

    back = whosends("sources", "history", "--undo", change["regroup_key"])
    assert back.code == 0
    assert back.out == f"Change 1 is taken back: 1 address of svc:sendgrid returned to {KEY}.\n"
    rename(run)
    assert keys(run)[IP][0] == KEY
    assert whosends("sources", "history", "--undo", 1).code == 2
    assert whosends("sources", "history", "--undo", 2).code == 0
    assert keys(run)[IP][0] == "svc:sendgrid"


def test_a_cname_that_is_taken_out_does_not_split_the_source_again(run: Run, nsd: Nsd) -> None:
    nsd.set("example.com", POINTING)
    rename(run)
    nsd.set("example.com", ZONE)
    rename(run)
    assert keys(run) == {IP: ("svc:sendgrid", "path")}


def test_a_name_server_that_is_gone_is_no_failure(run: Run, nsd: Nsd) -> None:
    nsd.stop()
    rename(run)
    assert keys(run) == {IP: (KEY, None)}


def test_after_an_upgrade_every_address_is_looked_at_once(run: Run, whosends: Whosends) -> None:
    with Warehouse(run.config.warehouse_path, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE identification SET version = 'of before'")
        connection.execute("UPDATE address SET source_key = 'as:old.test'")
        connection.execute("UPDATE source_day SET source_key = 'as:old.test'")
    rename(run)
    assert keys(run) == {IP: (KEY, None)}
    [change] = whosends("sources", "history", "--json").document["history"]
    assert (change["kind"], change["old_key"], change["cause"]) == ("renamed", "as:old.test", "upgrade")
    with Warehouse(run.config.warehouse_path, WarehouseSettings()).reading() as connection:
        assert addresses.identified_with(connection) != "of before"


def test_a_source_is_explained(whosends: Whosends, home: Path) -> None:
    assert whosends("ingest", write_month(home / "month")).code == 0
    shown = whosends("sources", "show", "192.0.2.1")
    assert shown.code == 0
    for word in ("Verdict", "Mine by", "Way", "Ask", "WEIGHT", "EVIDENCE", "source_day"):
        assert word in shown.out
    [source] = whosends("sources", "show", "192.0.2.1", "--json").document["sources"]
    assert source["source_key"] == "net:192.0.2.0/24"
    assert whosends("sources", "show", "203.0.113.9").code == 2
    assert whosends("sources", "history").err.strip() == "Nothing was merged, split or renamed."
    assert whosends("sources", "history", "192.0.2.1", "--undo", 1).code == 2


def test_how_many_are_still_unseen_is_said(whosends: Whosends, home: Path) -> None:
    assert whosends("ingest", write_month(home / "month")).code == 0
    listed = whosends("sources")
    [told] = whosends("sources", "--json").document["unseen"]
    assert (told["domain"], told["seen"], told["days"], told["expected"]) == ("example.com", 1, 30, 0.0)
    assert told["sentence"] in listed.err
