"""Blocklists from the settings to the ledger: who is asked for, what is kept, shown and weighed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.commands.asking import now
from app.commands.base import Run
from app.commands.blocklisting import ask_blocklists
from tests.app.conftest import Whosends
from tests.servers.nsd import Nsd
from tests.warehouse.build import xml
from warehouse import blocklists
from warehouse.connect import Warehouse
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

pytestmark = pytest.mark.server

ROW = """<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>
<disposition>none</disposition><dkim>{result}</dkim><spf>{result}</spf></policy_evaluated></row>
<identifiers><header_from>example.com</header_from></identifiers>
<auth_results><spf><domain>example.com</domain><result>{result}</result></spf></auth_results></record>"""
LISTED, FREE, OURS, SERVICE = "95.216.3.4", "116.203.9.9", "88.198.1.1", "167.89.23.14"
LIST = "2.0.0.127 A 127.0.0.2\n4.3.216.95 A 127.0.0.4\n"


@pytest.fixture
def nsd() -> Iterator[Nsd]:
    server = Nsd({"list.test": LIST, "refuses.test": "* A 127.255.255.254\n", "all.test": "* A 127.0.0.2\n"})
    server.start()
    yield server
    server.remove()


@pytest.fixture
def run(home: Path, nsd: Nsd, whosends: Whosends) -> Run:
    """Two strangers whose mail fails, one sender of ours, and a service's address whose mail fails."""
    settings = home / "here" / "whosends.toml"
    settings.write_text(
        f'[resolver]\nnameservers = ["127.0.0.1"]\nport = {nsd.port}\ntimeout = 1.0\n'
        f'[warehouse]\npath = "{home / "w.duckdb"}"\nuser = "anna"\n'
        '[blocklists]\nzones = ["list.test", "refuses.test", "list.test"]\n'
    )
    mails = ((LISTED, 30, "fail"), (FREE, 20, "fail"), (OURS, 50, "pass"), (SERVICE, 40, "fail"))
    rows = "".join(ROW.format(ip=ip, count=count, result=result) for ip, count, result in mails)
    report = home / "report.xml"
    report.write_bytes(xml(rows, begin=1_795_000_000))
    assert whosends("ingest", report).code == 0
    made = Run({})
    made.options["config"] = settings
    return made


def test_the_doctor_tells_which_lists_can_be_used(run: Run, home: Path, nsd: Nsd, whosends: Whosends) -> None:
    config = run.options["config"]
    zones = '["all.test", "gone.list.test", "dark.test", "list.test", "refuses.test"]'
    config.write_text(config.read_text().partition("[blocklists]")[0] + f"[blocklists]\nzones = {zones}\n")
    said = {one["name"]: one for one in whosends("doctor", "--json", "--config", config).document["checks"]}
    told = {name.removeprefix("blocklist "): one for name, one in said.items() if name.startswith("blocklist ")}
    assert {name: one["state"] for name, one in told.items()} == {
        "all.test": "warn", "gone.list.test": "warn", "dark.test": "warn", "list.test": "ok", "refuses.test": "warn",
    }  # fmt: skip
    assert told["list.test"]["what"] == "It answers for its test points as it should: IPv4 only."
    words = {"all.test": "lists everything", "gone.list.test": "test point", "refuses.test": "refuses the resolver"}
    assert all(said in told[name]["what"] for name, said in words.items())
    assert "gives no answer" in told["dark.test"]["what"]
    assert all(bool(one["fix"]) is (one["state"] == "warn") for one in told.values())
    offline = whosends("doctor", "--json", "--offline", "--config", config).document["checks"]
    assert sum(one["what"] == "Not asked: offline." for one in offline if one["name"].startswith("blocklist ")) == 5


def due(run: Run, days: int = 7, later: int = 0) -> list[str]:
    with Warehouse(run.config.warehouse_path, WarehouseSettings()).reading() as connection:
        at = now() + timedelta(days=later)
        return blocklists.to_ask(connection, Scope(), ("list.test", "refuses.test"), at, days, 10)


