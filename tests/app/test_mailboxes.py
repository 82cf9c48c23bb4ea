"""init, poll and doctor against a real mail server; nothing changes in the mailbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from app import exitcodes
from app.config import load
from tests.app.conftest import PROGRAM, Whosends
from tests.servers.dovecot import Account, dovecot, dovecot_server
from tests.servers.nsd import Nsd
from tests.warehouse.build import row, xml

__all__ = ["dovecot", "dovecot_server"]

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("dovecot")]


def mail(report: bytes | None, subject: str = "Report domain: example.com") -> bytes:
    """A mail that brings a report, or only says something."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "r@example.net", "dmarc@example.com", subject
    message.set_content("hello")
    if report:
        message.add_attachment(
            report, maintype="application", subtype="xml", filename="example.net!example.com!1!2.xml"
        )
    return message.as_bytes()


def options(account: Account) -> list[str]:
    """The mailbox of a test account, as options of init."""
    return [
        "--host", "localhost", "--port", str(account.server.tls_port), "--user", account.user,
        "--ca-file", str(account.server.ca_file),
    ]  # fmt: skip


@pytest.fixture
def secret(home: Path, dovecot: Account) -> Path:
    """The password in a file of the user's alone."""
    path = home / "secret"
    path.write_text(dovecot.password + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def mailbox(whosends: Whosends, dovecot: Account, secret: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """A mailbox with two reports and a note, written to the user's configuration; DNS is out of reach."""
    monkeypatch.setenv("WHOSENDS_RESOLVER__NAMESERVERS", "127.0.0.1")
    monkeypatch.setenv("WHOSENDS_RESOLVER__PORT", "1")
    dovecot.deliver(mail(xml(report_id="one")))
    dovecot.deliver(mail(xml(report_id="two", reporter="Other")))
    dovecot.deliver(mail(None, "Lunch"))
    ran = whosends("init", *options(dovecot), "--password-file", secret)
    assert ran.code == exitcodes.OK, ran.err
    return dovecot


def test_init_looks_counts_writes_and_changes_nothing(whosends: Whosends, mailbox: Account, home: Path) -> None:
    file = home / "config" / "whosends" / "config.toml"
    assert (file.stat().st_mode & 0o777) == 0o600
    (settings,) = load(None, {}, {}).mailboxes
    assert (settings.name, settings.user, settings.password) == ("main", mailbox.user, "")
    assert settings.folders == ("INBOX",)
    assert set(mailbox.state().values()) == {frozenset()}
    ran = whosends("init", *options(mailbox), "--name", "second", "--password-file", home / "secret", "--json")
    assert ran.document["folders"] == {"INBOX": 3}
    sample = ran.document["sample"]
    assert (sample["messages"], sample["report_mails"], sample["domains"]) == (3, 2, ["example.com"])
    assert sorted(sample["reporters"]) == ["Other", "Reporter"]
    assert [one.name for one in load(None, {}, {}).mailboxes] == ["main", "second"]


def test_init_says_what_it_found(whosends: Whosends, mailbox: Account, home: Path) -> None:
    ran = whosends("init", *options(mailbox), "--name", "b", "--password-command", f"cat {home / 'secret'}")
    assert "INBOX: 3 messages." in ran.out
    assert "Of the latest 3: 2 report mails about 1 domain from 2 reporters" in ran.out
    assert "Nothing was moved, marked or deleted, and nothing will be." in ran.out
    assert "Next: whosends poll" in ran.err


def test_init_reads_the_password_from_standard_input(dovecot: Account, home: Path) -> None:
    arguments = [str(PROGRAM), "init", *options(dovecot), "--password-stdin", "--config", str(home / "new.toml")]
    done = subprocess.run(arguments, input=dovecot.password + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == exitcodes.OK, done.stderr
    assert load(home / "new.toml", {}, {}).mailboxes[0].password == dovecot.password
    assert (home / "new.toml").stat().st_mode & 0o777 == 0o600
    assert dovecot.password not in done.stdout + done.stderr


def test_init_asks_nobody_where_nobody_is(home: Path) -> None:
    arguments = [str(PROGRAM), "init", "--host", "h", "--user", "u"]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == exitcodes.USAGE
    assert "Give --password-file, --password-command or --password-stdin." in done.stderr


def test_init_that_fails_writes_nothing(whosends: Whosends, dovecot: Account, home: Path) -> None:
    (home / "wrong").write_text("wrong")
    (home / "wrong").chmod(0o600)
    ran = whosends("init", *options(dovecot), "--password-file", home / "wrong")
    assert ran.code == exitcodes.FAILED
    assert "refused the login" in ran.err
    assert not (home / "config").exists()


def test_init_refuses_a_name_that_is_taken(whosends: Whosends, mailbox: Account, home: Path) -> None:
    ran = whosends("init", *options(mailbox), "--password-file", home / "secret")
    assert ran.code == exitcodes.USAGE
    assert "has a mailbox 'main' already" in ran.err


def test_init_offline_does_not_even_look(whosends: Whosends, home: Path) -> None:
    ran = whosends("--offline", "init", "--host", "imap.invalid", "--user", "u", "--password-command", "true")
    assert ran.code == exitcodes.OK
    assert load(None, {}, {}).mailboxes[0].host == "imap.invalid"


def test_poll_stores_once_and_leaves_the_mailbox_alone(whosends: Whosends, mailbox: Account, home: Path) -> None:
    path = home / "x.duckdb"
    ran = whosends("poll", "--warehouse", path, "--json")
    assert ran.code == exitcodes.OK, ran.err
    assert (ran.document["seen"], ran.document["reports"], ran.document["not_reports"]) == (3, 2, 1)
    assert whosends("poll", "--warehouse", path, "--json").document["seen"] == 0
    mailbox.deliver(mail(xml(report_id="three")[:-30]))
    ran = whosends("poll", "--warehouse", path, "--json")
    assert (ran.code, ran.document["quarantined"]) == (exitcodes.OK, 1)
    assert set(mailbox.state().values()) == {frozenset()}


def test_poll_marks_what_is_stored_where_that_is_wanted(
    whosends: Whosends, mailbox: Account, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOSENDS_MAILBOX__AFTER", "seen")
    assert whosends("poll", "--warehouse", home / "x.duckdb").code == exitcodes.OK
    assert sorted(len(flags) for flags in mailbox.state().values()) == [0, 1, 1]


def test_one_mailbox_that_fails_does_not_stop_the_others(whosends: Whosends, mailbox: Account, home: Path) -> None:
    file = home / "config" / "whosends" / "config.toml"
    broken = '[[mailbox]]\nname = "broken"\nhost = "localhost"\nport = 1\nuser = "u"\npassword_file = "/missing"\n'
    file.write_text(broken + file.read_text())
    (home / "wrong").write_text("wrong")
    (home / "wrong").chmod(0o600)
    file.write_text(file.read_text().replace("port = 1\n", f"port = {mailbox.server.tls_port}\n"))
    ran = whosends("poll", "--warehouse", home / "x.duckdb", "--json")
    assert ran.code == exitcodes.FAILED
    assert ran.document["reports"] == 2
    (failure,) = ran.document["failures"]
    assert (failure["origin"], failure["reason"]) == ("broken", "mailbox")
    assert "broken" in ran.err
    assert whosends("poll", "--mailbox", "main", "--warehouse", home / "x.duckdb").code == exitcodes.OK
    assert "Did you mean 'main'?" in whosends("poll", "--mailbox", "mian", "--warehouse", home / "x.duckdb").err


def test_poll_names_new_addresses_by_dns(
    whosends: Whosends, mailbox: Account, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keys() -> list[str]:
        found = whosends("query", "SELECT DISTINCT source_key FROM daily ORDER BY ALL", "--warehouse", path, "--json")
        return [row["source_key"] for row in found.document["rows"]]

    path = home / "x.duckdb"
    mailbox.deliver(mail(xml(row("85.17.66.10"), report_id="hosted")))
    assert whosends("poll", "--warehouse", path).code == exitcodes.OK
    assert keys() == ["net:192.0.2.0/24", "net:85.17.66.0/24"]
    server = Nsd({"66.17.85.in-addr.arpa": "10 PTR mail.crm.example.net.\n", "example.net": "mail.crm A 85.17.66.10\n"})
    server.start()
    try:
        monkeypatch.setenv("WHOSENDS_RESOLVER__PORT", str(server.port))
        assert whosends("poll", "--offline", "--warehouse", path).code == exitcodes.OK  # it is on this machine
        assert keys() == ["net:192.0.2.0/24", "net:85.17.66.0/24"]  # and nobody was asked for names
        assert whosends("poll", "--warehouse", path).code == exitcodes.OK
    finally:
        server.remove()
    assert [key for key in keys() if key.startswith("ptr:")] == ["ptr:example.net@leaseweb.com"]


def test_poll_watch_goes_on_until_it_is_told_to_end(mailbox: Account, home: Path) -> None:
    path = home / "watched.duckdb"
    arguments = [str(PROGRAM), "poll", "--watch", "--warehouse", str(path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            _until(path, 2)
            mailbox.deliver(mail(xml(report_id="late")))
            _until(path, 3)
        finally:
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == exitcodes.OK, err
    assert err.startswith("Watching main.")
    assert "Traceback" not in err


def test_poll_watch_ends_by_the_error_when_no_mailbox_is_left(mailbox: Account, home: Path) -> None:
    (home / "secret").write_text("wrong")
    arguments = [str(PROGRAM), "poll", "--watch", "--warehouse", str(home / "x.duckdb")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == exitcodes.FAILED
    assert "refused the login" in done.stderr


def test_poll_needs_a_mailbox_and_the_network(whosends: Whosends, home: Path) -> None:
    ran = whosends("poll")
    assert (ran.code, "whosends init" in ran.err) == (exitcodes.USAGE, True)
    assert whosends("poll", "--offline").code == exitcodes.USAGE
    file = home / "far.toml"
    file.write_text('[[mailbox]]\nhost = "imap.example.com"\nuser = "u"\npassword_command = "false"\n')
    ran = whosends("poll", "--offline", "--config", file)
    assert (ran.code, "--offline forbids it" in ran.err) == (exitcodes.USAGE, True)


def test_doctor_logs_in(whosends: Whosends, mailbox: Account, home: Path) -> None:
    ran = whosends("doctor", "--json", "--warehouse", home / "x.duckdb")
    states = {check["name"]: check for check in ran.document["checks"]}
    assert states["mailbox main"]["state"] == "ok"
    assert "INBOX 3 messages" in states["mailbox main"]["what"]
    (home / "secret").write_text("wrong")
    ran = whosends("doctor", "--json", "--warehouse", home / "x.duckdb")
    assert (ran.code, ran.document["ok"]) == (exitcodes.FOUND, False)


def _until(path: Path, reports: int) -> None:
    """Wait until so many reports are stored; asked as a person would."""
    arguments = [
        str(PROGRAM),
        "query",
        "SELECT count(*) AS n FROM aggregate_report",
        "--warehouse",
        str(path),
        "--json",
    ]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done = subprocess.run(arguments, capture_output=True, text=True, env=dict(os.environ), check=False)  # noqa: TID251
        if done.returncode == 0 and json.loads(done.stdout)["rows"] == [{"n": reports}]:
            return
        time.sleep(0.3)
    pytest.fail(f"there were never {reports} reports")
