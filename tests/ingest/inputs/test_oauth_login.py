"""How a person consents: the device flow of RFC 8628, and the browser that comes back (RFC 8252)."""

from __future__ import annotations

import json
import socket
import stat
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import MailboxError, MailboxUnreachable, UsageError
from ingest.inputs.oauth import TokenSource
from ingest.inputs.oauth_device import Prompt, Waiting
from ingest.inputs.oauth_login import log_in, wants_person
from ingest.settings import MailboxSettings
from tests.ingest.inputs.oauth_mailbox import person
from tests.servers.oauth_server import DEVICE, OAuthServer

pytestmark = pytest.mark.server
REFUSED = 401


@pytest.fixture
def server() -> Iterator[OAuthServer]:
    with OAuthServer() as found:
        yield found


class Patience:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def waiting(self) -> Waiting:
        return Waiting(self.slept.append, lambda: sum(self.slept))


def device(settings: MailboxSettings, patience: Patience | None = None) -> list[Prompt]:
    told: list[Prompt] = []
    log_in(settings, told.append, waiting=(patience or Patience()).waiting())
    return told


def test_pending_then_slower_then_granted(server: OAuthServer, tmp_path: Path) -> None:
    for code in ("authorization_pending", "slow_down", "authorization_pending"):
        server.error(code)
    settings, patience = person(server, tmp_path), Patience()
    (told,) = device(settings, patience)
    assert (told.address, told.code) == ("https://login.example/device", "WDJB-MJHT")
    assert patience.slept == [5, 5, 10, 10]  # RFC 8628 section 3.5: slow_down adds five seconds for good
    assert {form["grant_type"] for form in server.forms()} == {DEVICE}
    path = Path(settings.oauth_token_file)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert TokenSource(settings)().startswith("access-")


@pytest.mark.parametrize(
    ("code", "words"),
    [("access_denied", "consent was refused"), ("expired_token", "nobody entered the code")],
)
def test_a_no_is_said_plainly(server: OAuthServer, tmp_path: Path, code: str, words: str) -> None:
    server.error(code)
    with pytest.raises(MailboxError, match=words) as caught:
        device(person(server, tmp_path))
    assert "whosends login main" in caught.value.hint
    assert not (tmp_path / "keys" / "token").exists()


def test_nobody_enters_the_code(server: OAuthServer, tmp_path: Path) -> None:
    server.script(400, {"error": "authorization_pending"}, times=1000)
    server.device[1]["interval"] = 60
    patience = Patience()
    with pytest.raises(MailboxError, match="in time"):
        device(person(server, tmp_path), patience)
    assert patience.slept == [60] * 9


def test_a_provider_that_stumbles_is_asked_less_often(server: OAuthServer, tmp_path: Path) -> None:
    server.script(503, {})
    server.script(429, {"_headers": {"Retry-After": "40"}})
    patience = Patience()
    device(person(server, tmp_path), patience)
    assert patience.slept == [5, 10, 40]


def test_googles_words_and_quoted_numbers_are_understood(server: OAuthServer, tmp_path: Path) -> None:
    began = {"device_code": "d", "user_code": "ABC", "verification_url": "https://g.example", "interval": "7"}
    server.device = (200, began)
    patience = Patience()
    (told,) = device(person(server, tmp_path), patience)
    assert (told.address, patience.slept) == ("https://g.example", [7])


@pytest.mark.parametrize("answer", [(200, {}), (200, {"device_code": 7, "user_code": "x", "verification_uri": "y"})])
def test_an_endpoint_that_gives_no_code(
    server: OAuthServer, tmp_path: Path, answer: tuple[int, dict[str, str]]
) -> None:
    server.device = answer
    with pytest.raises(MailboxError, match="no code to enter"):
        device(person(server, tmp_path))


def test_an_application_that_is_not_known(server: OAuthServer, tmp_path: Path) -> None:
    server.device = (REFUSED, {"error": "invalid_client"})
    with pytest.raises(MailboxError, match="does not accept the application's id"):
        device(person(server, tmp_path))


