"""Tokens: asked for, renewed, kept, refused; what is said, and that no secret is ever said."""

from __future__ import annotations

import base64
import json
import ssl
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ingest.errors import MailboxError, MailboxUnreachable, UsageError
from ingest.inputs.oauth import TokenSource
from ingest.inputs.oauth_provider import PERSON, SERVICE, provider
from ingest.inputs.web import Web, is_loopback
from ingest.settings import MailboxSettings
from tests.ingest.inputs.oauth_mailbox import consented, person
from tests.servers.oauth_server import JWT_BEARER, OAuthServer

pytestmark = pytest.mark.server
SECRET = "k8Q~this-is-the-secret-of-the-application"


@pytest.fixture
def server() -> Iterator[OAuthServer]:
    with OAuthServer() as found:
        yield found


def service(server: OAuthServer, folder: Path, **more: Any) -> MailboxSettings:
    return person(server, folder, **({"oauth_device_url": "", "oauth_client_secret": SECRET} | more))


def refused(settings: MailboxSettings) -> MailboxError:
    with pytest.raises(MailboxError) as caught:
        TokenSource(settings)()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return caught.value


# -- lifetimes ------------------------------------------------------------------------------------


def test_a_token_is_used_until_shortly_before_its_end(server: OAuthServer, tmp_path: Path) -> None:
    now = [1000.0]
    tokens = TokenSource(consented(server, tmp_path), lambda: now[0])
    first = tokens()
    now[0] += 3600 - 121
    assert tokens() == first
    now[0] += 2
    assert tokens() != first


@pytest.mark.parametrize("seconds", [None, "x", -1, 1e300, True, "7200"])
def test_a_lifetime_that_makes_no_sense_is_an_hour(server: OAuthServer, tmp_path: Path, seconds: object) -> None:
    server.seconds = seconds
    now = [0.0]
    tokens = TokenSource(consented(server, tmp_path), lambda: now[0])
    first = tokens()
    now[0] = 3400
    assert tokens() == first
    assert len(server.forms()) == 1


def test_only_a_used_token_can_be_renewed(server: OAuthServer, tmp_path: Path) -> None:
    tokens = TokenSource(consented(server, tmp_path))
    first = tokens()
    assert not tokens.renew()
    assert tokens() == first
    assert tokens.renew()
    assert tokens() != first


# -- the file -------------------------------------------------------------------------------------


def test_without_a_login_it_says_to_log_in(server: OAuthServer, tmp_path: Path) -> None:
    error = refused(person(server, tmp_path))
    assert ("Nobody has logged in" in error.message, error.hint) == (True, "Run: whosends login main")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"refresh_token": 7}', b"[" * 100_000])
def test_a_damaged_file_says_to_log_in(server: OAuthServer, tmp_path: Path, content: bytes) -> None:
    settings = consented(server, tmp_path)
    Path(settings.oauth_token_file).write_bytes(content)
    assert "holds no token" in refused(settings).message


def test_a_file_that_others_can_read_is_not_used(server: OAuthServer, tmp_path: Path) -> None:
    settings = consented(server, tmp_path)
    Path(settings.oauth_token_file).chmod(0o640)
    assert "can be read by others" in refused(settings).message
    assert server.forms() == []