def test_strangers_that_fail_are_asked_for_once_and_what_is_listed_weighs(run: Run, whosends: Whosends) -> None:
    assert due(run) == [LISTED, FREE]
    before = {one["source_key"]: one for one in whosends("sources", "--json").document["sources"]}
    ask_blocklists(run)
    assert due(run) == []
    found = {one["source_key"]: one for one in whosends("sources", "--json").document["sources"]}
    codes = {key: [entry["code"] for entry in one["evidence"]] for key, one in found.items()}
    assert [key for key, each in codes.items() if "blocklisted_host" in each] == ["net:95.216.3.0/24"]
    ours = {key: one["probabilities"]["aligned"] + one["probabilities"]["misaligned"] for key, one in found.items()}
    then = {key: one["probabilities"]["aligned"] + one["probabilities"]["misaligned"] for key, one in before.items()}
    assert ours["net:95.216.3.0/24"] < then["net:95.216.3.0/24"]
    # That a list does not hold an address proves nothing.
    assert ours["net:116.203.9.0/24"] == then["net:116.203.9.0/24"]


def test_what_lists_say_is_shown_and_what_refuses_is_no_answer(run: Run, whosends: Whosends) -> None:
    ask_blocklists(run)
    told = whosends("sources", "show", LISTED)
    assert "list.test" in told.out
    assert "127.0.0.4" in told.out
    assert "The blocklist refuses.test refuses for IPv4" in told.out + told.err
    [row] = whosends("sources", "show", LISTED, "--json").document["blocklists"]
    assert (row["zone"], row["asked"], row["listed"], row["codes"]) == ("list.test", 1, 1, ["127.0.0.4"])
    [rows] = whosends("sources", "show", LISTED, "--rows", "--json").document["rows"]
    [answer] = rows["blocklist_answer"]
    assert (answer["source_ip"], answer["zone"], answer["codes"]) == (LISTED, "list.test", ["127.0.0.4"])
    assert sum(row["messages"] for row in rows["daily"]) == sum(row["messages"] for row in rows["source_day"])
    assert "127.0.0.4  " in whosends("sources", "show", LISTED, "--rows").out
    [row] = whosends("sources", "show", FREE, "--json").document["blocklists"]
    assert (row["asked"], row["listed"], row["codes"]) == (1, 0, [])


def test_a_delisting_is_kept_beside_the_listing(run: Run, nsd: Nsd) -> None:
    ask_blocklists(run)
    nsd.set("list.test", "2.0.0.127 A 127.0.0.2\n")
    assert due(run, later=8) == [LISTED, FREE]
    with Warehouse(run.config.warehouse_path, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE blocklist_answer SET last_seen_at = last_seen_at - INTERVAL 8 DAY")
    ask_blocklists(run)
    with Warehouse(run.config.warehouse_path, WarehouseSettings()).reading() as connection:
        kept = connection.execute(
            "SELECT source_ip, codes FROM blocklist_answer ORDER BY source_ip DESC, first_seen_at"
        ).fetchall()
    assert kept == [(LISTED, ["127.0.0.4"]), (LISTED, []), (FREE, [])]


def test_who_is_decided_about_is_not_asked_for(run: Run, whosends: Whosends) -> None:
    assert whosends("sources", "approve", LISTED, "--owner", "IT").code == 0
    assert due(run) == [FREE]


def test_nobody_is_asked_where_no_list_is_set_or_offline(run: Run, home: Path, whosends: Whosends) -> None:
    settings = home / "here" / "whosends.toml"
    run.options["offline"] = True
    ask_blocklists(run)
    unset = Run({})
    settings.write_text(settings.read_text().replace("zones =", "# zones ="))
    unset.options["config"] = settings
    ask_blocklists(unset)
    assert due(unset) == [LISTED, FREE]
    with Warehouse(home / "w.duckdb", WarehouseSettings()).reading() as connection:
        assert connection.execute("SELECT count(*) FROM blocklist_zone").fetchone() == (0,)


@pytest.mark.parametrize(
    ("zones", "said"),
    [
        ('["Zen.example"]', "must be names in lower case"),
        ('["a b.test"]', "must be names in lower case"),
        ('["1.test", "2.test", "3.test", "4.test", "5.test", "6.test"]', "at most 5 zones"),
    ],
)
def test_a_zone_that_is_none_gets_one_sentence(home: Path, whosends: Whosends, zones: str, said: str) -> None:
    (home / "here" / "whosends.toml").write_text(f"[blocklists]\nzones = {zones}\n")
    told = whosends("sources")
    assert told.code == 2
    assert said in told.out + told.err
