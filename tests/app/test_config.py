"""Settings: where they come from, which one counts, and what is said about wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import config, exitcodes
from app.config import Config, load
from ingest.errors import UsageError
from tests.app.conftest import COLD, Whosends

FULL = """
offline = true
[warehouse]
path = "reports.duckdb"
wait = 5
[limits]
depth = 3
[resolver]
nameservers = ["192.0.2.53"]
[drift]
points = 2.5
[report]
owner = "Post Office"
[[mailbox]]
name = "main"
host = "imap.example.com"
user = "dmarc@example.com"
password_command = "pass show dmarc"
[[mailbox]]
name = "second-box"
host = "imap.example.net"
user = "x"
[[domain]]
name = "Example.COM."
owner = "IT"
target = "reject"
"""


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_file_sets_everything(home: Path) -> None:
    file = write(home / "x.toml", FULL)
    found = load(file, {}, {})
    assert found.offline
    assert found.warehouse_path == home / "reports.duckdb"
    assert (found.warehouse.wait, found.limits.depth, found.drift.points) == (5.0, 3, 2.5)
    assert isinstance(found.warehouse.wait, float)
    assert found.resolver.nameservers == ("192.0.2.53",)
    assert [mailbox.name for mailbox in found.mailboxes] == ["main", "second-box"]
    assert found.domains[0].name == "example.com"
    assert found.targets == {"example.com": "reject"}


def test_domains_are_the_same_ones_wherever_they_are_named(home: Path) -> None:
    named = 'name = "a"\ndomains = ["Example.COM.", "b.example"]\n'
    text = f'[findings]\nprimary = ["Example.COM."]\n[[recipient]]\nto = ["x@y.example"]\n{named}[[alert]]\n{named}'
    found = load(write(home / "x.toml", text), {}, {})
    assert found.findings.primary == ("example.com",)
    assert [one.domains for one in (*found.recipients, *found.alerts)] == [("example.com", "b.example")] * 2
    assert load(None, {"WHOSENDS_FINDINGS__PRIMARY": "Example.COM."}, {}).findings.primary == ("example.com",)
    assert found.analysis.drift is found.drift


def test_nothing_set_is_all_defaults(home: Path) -> None:
    found = load(None, {}, {})
    assert found == Config(origins={})
    assert found.warehouse_path == home / "data" / "whosends" / "warehouse.duckdb"


def test_precedence_is_option_environment_file_default(home: Path) -> None:
    file = write(home / "x.toml", '[warehouse]\npath = "file"\nwait = 1\nthreads = 3\n')
    environ = {"WHOSENDS_WAREHOUSE": "/environment", "WHOSENDS_WAREHOUSE__WAIT": "2.5"}
    found = load(file, environ, {"warehouse.path": "/option"})
    assert found.warehouse.path == "/option"
    assert found.warehouse.wait == 2.5
    assert found.warehouse.threads == 3
    assert found.warehouse.keep_documents is True
    assert found.origins == {
        "warehouse.path": "--warehouse",
        "warehouse.wait": "WHOSENDS_WAREHOUSE__WAIT",
        "warehouse.threads": str(file),
    }
    assert load(file, environ, {}).warehouse.path == "/environment"
    assert load(file, {}, {}).warehouse.path == str(home / "file")


def test_the_first_file_that_exists_counts(home: Path) -> None:
    assert config.locate(None, {}) is None
    user = home / "config" / "whosends" / "config.toml"
    user.parent.mkdir(parents=True)
    write(user, "")
    assert config.locate(None, {}) == user
    here = write(Path("whosends.toml"), "").absolute()
    assert config.locate(None, {}) == here
    named = write(home / "named.toml", "")
    assert config.locate(None, {"WHOSENDS_CONFIG": str(named)}) == named
    given = write(home / "given.toml", "")
    assert config.locate(given, {"WHOSENDS_CONFIG": str(named)}) == given


def test_a_named_file_must_exist(home: Path) -> None:
    with pytest.raises(UsageError, match="--config: there is no file"):
        load(home / "missing.toml", {}, {})
    with pytest.raises(UsageError, match="WHOSENDS_CONFIG: there is no file"):
        load(None, {"WHOSENDS_CONFIG": str(home / "missing.toml")}, {})


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("[warehose]\n", "there is no setting warehose.", "Did you mean 'warehouse'?"),
        ("[warehouse]\nwaits = 1\n", "there is no setting warehouse.waits.", "Did you mean 'wait'?"),
        ("[[mailbox]]\nhots = 'x'\n", "there is no setting mailbox.hots.", "Did you mean 'host'?"),
        ("colour = 1\n", "there is no setting colour.", "Known are: "),
        ("[warehouse]\nwait = 'long'\n", "warehouse.wait must be a number, not 'long'.", ""),
        ("[warehouse]\nwait = '5'\n", "warehouse.wait must be a number, not '5'.", ""),
        ("[limits]\ndepth = 1.5\n", "limits.depth must be a whole number, not 1.5.", ""),
        ("[limits]\ndepth = true\n", "limits.depth must be a whole number, not True.", ""),
        ("[limits]\ndepth = -1\n", "limits.depth must not be negative.", ""),
        ("[warehouse]\nwait = nan\n", "warehouse.wait must not be negative.", ""),
        ("[warehouse]\nwait = inf\n", "warehouse.wait must be at most 1,000,000,000.", ""),
        ("[warehouse]\nthreads = 1000000000\n", "warehouse.threads must be at most 1,024.", ""),
        ("[limits]\nparts = 9223372036854775808\n", "limits.parts must be at most 1,000,000,000,000.", ""),
        ("[retention]\nquarantine_days = 1000000000\n", "retention.quarantine_days must be at most 365,000.", ""),
        ("[sources]\nrecent_days = 0\n", "sources.recent_days must be at least 1.", ""),
        ("[[alert]]\nname = 'a'\ncooldown = inf\n", "alert.cooldown must be at most", ""),
        ("[resolver]\nport = 70000\n", "resolver.port must be a port below 65536.", ""),
        ("[resolver]\nnameservers = '192.0.2.1'\n", "resolver.nameservers must be a list of texts.", ""),
        ("[resolver]\nnameservers = [1]\n", "resolver.nameservers must be a list of texts.", ""),
        ("offline = 'yes'\n", "offline must be true or false, not 'yes'.", ""),
        ("[[mailbox]]\nsecurity = 'ssl'\n", "mailbox.security must be tls, starttls or plain, not 'ssl'.", ""),
        ("[[mailbox]]\nafter = 'delete'\n", "mailbox.after must be leave, seen or move:FOLDER, not 'delete'.", ""),
        ("[[domain]]\nname = 'a.example'\ntarget = 'none'\n", "domain.target must be quarantine, reject or empty", ""),
        ("[[domain]]\nowner = 'x'\n", "a [[domain]] has no name.", ""),
        ("[mailbox]\nhost = 'x'\n", "mailbox is a table of its own.", "Write it as [[mailbox]]."),
        ("[[warehouse]]\n", "warehouse is a table of its own.", "Write it as [warehouse]."),
        ("mailbox = [1]\n", "mailbox holds something that is no table.", "Write it as [[mailbox]]."),
        ("[warehouse\n", "is not valid TOML: ", ""),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(home: Path, text: str, sentence: str, hint: str) -> None:
    file = write(home / "wrong.toml", text)
    with pytest.raises(UsageError) as caught:
        load(file, {}, {})
    assert str(file) in caught.value.message
    assert sentence in caught.value.message
    assert hint in caught.value.hint


def test_a_file_that_is_no_text_is_named(home: Path) -> None:
    (home / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        load(home / "x.toml", {}, {})


@pytest.mark.parametrize("kind", ["mailbox", "domain"])
def test_two_tables_of_one_name_are_refused(home: Path, kind: str) -> None:
    file = write(home / "x.toml", f"[[{kind}]]\nname = 'a.example'\n[[{kind}]]\nname = 'a.example'\n")
    with pytest.raises(UsageError, match=r"are called 'a\.example'"):
        load(file, {}, {})


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("WHOSENDS_WAREHOUSE__WAITS", "1", "there is no setting warehouse.waits"),
        ("WHOSENDS_WAREHOUSE__WAIT", "long", "warehouse.wait must be a number"),
        ("WHOSENDS_WAREHOUSE__KEEP_DOCUMENTS", "maybe", "warehouse.keep_documents must be true or false"),
        ("WHOSENDS_NONSENSE__KEY", "1", "there is no section 'nonsense'"),
        ("WHOSENDS_OFFLINE", "maybe", "offline must be true or false"),
        ("WHOSENDS_DRIFT__POINTS", "nan", "drift.points must not be negative"),
        ("WHOSENDS_DRIFT__DAYS", "999999", "drift.days must be at most 36,500 days"),
        ("WHOSENDS_READINESS__DAYS", "999999", "readiness.days must be at most 36,500 days"),
        ("WHOSENDS_RESOLVER__TIMEOUT", "0", "resolver.timeout must be more than 0"),
        ("WHOSENDS_SMTP__TIMEOUT", "1e300", "smtp.timeout must be more than 0 and at most 86,400"),
    ],
)
def test_a_wrong_variable_is_named(home: Path, name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(None, {name: text}, {})
    assert caught.value.message.startswith(f"{name}: ")
    assert sentence in caught.value.message


def test_variables_of_others_are_left_alone(home: Path) -> None:
    # Kubernetes sets these for a service called whosends.
    assert load(None, {"WHOSENDS_PORT": "tcp://10.0.0.1:8501", "WHOSENDS_SERVICE_HOST": "10.0.0.1"}, {}) == Config()


def test_a_mailbox_comes_from_the_environment_alone(home: Path) -> None:
    environ = {
        "WHOSENDS_MAILBOX__HOST": "imap.example.com",
        "WHOSENDS_MAILBOX__USER": "u",
        "WHOSENDS_MAILBOX__PASSWORD_FILE": "/run/secrets/dmarc",
        "WHOSENDS_MAILBOX__FOLDERS": "INBOX, Reports",
    }
    (mailbox,) = load(None, environ, {}).mailboxes
    assert (mailbox.name, mailbox.host, mailbox.password_file) == ("main", "imap.example.com", "/run/secrets/dmarc")
    assert mailbox.folders == ("INBOX", "Reports")


def test_one_of_several_mailboxes_is_named_in_the_variable(home: Path) -> None:
    file = write(home / "x.toml", FULL)
    found = load(file, {"WHOSENDS_MAILBOX__SECOND_BOX__PASSWORD": "s"}, {})
    assert [mailbox.password for mailbox in found.mailboxes] == ["", "s"]
    with pytest.raises(UsageError, match="there are 2 mailboxes"):
        load(file, {"WHOSENDS_MAILBOX__PASSWORD": "s"}, {})
    with pytest.raises(UsageError, match="there is no mailbox 'third'"):
        load(file, {"WHOSENDS_MAILBOX__THIRD__PASSWORD": "s"}, {})


def test_a_password_higher_up_replaces_every_other_way_lower_down(home: Path) -> None:
    file = write(home / "x.toml", "[[mailbox]]\nhost = 'h'\npassword = 'file'\n")
    (mailbox,) = load(file, {"WHOSENDS_MAILBOX__PASSWORD_FILE": "/run/secrets/dmarc"}, {}).mailboxes
    assert (mailbox.password, mailbox.password_file) == ("", "/run/secrets/dmarc")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_with_a_secret_must_be_the_users_alone(home: Path, mode: int) -> None:
    file = write(home / "x.toml", "[[mailbox]]\nhost = 'h'\npassword = 'secret'\n", mode)
    with pytest.raises(UsageError, match="can be read by other users") as caught:
        load(file, {}, {})
    assert caught.value.hint == f"Run: chmod 600 {file}"
    assert "secret'" not in str(caught.value)
    file.chmod(0o600)
    assert load(file, {}, {}).mailboxes[0].password == "secret"


def test_a_file_without_a_secret_may_be_read_by_all(home: Path) -> None:
    assert load(write(home / "x.toml", FULL, 0o644), {}, {}).offline


def test_a_password_without_quotes_is_not_repeated(home: Path) -> None:
    file = write(home / "x.toml", "[[mailbox]]\npassword = 12345678\n")
    with pytest.raises(UsageError) as caught:
        load(file, {}, {})
    assert "12345678" not in str(caught.value)


def test_show_says_where_each_value_comes_from_and_masks_secrets(
    whosends: Whosends, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(home / "x.toml", "[warehouse]\nwait = 5.0\n[[mailbox]]\nhost = 'h'\npassword = 'hunter2'\n")
    monkeypatch.setenv("WHOSENDS_DRIFT__POINTS", "7")
    monkeypatch.delenv(COLD[0])
    ran = whosends("config", "show", "--config", file, "--json")
    assert "hunter2" not in ran.out
    told = {row["key"]: (row["value"], row["origin"]) for row in ran.document["settings"]}
    assert told["warehouse.wait"] == (5.0, str(file))
    assert told["drift.points"] == (7.0, "WHOSENDS_DRIFT__POINTS")
    assert told["mailbox.main.password"] == ("********", str(file))
    assert told["mailbox.main.user"] == ("", "default")
    text = whosends("config", "show", "--config", file, "--set").out
    assert "hunter2" not in text
    assert len(text.splitlines()) == 5


def test_path_names_the_file_or_the_places(whosends: Whosends, home: Path) -> None:
    assert whosends("config", "path").out == ""
    write(Path("whosends.toml"), "")
    assert whosends("config", "path").out.strip() == str(Path("whosends.toml").absolute())


def test_a_wrong_file_ends_every_command_that_needs_it(whosends: Whosends, home: Path) -> None:
    ran = whosends("status", "--config", write(home / "x.toml", "[warehose]\n"))
    assert ran.code == exitcodes.USAGE
    assert ran.err.splitlines()[1] == "Did you mean 'warehouse'?"


@pytest.mark.parametrize("value", ["plain", 'quo"te', "back\\slash", "line\nbreak", "\x7f\x01", "é…", "😀"])
def test_text_survives_toml(home: Path, value: str) -> None:
    file = home / "new.toml"
    config.append(file, f"[report]\nowner = {config.toml(value)}\n")
    assert load(file, {}, {}).report.owner == value
    assert (file.stat().st_mode & 0o777) == 0o600
