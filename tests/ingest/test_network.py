from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.network import UNKNOWN, Network, NetworkDatabase, Service, ServiceMap, resource


@pytest.fixture(scope="module")
def installed() -> NetworkDatabase:
    return NetworkDatabase()


def test_a_public_address(installed: NetworkDatabase) -> None:
    google, same = installed.lookup(["8.8.8.8", "2001:4860:4860::8888"])
    assert google == Network(15169, "Google LLC", "google.com", "US")
    assert same.asn == 15169


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1",
        "127.0.0.1",
        "192.0.2.1",
        "100.64.0.1",
        "fe80::1",
        "::1",
        "2001:db8::1",
        "mail.example.com",
        "",
        "1.2.3",
    ],
)
def test_private_reserved_and_no_addresses_are_unknown(installed: NetworkDatabase, ip: str) -> None:
    assert [*installed.lookup([ip])] == [UNKNOWN] == [Network(None, "", "", "")]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what a process has mapped")
def test_a_database_is_open_only_while_it_is_asked(installed: NetworkDatabase) -> None:
    def mapped() -> bool:
        return ".mmdb" in Path("/proc/self/maps").read_text()

    networks = installed.lookup(["8.8.8.8", "8.8.4.4"])
    next(networks)
    assert mapped()
    assert len([*networks]) == 1
    assert installed.edition
    assert not mapped()


def test_a_missing_or_damaged_database_knows_nothing(tmp_path: Path) -> None:
    damaged = tmp_path / "x.mmdb"
    damaged.write_bytes(b"no database")
    for path in (damaged, tmp_path / "gone.mmdb"):
        assert [*NetworkDatabase(path).lookup(["8.8.8.8"])] == [UNKNOWN]
        assert not NetworkDatabase(path).edition


def test_services_by_their_longest_listed_suffix(tmp_path: Path) -> None:
    table = tmp_path / "map.csv"
    table.write_text(
        "base_reverse_dns,name,type\nexample.net,Example Hosting,Web Host\nmail.example.net,Example Mail,SaaS\n,,\n"
    )
    services = ServiceMap(table)
    assert services.lookup("o1.mail.Example.NET.") == Service("Example Mail", "SaaS")
    assert services.lookup("vps7.example.net") == Service("Example Hosting", "Web Host")
    assert services.lookup("example.net") == Service("Example Hosting", "Web Host")
    assert services.lookup("net") is None
    assert services.lookup("") is None
    assert services.lookup("notexample.net") is None


def test_the_installed_map_names_a_known_service() -> None:
    service = ServiceMap().lookup("o1.ptr1234.sendgrid.net")
    assert service is not None
    assert "sendgrid" in service.name.lower()


def test_a_missing_or_damaged_map_knows_nothing(tmp_path: Path) -> None:
    damaged = tmp_path / "map.csv"
    damaged.write_bytes(b"base_reverse_dns,name,type\n\xff\xfe")
    for path in (damaged, tmp_path / "gone.csv"):
        assert ServiceMap(path).lookup("sendgrid.net") is None


def test_a_resource_that_is_not_there() -> None:
    assert resource("no", "such", "file") is None


def test_parsedmarc_is_found_and_not_imported() -> None:
    code = (
        "import sys; from ingest.network import NetworkDatabase, ServiceMap; "
        "list(NetworkDatabase().lookup(['8.8.8.8'])); ServiceMap().lookup('a.b'); print('parsedmarc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
