"""Forged and genuine report mails in a real mailbox, keys in a real name server, polled by the command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.signing import ReportMail, Signer, zones
from tests.servers.dovecot import Account, Dovecot
from tests.servers.nsd import Nsd
from tests.warehouse.build import row, xml

COMMAND = str(Path(sys.executable).with_name("whosends"))
REPORTERS = {name: Signer(name, number=number) for number, name in enumerate(("google.test", "yahoo.test", "web.test"))}
EVIL = Signer("evil.test", number=3)
LAST = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def nsd() -> Iterator[Nsd]:
    server = Nsd(zones(*REPORTERS.values(), EVIL))
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    server = Dovecot()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def account(server: Dovecot) -> Account:
    return server.account()


@pytest.fixture
def config(account: Account, nsd: Nsd, tmp_path: Path) -> Path:
    path = tmp_path / "whosends.toml"
    path.write_text(f"""
[warehouse]
path = "{tmp_path / "warehouse.duckdb"}"
[resolver]
nameservers = ["127.0.0.1"]
port = {nsd.port}
lifetime = 5.0
[[mailbox]]
host = "localhost"
port = {account.server.tls_port}
ca_file = "{account.server.ca_file}"
user = "{account.user}"
password = "{account.password}"
""")
    path.chmod(0o600)
    return path


def whosends(config: Path, *arguments: str, codes: tuple[int, ...] = (0, 1)) -> Any:
    command = [COMMAND, "--config", str(config), *arguments, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode in codes, ran.stderr
    return json.loads(ran.stdout)


def report(reporter: str, back: int, *rows: str, report_id: str = "") -> bytes:
    begin = int((LAST - timedelta(days=back)).timestamp())
    name = report_id or f"{reporter}-{back}"
    body = xml(*(rows or (row("192.0.2.1", 100, "pass", "pass"),)), reporter=reporter, report_id=name, begin=begin)
    return body.replace(b"r@example.net", f"dmarc@{reporter}".encode())


def deliver_month(account: Account) -> None:
    for reporter, signer in REPORTERS.items():
        for back in range(30):
            account.deliver(signer.sign(ReportMail(report(reporter, back), f"dmarc@{reporter}").mail()))


def graded(config: Path) -> dict[str, tuple[str, list[str], int, int]]:
    found = whosends(config, "reporters")["reporters"]
    return {one["reporter"]: (one["grade"], one["attested_by"], one["reports"], one["left_out"]) for one in found}


def verdicts(config: Path) -> dict[str, Any]:
    status = whosends(config, "status")
    return {
        "domains": [{**one, "top_issue": None} for one in status["domains"]],
        "sources": whosends(config, "sources")["sources"],
        "readiness": whosends(config, "readiness", "example.com", "--target", "reject", codes=(0, 1, 3)),
        "drift": whosends(config, "drift", codes=(0, 1, 3)),
    }


def test_forged_mail_changes_nothing_but_is_told_of(account: Account, config: Path) -> None:
    deliver_month(account)
    assert whosends(config, "poll")["reports"] == 90
    assert graded(config) == {name: ("verified", [name], 30, 0) for name in REPORTERS}
    before = verdicts(config)

    bot = row("198.18.0.66", 100_000, "fail", "fail")
    unknown, known, bare = (
        report(name, back, bot, report_id="forged")
        for back, name in enumerate(("unknown.test", "google.test", "yahoo.test"))
    )
    account.deliver(EVIL.sign(ReportMail(unknown, "dmarc@unknown.test").mail()))
    account.deliver(EVIL.sign(ReportMail(known, "dmarc@google.test").mail()))
    account.deliver(ReportMail(bare, "dmarc@yahoo.test").mail())
    assert whosends(config, "poll")["reports"] == 3

    assert graded(config) == {
        "unknown.test": ("mismatch", ["evil.test"], 1, 100_000),
        "google.test": ("verified", ["google.test"], 31, 100_000),
        "yahoo.test": ("verified", ["yahoo.test"], 31, 100_000),
        "web.test": ("verified", ["web.test"], 30, 0),
    }
    assert verdicts(config) == before
    (told,) = [
        one for one in whosends(config, "report", "weekly", "--week", week())["findings"] if "doubt" in one["code"]
    ]
    assert told["messages"] == 300_000
    assert "claimed by 3 unverified reporters only" in told["title"]


def week() -> str:
    year, number, _ = LAST.isocalendar()
    return f"{year}-W{number:02d}"


def test_a_verified_resend_replaces_a_forged_first_comer(account: Account, config: Path) -> None:
    forged = report("google.test", 0, row("198.18.0.66", 100_000, "fail", "fail"))
    account.deliver(EVIL.sign(ReportMail(forged, "dmarc@google.test").mail()))
    whosends(config, "poll")
    account.deliver(REPORTERS["google.test"].sign(ReportMail(report("google.test", 0), "dmarc@google.test").mail()))
    assert whosends(config, "poll")["stored"] == 1
    (stored,) = whosends(config, "query", "SELECT messages, attestation, attested_by FROM aggregate_report")["rows"]
    assert stored == {"messages": 100, "attestation": "verified", "attested_by": "google.test"}
    (kept,) = whosends(config, "quarantine", "list")["quarantine"]
    assert kept["reason"] == "conflict"


def test_offline_nobody_is_asked(account: Account, config: Path) -> None:
    account.deliver(EVIL.sign(ReportMail(report("google.test", 0)).mail()))
    whosends(config, "--offline", "poll")
    assert graded(config) == {"google.test": ("unattested", [], 1, 0)}
