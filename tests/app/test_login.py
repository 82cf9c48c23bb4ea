"""login, doctor and poll with OAuth2, as a person runs them; the provider and the mail are on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import exitcodes
from app.config import load
from tests.app.conftest import Whosends
from tests.app.test_mailboxes import mail
from tests.servers.dovecot import Account, Dovecot
from tests.servers.mail_api import MailApi
from tests.servers.oauth_server import OAuthServer
from tests.warehouse.build import xml

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("dovecot-oauth")]
SECRET = "the-secret-of-the-application"


@pytest.fixture
def oauth() -> Iterator[OAuthServer]:
    with OAuthServer() as found:
        yield found


@pytest.fixture
def account(oauth: OAuthServer) -> Iterator[Account]:
    server = Dovecot(oauth=(oauth.url, "xoauth2 oauthbearer"))
    server.start()
    yield server.account()
    server.remove()


def config(home: Path, oauth: OAuthServer, *lines: str) -> Path:
    path = home / "whosends.toml"
    common = (
        "[[mailbox]]",
        'auth = "oauth2"',
        'oauth_provider = "custom"',
        'oauth_client_id = "whosends-test"',
        f'oauth_token_url = "{oauth.url}/token"',
    )
    path.write_text("\n".join((*common, *lines)) + "\n")
    path.chmod(0o600)
    return path


def test_a_person_logs_in_and_polls(whosends: Whosends, home: Path, oauth: OAuthServer, account: Account) -> None:
    account.deliver(mail(xml(report_id="one")))
    oauth.service_user = account.user
    oauth.device[1]["interval"] = 1
    oauth.error("authorization_pending")
    file = config(
        home,
        oauth,
        f'host = "localhost"\nport = {account.server.tls_port}\nca_file = "{account.server.ca_file}"',
        f'user = "{account.user}"',
        f'oauth_device_url = "{oauth.url}/device"',
    )
    given = ("--config", file, "--warehouse", home / "data.duckdb", "--offline")
    before = whosends("poll", *given)
    assert (before.code, "whosends login main" in before.err) == (exitcodes.FAILED, True)
    ran = whosends("login", *given, "-q")
    assert ran.code == exitcodes.OK, ran.err
    assert "https://login.example/device" in ran.err
    assert "WDJB-MJHT within 10 minutes" in ran.err
    token = home / "mailbox-main.token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert str(token) in ran.out
    polled = whosends("poll", *given, "--json")
    assert (polled.code, polled.document["stored"]) == (exitcodes.OK, 1), polled.err
    checked = whosends("doctor", *given[:4], "--json")
    assert {c["name"]: c["state"] for c in checked.document["checks"]}["mailbox main"] == "ok"
    said = "".join((before.out, before.err, ran.out, ran.err, polled.out, polled.err, checked.out, checked.err))
    assert not [secret for secret in (*oauth.state.refresh, *oauth.state.access, "the-device-code") if secret in said]


@pytest.mark.parametrize("kind", ["gmail", "graph"])
def test_an_api_is_polled_into_the_warehouse(whosends: Whosends, home: Path, oauth: OAuthServer, kind: str) -> None:
    with MailApi(oauth) as api:
        now = time.time()
        api.deliver(mail(xml(report_id="one")), now - 100)
        api.deliver(mail(xml(report_id="two", reporter="Other")), now - 90)
        api.deliver(mail(None, "Lunch"), now - 80)
        file = config(
            home,
            oauth,
            f'kind = "{kind}"\nuser = "{api.user}"\napi_url = "{api.url}"',
            f'oauth_client_secret = "{SECRET}"',
            'after = "move:Done"',
        )
        given = ("--config", file, "--warehouse", home / "data.duckdb", "--offline", "--json")
        first = whosends("poll", *given)
        assert first.code == exitcodes.OK, first.err
        assert (first.document["stored"], first.document["not_reports"]) == (2, 1)
        assert [api.folders["Done"] in one.folders for one in api.mails.values()] == [True, True, False]
        assert whosends("poll", *given).document["seen"] == 0
        (home / "mailbox-main.ledger").unlink()
        again = whosends("poll", *given).document
        assert (again["seen"], again["not_reports"]) == (1, 1)
        shown = whosends("config", "show", "--config", file, "--json")
        assert SECRET not in shown.out + first.out + first.err
        checked = whosends("doctor", *given[:4], "--json")
    found = {check["name"]: check for check in checked.document["checks"]}["mailbox main"]
    assert (found["state"], "INBOX 1 message" in found["what"]) == ("ok", True)


def test_who_is_to_log_in(whosends: Whosends, home: Path, oauth: OAuthServer) -> None:
    assert "0 mailboxes log in with OAuth2" in whosends("login").err
    file = config(home, oauth, 'user = "u"', '[[mailbox]]\nname = "b"\nauth = "oauth2"')
    ran = whosends("login", "--config", file)
    assert (ran.code, "Say which one: main, b." in ran.err) == (exitcodes.USAGE, True)
    assert "Did you mean 'main'" in whosends("login", "mian", "--config", file).err
    ran = whosends("login", "main", "--config", file)
    assert (ran.code, "nobody needs to log in" in ran.err) == (exitcodes.USAGE, True)
    ran = whosends("login", "b", "--config", file, "--offline")
    assert (ran.code, "--offline forbids it" in ran.err) == (exitcodes.USAGE, True)


def test_init_writes_a_mailbox_that_somebody_must_log_in_to(whosends: Whosends, home: Path) -> None:
    (home / "secret").write_text(SECRET)
    given = (
        "--host", "outlook.office365.com", "--user", "dmarc@example.com",
        "--oauth-provider", "microsoft", "--oauth-client-id", "c",
    )  # fmt: skip
    ran = whosends("init", *given)
    assert ran.code == exitcodes.OK, ran.err
    assert "Next: whosends login main" in ran.err
    (found,) = load(None, {}, {}).mailboxes
    assert (found.auth, found.oauth_provider, found.oauth_client_id) == ("oauth2", "microsoft", "c")
    assert found.oauth_token_file.endswith("mailbox-main.token")
    given = ("--kind", "graph", "--user", "dmarc@example.com", "--name", "b")
    ran = whosends("init", *given)
    assert (ran.code, "--oauth-provider" in ran.err) == (exitcodes.USAGE, True)
    more = ("--oauth-provider", "microsoft", "--oauth-client-id", "c", "--oauth-tenant", "example.com")
    ran = whosends("init", *given, *more, "--oauth-client-secret-file", home / "secret", "--offline")
    assert ran.code == exitcodes.OK, ran.err
    found = load(None, {}, {}).mailboxes[1]
    assert (found.kind, found.host, found.oauth_client_secret_file) == ("graph", "", str(home / "secret"))


def test_files_stand_beside_the_warehouse_and_secrets_may_be_mounted(home: Path, oauth: OAuthServer) -> None:
    file = config(home, oauth, 'name = "a/b"', 'kind = "graph"', 'oauth_key_file = "key.pem"')
    (found,) = load(file, {"CREDENTIALS_DIRECTORY": "/run/credentials/x.service"}, {}).mailboxes
    assert found.secrets_folders == ("/run/secrets", "/run/credentials/x.service")
    assert found.oauth_key_file == str(home / "key.pem")
    assert Path(found.oauth_token_file).name == "mailbox-a%2Fb.token"
    (found,) = load(file, {"WHOSENDS_WAREHOUSE": str(home / "w" / "x.duckdb")}, {}).mailboxes
    assert found.ledger_file == str(home / "w" / "mailbox-a%2Fb.ledger")


def test_a_secret_higher_up_replaces_one_lower_down(home: Path, oauth: OAuthServer) -> None:
    file = config(home, oauth, f'oauth_client_secret = "{SECRET}"')
    (found,) = load(file, {"WHOSENDS_MAILBOX__OAUTH_CLIENT_SECRET_FILE": "/run/secrets/app"}, {}).mailboxes
    assert (found.oauth_client_secret, found.oauth_client_secret_file) == ("", "/run/secrets/app")
