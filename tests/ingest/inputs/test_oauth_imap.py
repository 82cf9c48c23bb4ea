"""OAuth2 at a real IMAP server, which asks the provider whether each token is good."""

from __future__ import annotations

import logging
import stat
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs import oauth_store
from ingest.inputs.imap import ImapInput
from ingest.inputs.oauth_provider import provider
from ingest.settings import MailboxSettings, UnpackLimits
from tests.ingest.inputs.imap_boxes import QUICK, everything, fill, settings_for
from tests.servers.dovecot import Account, Dovecot
from tests.servers.oauth_server import OAuthServer

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("dovecot-oauth")]


@pytest.fixture(scope="module", params=["xoauth2", "xoauth2 oauthbearer"])
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[OAuthServer, Dovecot]]:
    with OAuthServer() as provider_server:
        server = Dovecot(oauth=(provider_server.url, request.param))
        server.start()
        yield provider_server, server
        server.remove()


@pytest.fixture
def oauth(servers: tuple[OAuthServer, Dovecot]) -> OAuthServer:
    """The provider, as if new."""
    server = servers[0]
    server.state.scripted.clear()
    server.state.asked.clear()
    server.seconds, server.audience, server.rotates = 3600, "", False
    return server


@pytest.fixture
def account(servers: tuple[OAuthServer, Dovecot]) -> Account:
    return servers[1].account()


def settings(account: Account, oauth: OAuthServer, folder: Path) -> MailboxSettings:
    """A person's mailbox."""
    return replace(
        settings_for(account),
        password="",
        auth="oauth2",
        oauth_provider="custom",
        oauth_client_id="whosends-test",
        oauth_token_url=f"{oauth.url}/token",
        oauth_device_url=f"{oauth.url}/device",
        oauth_token_file=str(folder / "token"),
    )


def consented(account: Account, oauth: OAuthServer, folder: Path) -> MailboxSettings:
    made = settings(account, oauth, folder)
    oauth_store.save(made, provider(made), oauth.consent(account.user))
    return made


def read(made: MailboxSettings) -> list[bytes]:
    return [message.raw for message in everything(ImapInput(made, UnpackLimits(), retry=QUICK).fetch({}))]


def test_a_mailbox_is_read_with_a_token(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    raws = fill(account, 3)
    assert read(consented(account, oauth, tmp_path)) == raws
    (form,) = oauth.forms()
    assert (form["grant_type"], form["client_id"]) == ("refresh_token", "whosends-test")


def test_a_service_needs_no_person(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    raws = fill(account, 1)
    oauth.service_user = account.user
    made = replace(settings(account, oauth, tmp_path), oauth_device_url="", oauth_client_secret="s3cret-of-the-app")
    assert read(made) == raws
    (form,) = oauth.forms()
    assert (form["grant_type"], form["client_secret"]) == ("client_credentials", "s3cret-of-the-app")
    assert not (tmp_path / "token").exists()


def test_a_token_is_renewed_before_it_expires(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    fill(account, 4)
    oauth.seconds = 0.001
    batches = ImapInput(
        replace(consented(account, oauth, tmp_path), batch_messages=1), UnpackLimits(), retry=QUICK
    ).fetch({})
    for _ in batches:
        account.server.kill_connections()
    assert len(oauth.forms()) > 1


def test_a_token_that_holds_is_used_again(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    fill(account, 3)
    made = replace(consented(account, oauth, tmp_path), batch_messages=1)
    for _ in ImapInput(made, UnpackLimits(), retry=QUICK).fetch({}):
        account.server.kill_connections()
    assert len(oauth.forms()) == 1


def test_a_token_revoked_before_its_time_is_replaced_once(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    raws = fill(account, 3)
    made = replace(consented(account, oauth, tmp_path), batch_messages=1)
    got = []
    for batch in ImapInput(made, UnpackLimits(), retry=QUICK).fetch({}):
        got += [message.raw for message in batch]
        oauth.revoke_access()
        account.server.kill_connections()
    assert got == raws
    assert len(oauth.forms()) == 3


def test_a_rotated_refresh_token_is_kept(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    oauth.rotates = True
    made = consented(account, oauth, tmp_path)
    for _ in range(3):
        assert read(made) == []
    assert len({form["refresh_token"] for form in oauth.forms()}) == 3
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_a_revoked_consent_says_to_log_in(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    made = consented(account, oauth, tmp_path)
    oauth.state.refresh.clear()
    with pytest.raises(MailboxError, match="expired or was revoked") as caught:
        read(made)
    assert caught.value.hint == "Run: whosends login main"
    assert not isinstance(caught.value, MailboxUnreachable)


def test_a_token_for_another_service_is_told_by_its_audience(
    account: Account, oauth: OAuthServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    oauth.audience = "https://graph.microsoft.com"
    with pytest.raises(MailboxError, match=f"refused the token for '{account.user}'") as caught:
        read(consented(account, oauth, tmp_path))
    assert "for Microsoft Graph, not for IMAP" in caught.value.hint
    assert len(oauth.forms()) == 1  # a fresh token that is refused is not asked for again
    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert not [token for token in (*oauth.state.access, *oauth.state.refresh) if token in said]


def test_somebody_elses_token_is_refused(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    made = settings(account, oauth, tmp_path)
    oauth_store.save(made, provider(made), oauth.consent("somebody-else"))
    with pytest.raises(MailboxError, match="refused the token") as caught:
        read(made)
    assert "is who logged in" in caught.value.hint


def test_a_provider_that_is_down_is_tried_again(account: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    raws = fill(account, 1)
    made = consented(account, oauth, tmp_path)
    oauth.script(503, {})
    oauth.script(400, {"error": "temporarily_unavailable"})
    assert read(made) == raws
    oauth.script(500, {}, times=10)
    with pytest.raises(MailboxUnreachable, match="gives no token now"):
        read(made)


def test_a_server_without_oauth_says_so(dovecot: Account, oauth: OAuthServer, tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="offers no login with OAuth2"):
        read(consented(dovecot, oauth, tmp_path))