def test_a_token_goes_to_nobody_but_who_gave_it(server: OAuthServer, tmp_path: Path) -> None:
    consented(server, tmp_path)
    with OAuthServer() as other:
        assert "another application or provider" in refused(person(other, tmp_path)).message
        assert other.forms() == []
    assert "another application" in refused(person(server, tmp_path, oauth_client_id="x")).message


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "described", "message", "hint"),
    [
        ("invalid_client", "AADSTS7000215: Invalid client secret", "the client secret is wrong", "not its id"),
        ("invalid_client", "AADSTS7000222: keys are expired", "the client secret has expired", "new one"),
        ("unauthorized_client", "AADSTS700016: Application not found", "does not know the application", "oauth_tenant"),
        ("invalid_grant", "AADSTS65001: not consented", "nobody has consented", "admin consent"),
        ("invalid_grant", "AADSTS50173: changed password", "revoked", "whosends login main"),
        ("invalid_grant", "AADSTS53003: policy", "Conditional Access", "Exempt"),
        ("invalid_client", f"bad secret {SECRET}", "id, secret or key", "oauth_client_secret_file"),
        ("unauthorized_client", "", "kind of login", "domain-wide delegation"),
        ("invalid_scope", "", "scope", "oauth_scope"),
        ("something_else", f"{SECRET}\nsecond line", "gave no token", "Check"),
    ],
)
def test_a_refusal_says_what_to_grant(
    server: OAuthServer, tmp_path: Path, code: str, described: str, message: str, hint: str
) -> None:
    server.error(code, described)
    error = refused(service(server, tmp_path))
    assert message in error.message
    assert hint in error.hint
    assert not isinstance(error, MailboxUnreachable)


@pytest.mark.parametrize("document", [{}, {"access_token": ""}, {"access_token": "a b"}, {"access_token": ["x"]}])
def test_what_is_no_token_is_refused(server: OAuthServer, tmp_path: Path, document: dict[str, Any]) -> None:
    server.script(200, document)
    assert "token" in refused(service(server, tmp_path)).message


def test_a_token_of_another_type_is_refused(server: OAuthServer, tmp_path: Path) -> None:
    server.script(200, {"access_token": "a", "token_type": "mac"})
    assert "unknown type" in refused(service(server, tmp_path)).message


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_trouble_that_passes_can_be_tried_again(server: OAuthServer, tmp_path: Path, status: int) -> None:
    server.script(status, {"_headers": {"Retry-After": "30"}})
    error = refused(service(server, tmp_path))
    assert isinstance(error, MailboxUnreachable)
    assert error.wait_seconds == 30


def test_a_redirect_is_not_followed(server: OAuthServer, tmp_path: Path) -> None:
    server.script(302, {"_headers": {"Location": f"{server.url}/elsewhere"}})
    assert "redirect" in refused(service(server, tmp_path)).message
    assert [asked.path for asked in server.state.asked] == ["/token"]


# -- keys -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def claims(key: rsa.RSAPrivateKey, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT whose signature is good."""
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    signed = token.rpartition(".")[0].encode()
    key.public_key().verify(parts[2], signed, padding.PKCS1v15(), hashes.SHA256())
    return json.loads(parts[0]), json.loads(parts[1])