def test_a_token_that_cannot_be_renewed_is_not_kept(server: OAuthServer, tmp_path: Path) -> None:
    server.script(200, {"access_token": "a", "token_type": "Bearer"})
    with pytest.raises(MailboxError, match="no refresh_token") as caught:
        device(person(server, tmp_path))
    assert "offline_access" in caught.value.hint


# -- the browser ----------------------------------------------------------------------------------


def by_browser(server: OAuthServer, folder: Path) -> MailboxSettings:
    authorize = "https://login.example/auth"
    return person(server, folder, oauth_device_url="", oauth_authorize_url=authorize, oauth_scope="mail")


def test_the_browser_comes_back_to_us(server: OAuthServer, tmp_path: Path) -> None:
    settings = by_browser(server, tmp_path)
    visits: list[threading.Thread] = []

    def visit(prompt: Prompt) -> None:
        assert prompt.address.startswith("https://login.example/auth?response_type=code&client_id=whosends-test")
        address = server.authorized(prompt.address, "user1")
        port = int(address.split(":")[2].split("/")[0])
        strange = [f"http://127.0.0.1:{port}/favicon.ico", f"http://127.0.0.1:{port}/?state=forged&code=x"]

        def come() -> None:
            # In turn: nobody listens once the right visit came, so a strange one beside it may be hung up on.
            for url in [*strange, address]:
                urllib.request.urlopen(url, timeout=5).close()

        visits.append(threading.Thread(target=come))
        visits[-1].start()

    log_in(settings, visit)
    for thread in visits:
        thread.join(5)
    (form,) = server.forms()
    assert form["grant_type"] == "authorization_code"
    assert TokenSource(settings)().startswith("access-")


def test_the_address_is_pasted(server: OAuthServer, tmp_path: Path) -> None:
    settings, told = by_browser(server, tmp_path), list[Prompt]()
    log_in(settings, told.append, lambda: server.authorized(told[0].address, "user1") + "\n")
    assert wants_person(settings)
    assert TokenSource(settings)().startswith("access-")


@pytest.mark.parametrize("pasted", ["", "http://127.0.0.1:8400/?code=x", "http://127.0.0.1:8400/?state=other&code=x"])
def test_an_address_of_another_attempt_is_refused(server: OAuthServer, tmp_path: Path, pasted: str) -> None:
    with pytest.raises(UsageError, match="does not belong"):
        log_in(by_browser(server, tmp_path), lambda _: None, lambda: pasted)
    assert server.forms() == []


def test_a_refusal_in_the_browser(server: OAuthServer, tmp_path: Path) -> None:
    told: list[Prompt] = []

    def refuse() -> str:
        state = told[0].address.split("state=")[1].split("&")[0]
        return f"http://127.0.0.1:8400/?state={state}&error=access_denied"

    with pytest.raises(MailboxError, match="access_denied"):
        log_in(by_browser(server, tmp_path), told.append, refuse)


# -- who needs no login ---------------------------------------------------------------------------


def test_only_persons_log_in(server: OAuthServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="with a password"):
        log_in(MailboxSettings(), lambda _: None)
    with pytest.raises(UsageError, match="nobody needs to log in"):
        log_in(person(server, tmp_path, oauth_device_url=""), lambda _: None)


def test_a_token_that_cannot_be_kept(server: OAuthServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = person(server, tmp_path, oauth_token_file=str(tmp_path / "file" / "token"))
    with pytest.raises(MailboxError, match="cannot be"):
        device(settings)


def test_nobody_is_there(tmp_path: Path, server: OAuthServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(MailboxUnreachable, match="refused the connection"):
        device(person(server, tmp_path, oauth_device_url=f"http://127.0.0.1:{port}/device"))


def test_what_is_kept_names_the_client_and_nothing_else(server: OAuthServer, tmp_path: Path) -> None:
    settings = person(server, tmp_path, oauth_client_secret="the-secret-of-the-app")
    device(settings)
    held = json.loads(Path(settings.oauth_token_file).read_text())
    assert set(held) == {"refresh_token", "client_id", "token_url"}
