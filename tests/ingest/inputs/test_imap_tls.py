"""How the connection is protected: verified always, never in the clear beyond this machine."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from ingest.errors import MailboxError, MailboxUnreachable, UsageError
from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_link import Retry
from ingest.settings import MailboxSettings, UnpackLimits
from tests.servers.dovecot import Account, Dovecot
from tests.servers.scripted_imap import ScriptedImap, say

pytestmark = pytest.mark.server
ONCE = Retry(tries=1)


def read(settings: MailboxSettings) -> list[bytes]:
    batches = ImapInput(settings, UnpackLimits(), retry=ONCE).fetch({})
    return [message.raw for batch in batches for message in batch]


@pytest.fixture
def implicit(dovecot: Account) -> MailboxSettings:
    dovecot.deliver(b"hello")
    server = dovecot.server
    return MailboxSettings(
        host="127.0.0.1",
        port=server.tls_port,
        ca_file=str(server.ca_file),
        user=dovecot.user,
        password=dovecot.password,
        timeout=10,
    )


@pytest.fixture
def starttls(implicit: MailboxSettings, dovecot: Account) -> MailboxSettings:
    return replace(implicit, security="starttls", port=dovecot.server.port)


@pytest.fixture(scope="module")
def misnamed() -> Iterator[Dovecot]:
    server = Dovecot(names=("imap.example.org",))
    server.start()
    yield server
    server.remove()


def refused(settings: MailboxSettings, words: str, hint: str = "") -> None:
    with pytest.raises(MailboxError, match=words) as caught:
        read(settings)
    assert not isinstance(caught.value, MailboxUnreachable)
    assert hint in caught.value.hint


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_implicit_tls(implicit: MailboxSettings, host: str) -> None:
    assert read(replace(implicit, host=host)) == [b"hello"]


def test_starttls(starttls: MailboxSettings, dovecot: Account) -> None:
    assert read(starttls) == [b"hello"]
    assert "TLS" in next(line for line in reversed(dovecot.server.log().splitlines()) if "Login:" in line)


def test_plain_on_loopback(starttls: MailboxSettings) -> None:
    assert read(replace(starttls, security="plain", ca_file="")) == [b"hello"]


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_plain_to_elsewhere_is_refused_before_anything_is_sent(starttls: MailboxSettings, host: str) -> None:
    refused(replace(starttls, security="plain", host=host), "in the clear", "security = tls")


@pytest.mark.parametrize("kind", ["implicit", "starttls"])
def test_an_unknown_authority_is_refused(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    settings: MailboxSettings = request.getfixturevalue(kind)
    refused(replace(settings, ca_file=""), "authority that is not known here", "ca_file")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    refused(replace(settings, ca_file=str(tmp_path / "other.pem")), "not known here", "ca_file")


@pytest.mark.parametrize("kind", ["tls", "starttls"])
def test_another_name_is_refused(misnamed: Dovecot, kind: str) -> None:
    port = misnamed.tls_port if kind == "tls" else misnamed.port
    settings = MailboxSettings(
        host="localhost", port=port, security=kind, ca_file=str(misnamed.ca_file), user="u", password="p"
    )
    refused(settings, "is for another name", "host")
    refused(replace(settings, host="127.0.0.1"), "is for another address", "host")


def scripted(tmp_path: Path, authority: trustme.CA, certificate: trustme.LeafCert) -> ssl.SSLContext:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC), "has expired"),
        (datetime(2098, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC), "is not valid yet"),
    ],
)
def test_a_certificate_out_of_its_time_is_refused(tmp_path: Path, since: datetime, until: datetime, words: str) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", not_before=since, not_after=until)
    with ScriptedImap(tls=scripted(tmp_path, authority, certificate)) as server:
        settings = MailboxSettings(
            host="127.0.0.1", port=server.port, ca_file=str(tmp_path / "ca.pem"), user="u", password="p"
        )
        refused(settings, words, "clock")
        assert server.commands == []


def test_a_drop_over_tls_is_taken_up_again(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = scripted(tmp_path, authority, authority.issue_cert("127.0.0.1"))
    with ScriptedImap({1: b"one"}, tls=context) as server:
        settings = MailboxSettings(
            host="127.0.0.1", port=server.port, ca_file=str(tmp_path / "ca.pem"), user="u", password="p"
        )
        server.on("UID FETCH .*BODY", say("* 1 FETCH (UID 1 BODY[] {3}\r\no", hang_up=True))
        box = ImapInput(settings, UnpackLimits(), retry=Retry(first=0.01))
        assert [message.raw for batch in box.fetch({}) for message in batch] == [b"one"]


@pytest.mark.parametrize("content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_ca_file_that_is_none_is_said_plainly(implicit: MailboxSettings, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    refused(replace(implicit, ca_file=str(path)), "ca_file")


def test_tls_to_a_plain_port_names_the_setting(starttls: MailboxSettings) -> None:
    refused(replace(starttls, security="tls"), "does not speak TLS", "starttls")


def test_starttls_that_is_not_offered_is_never_replaced_by_plain() -> None:
    with ScriptedImap({1: b"x"}) as server:
        settings = MailboxSettings(host="127.0.0.1", port=server.port, security="starttls", user="u", password="p")
        refused(settings, "does not offer STARTTLS")
        assert server.count("LOGIN|AUTHENTICATE") == 0


@pytest.mark.parametrize("greeting", ["* PREAUTH welcome", "* OK ready"])
def test_a_greeting_cannot_talk_us_out_of_starttls(greeting: str) -> None:
    with ScriptedImap(capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN", greeting=greeting) as server:
        server.on("STARTTLS", say("{tag} NO not today"), times=5)
        settings = MailboxSettings(host="127.0.0.1", port=server.port, security="starttls", user="u", password="p")
        with pytest.raises(MailboxError):
            read(settings)
        assert server.count("LOGIN|AUTHENTICATE|EXAMINE") == 0


def test_a_wrong_password_is_not_tried_again(implicit: MailboxSettings, dovecot: Account) -> None:
    logins = dovecot.server.log().count("auth failed")
    slept: list[float] = []
    box = ImapInput(replace(implicit, password="wrong"), UnpackLimits(), sleep=slept.append)
    with pytest.raises(MailboxError, match="refused the login") as caught:
        list(box.fetch({}))
    assert "app password" in caught.value.hint
    assert slept == []
    assert dovecot.server.log().count("auth failed") - logins <= 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": ""}, "no host"),
        ({"user": ""}, "no user"),
        ({"security": "ssl"}, "security"),
        ({"folders": ()}, "no folder"),
    ],
)
def test_settings_that_can_never_work_are_refused_at_once(changes: dict[str, object], words: str) -> None:
    settings = replace(MailboxSettings(host="imap.example.org", user="u"), **changes)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=words):
        ImapInput(settings, UnpackLimits())