def test_a_certificate_instead_of_a_secret(server: OAuthServer, tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    name, now = x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(1))
    certificate = builder.sign(key, hashes.SHA256())
    path = tmp_path / "key.pem"
    path.touch(0o600)
    path.write_bytes(pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
    settings = person(
        server, tmp_path, oauth_provider="microsoft", oauth_tenant="example.com", oauth_key_file=str(path)
    )
    TokenSource(settings)()
    (form,) = server.forms()
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert (form["scope"], "client_secret" in form) == ("https://outlook.office365.com/.default", False)
    header, said = claims(key, form["client_assertion"])
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    assert header == {"alg": "RS256", "typ": "JWT", "x5t#S256": thumbprint}
    assert (said["iss"], said["sub"], said["aud"]) == ("whosends-test", "whosends-test", f"{server.url}/token")


def test_a_service_account(server: OAuthServer, tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    path = tmp_path / "account.json"
    path.touch(0o600)
    path.write_text(json.dumps({"client_email": "robot@example.net", "private_key": pem(key).decode()}))
    settings = person(
        server, tmp_path, oauth_provider="google", kind="gmail", oauth_client_id="", oauth_key_file=str(path)
    )
    TokenSource(settings)()
    (form,) = server.forms()
    assert form["grant_type"] == JWT_BEARER
    _, said = claims(key, form["assertion"])
    assert (said["iss"], said["sub"]) == ("robot@example.net", "dmarc@example.com")
    assert said["scope"] == "https://www.googleapis.com/auth/gmail.readonly"


@pytest.mark.parametrize("content", ["", "x", "{}", '{"client_email": "a", "private_key": "b"}'])
def test_a_key_that_is_none(server: OAuthServer, tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(content)
    for name in ("google", "microsoft"):
        settings = person(server, tmp_path, oauth_provider=name, oauth_tenant="example.com", oauth_key_file=str(path))
        error = refused(settings)
        assert "cannot be used" in error.message


# -- providers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "who", "scope"),
    [
        ({"oauth_provider": "google"}, PERSON, "https://mail.google.com/"),
        ({"oauth_provider": "google", "kind": "gmail"}, PERSON, "https://www.googleapis.com/auth/gmail.readonly"),
        (
            {"oauth_provider": "google", "kind": "gmail", "after": "seen"},
            PERSON,
            "https://www.googleapis.com/auth/gmail.modify",
        ),
        (
            {"oauth_provider": "microsoft"},
            PERSON,
            "https://outlook.office365.com/IMAP.AccessAsUser.All offline_access",
        ),
        (
            {"oauth_provider": "microsoft", "kind": "graph"},
            PERSON,
            "https://graph.microsoft.com/Mail.Read offline_access",
        ),
        (
            {"oauth_provider": "microsoft", "kind": "graph", "oauth_tenant": "t", "oauth_client_secret": "s"},
            SERVICE,
            "https://graph.microsoft.com/.default",
        ),
        (
            {"oauth_provider": "microsoft", "kind": "graph", "api_url": "https://graph.microsoft.us", "after": "seen"},
            PERSON,
            "https://graph.microsoft.us/Mail.ReadWrite offline_access",
        ),
    ],
)
def test_no_more_is_asked_for_than_is_needed(more: dict[str, str], who: str, scope: str) -> None:
    found = provider(MailboxSettings(auth="oauth2", oauth_client_id="c", **more))  # type: ignore[arg-type]
    assert (found.who, found.scope) == (who, scope)
    assert found.token_url.startswith("https://")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "no oauth_provider"),
        ({"oauth_provider": "google", "oauth_client_id": ""}, "no oauth_client_id"),
        ({"oauth_provider": "custom"}, "needs oauth_token_url"),
        ({"oauth_provider": "custom", "oauth_token_url": "http://login.example.com/token"}, "in the clear"),
        ({"oauth_provider": "custom", "oauth_token_url": "ftp://x/"}, "no web address"),
        ({"oauth_provider": "custom", "oauth_token_url": "https://u:p@x/"}, "no web address"),
        ({"oauth_provider": "microsoft", "oauth_client_secret": "s"}, "needs oauth_tenant"),
        ({"oauth_provider": "microsoft", "oauth_tenant": "a/b"}, "no id and no domain"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(more: dict[str, str], words: str) -> None:
    values = {"auth": "oauth2", "oauth_client_id": "c"} | more
    with pytest.raises(UsageError, match=words):
        provider(MailboxSettings(**values))  # type: ignore[arg-type]


# -- TLS ------------------------------------------------------------------------------------------


def test_the_certificate_is_verified(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with OAuthServer(tls=context) as server:
        assert "not known here" in refused(service(server, tmp_path)).message
        assert TokenSource(service(server, tmp_path, ca_file=str(ca_file)))().startswith("access-")
        missing = service(server, tmp_path, ca_file=str(tmp_path / "nowhere"))
        assert "cannot be read" in refused(missing).message


def test_an_answer_is_read_no_further_than_allowed(server: OAuthServer) -> None:
    web = Web(5)
    server.script(200, {"long": "x" * 100_000})
    answer = web.request("POST", f"{server.url}/token", most=1000)
    web.close()
    assert (len(answer.body), answer.whole, answer.document()) == (1000, False, {})


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("127.9.9.9", True), ("LOCALHOST.", True),
     ("", False), ("example.com", False), ("192.0.2.1", False), ("localhost.example.com", False)],
)  # fmt: skip
def test_what_is_on_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
