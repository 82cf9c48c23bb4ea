"""The sample mails in a real mailbox, polled by the command: drops, pushes, renumbering, and nothing twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.dovecot import Account, Dovecot
from tests.servers.webhook import webhook
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

ROOT = Path(__file__).parents[1]
TRUTH = json.loads((ROOT / "sample_reports" / "truth.json").read_text("utf-8"))
OTHER_KINDS = {Path(file["path"]).name for file in TRUTH["files"] if "kind" in file}
MAILS = [path for path in sorted((ROOT / "sample_reports" / "mail").glob("*.eml")) if path.name not in OTHER_KINDS]
COMMAND = str(Path(sys.executable).with_name("whosends"))

pytestmark = pytest.mark.server


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
def config(account: Account, tmp_path: Path) -> Path:
    path = tmp_path / "whosends.toml"
    path.write_text(f"""
[warehouse]
path = "{tmp_path / "warehouse.duckdb"}"
[resolver]
lifetime = 1.0
nameservers = ["127.0.0.1"]
port = 9
[[mailbox]]
host = "localhost"
port = {account.server.tls_port}
ca_file = "{account.server.ca_file}"
user = "{account.user}"
password = "{account.password}"
batch_messages = 50
interval = 2.0
timeout = 10.0
""")
    path.chmod(0o600)
    return path


def whosends(config: Path, *arguments: str) -> Any:
    command = [COMMAND, "--config", str(config), *arguments, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode in (0, 1), ran.stderr
    return json.loads(ran.stdout)


def count(config: Path, sql: str) -> int:
    (row,) = whosends(config, "query", sql)["rows"]
    return int(next(iter(row.values())))


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def reports_in(mails: list[Path]) -> int:
    wanted = {f"mail/{path.name}" for path in mails}
    found = {
        (report["reporter"].casefold(), report["domain"], report["report_id"], report["begin"], report["end"])
        for file in TRUTH["files"]
        if file["path"].removeprefix("sample_reports/") in wanted
        for report in file["reports"]
    }
    return len(found)


def test_a_mailbox_is_read_once_and_left_as_it_was(account: Account, config: Path) -> None:
    mails = MAILS[:600]
    for path in mails:
        account.deliver(path.read_bytes())
    before = account.state()
    first = whosends(config, "poll")
    assert first["seen"] == len(mails)
    assert first["seen"] == sum(first[name] for name in ("stored", "duplicates", "quarantined", "not_reports"))
    assert first["reports"] == reports_in(mails) == count(config, "SELECT count(*) FROM aggregate_report")
    second = whosends(config, "poll")
    assert (second["seen"], second["reports"]) == (0, 0)
    assert account.state() == before
    account.change_uidvalidity()
    third = whosends(config, "poll")
    assert (third["seen"], third["reports"]) == (len(mails), 0)
    assert count(config, "SELECT count(*) FROM aggregate_report") == first["reports"]
    assert not any(account.state().values())


def test_a_connection_that_drops_again_and_again_loses_and_doubles_nothing(account: Account, config: Path) -> None:
    mails = MAILS[600:1000]
    for path in mails:
        account.deliver(path.read_bytes())
    done = threading.Event()

    def cut() -> None:
        for pause in (0.3, 0.1, 0.1, 0.4, 0.1):
            if done.wait(pause):
                return
            account.server.kill_connections()

    cutter = threading.Thread(target=cut)
    process = subprocess.Popen([COMMAND, "--config", str(config), "poll", "--json"], stdout=subprocess.PIPE, text=True)
    cutter.start()
    out, _ = process.communicate(timeout=120)
    done.set()
    cutter.join()
    assert process.returncode in (0, 1)
    assert json.loads(out)["seen"] == len(mails)
    assert count(config, "SELECT count(*) FROM aggregate_report") == reports_in(mails)
    assert count(config, "SELECT count(*) FROM message") == len(mails)


def test_watching_stores_what_is_pushed_and_ends_when_told(account: Account, config: Path) -> None:
    first, pushed = MAILS[1100:1110], MAILS[1110:1113]
    for path in first:
        account.deliver(path.read_bytes())
    command = [COMMAND, "--config", str(config), "poll", "--watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        warehouse = config.parent / "warehouse.duckdb"
        assert eventually(lambda: warehouse.exists() and count(config, "SELECT count(*) FROM message") == len(first))
        for path in pushed:
            account.deliver(path.read_bytes())
        assert eventually(lambda: count(config, "SELECT count(*) FROM message") == len(first) + len(pushed))
        account.server.restart()
        account.deliver(MAILS[1113].read_bytes())
        assert eventually(lambda: count(config, "SELECT count(*) FROM message") == 14, seconds=40)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors


def test_two_pollers_on_one_mailbox_do_no_harm(account: Account, config: Path) -> None:
    mails = MAILS[1000:1100]
    for path in mails:
        account.deliver(path.read_bytes())
    command = [COMMAND, "--config", str(config), "poll", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    assert sum(answer["reports"] for answer in answers) == reports_in(mails)
    assert count(config, "SELECT count(*) FROM aggregate_report") == reports_in(mails)
    assert whosends(config, "poll")["seen"] == 0


def test_after_moves_what_is_stored_and_nothing_else(account: Account, config: Path) -> None:
    reports, other = MAILS[1200:1205], b"From: a@example.net\r\nSubject: lunch\r\n\r\nAt noon?\r\n"
    for path in reports:
        account.deliver(path.read_bytes())
    account.deliver(other)
    with account.imap() as client:
        client.create("Done")
    config.write_text(config.read_text() + 'after = "move:Done"\n')
    answer = whosends(config, "poll")
    assert (answer["stored"] + answer["duplicates"], answer["not_reports"]) == (5, 1)
    assert len(account.state()) == 1
    assert len(account.state("Done")) == 5
    assert count(config, "SELECT count(*) FROM mailbox_action") == 0


def test_a_mailbox_that_refuses_to_move_is_read_all_the_same(account: Account, config: Path) -> None:
    reports, plain = MAILS[1200:1205], config.read_text()
    with account.imap() as client:
        client.create("Done")
    for at, more in enumerate((reports[:3], reports[3:])):
        for path in more:
            account.deliver(path.read_bytes())
        # No server has such a folder. What the first run owes must not keep the second one from reading.
        config.write_text(plain + 'after = "move:a//b"\n')
        command = [COMMAND, "--config", str(config), "poll", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 4, done.stderr
        answer = json.loads(done.stdout)
        assert (answer["seen"], answer["stored"] + answer["duplicates"]) == (len(more), len(more)), at
        assert [failure["reason"] for failure in answer["failures"]] == ["mailbox"]
        assert "refused" in done.stderr
    assert count(config, "SELECT count(*) FROM mailbox_action") == len(account.state()) == 5
    config.write_text(plain + 'after = "move:Done"\n')
    assert whosends(config, "poll")["seen"] == 0
    assert len(account.state("Done")) == 5
    assert count(config, "SELECT count(*) FROM mailbox_action") == 0


def test_a_watch_goes_on_where_the_mailbox_refuses_to_move(account: Account, config: Path) -> None:
    assert whosends(config, "poll")["seen"] == 0
    config.write_text(config.read_text() + 'after = "move:a//b"\n')
    command = [COMMAND, "--config", str(config), "poll", "--watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for number in (1, 2):
            account.deliver(MAILS[1300 + number].read_bytes())
            assert eventually(lambda number=number: count(config, "SELECT count(*) FROM message") == number, seconds=60)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 4, errors
    assert errors.count("refused to move") == 2, errors  # when it began, and what it ends with


def test_a_watch_that_owes_something_waits_for_a_server_that_is_down(account: Account, config: Path) -> None:
    account.deliver(MAILS[1300].read_bytes())
    with account.imap() as client:
        client.create("Done")
    assert whosends(config, "poll")["seen"] == 1
    config.write_text(config.read_text() + 'after = "move:Done"\n')
    with Warehouse(config.parent / "warehouse.duckdb", WarehouseSettings()).writing() as connection:
        # As if the poll had been killed between its commit and the move.
        connection.execute("INSERT INTO mailbox_action SELECT mailbox, folder, uidvalidity, uid FROM mailbox_cursor")
    account.server.stop()
    command = [COMMAND, "--config", str(config), "poll", "--watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = next((line for line in process.stderr if "Waiting for it" in line), "")
        assert said, "it ended"
        assert process.poll() is None
    finally:
        account.server.start()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    whosends(config, "poll")
    assert len(account.state("Done")) == 1
    assert count(config, "SELECT count(*) FROM mailbox_action") == 0


def test_watching_tells_of_what_it_stored_once_and_waits_while_more_comes(account: Account, config: Path) -> None:
    with webhook() as hook:
        alert = f'[[alert]]\nname = "ops"\nurl = "{hook.url}"\nseverity = "info"\ncooldown = 0.0\n'
        config.write_text(config.read_text() + alert)
        for path in MAILS[:60]:
            account.deliver(path.read_bytes())
        command = [COMMAND, "--config", str(config), "poll", "--watch"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert eventually(lambda: bool(hook.posted), seconds=60)
            told = len(whosends(config, "findings", "--all")["findings"])
            assert eventually(lambda: len(hook.posted) == told)
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert f"Alerts: {told:,} sent." in errors
        assert {posted["event"] for posted in hook.posted} == {"opened"}
        assert len({posted["finding"]["id"] for posted in hook.posted}) == len(hook.posted)
        assert whosends(config, "alert", "run")["sent"] == []
