"""From settings to a logged-in connection: TLS, verified always, and the login.

RFC 8314 prefers implicit TLS; STARTTLS is RFC 9051 section 6.2.1. A server that does not offer it
is refused, never talked to in the clear.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import re
import socket
import ssl
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient, SocketTimeout, exceptions

from ingest.errors import MailboxError, MailboxUnreachable, UsageError
from ingest.inputs.imap_errors import LoginRefused, later, passes, spoken, told
from ingest.inputs.imap_sasl import Bearer, mechanism
from ingest.settings import MailboxSettings

_LOG = logging.getLogger(__name__)
# A host that is down shall not hold up the end of a watch for the whole of settings.timeout.
_CONNECT_SECONDS = 15.0
_PORTS = {"tls": 993, "starttls": 143, "plain": 143}
_SECURITY = "security must be tls, starttls or plain."
# RFC 5530 section 3: what no waiting changes.
_FAILED = re.compile(r"\[(AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED|PRIVACYREQUIRED|CONTACTADMIN)\b", re.I)
# RFC 9051 section 9, astring: what LOGIN takes without quotes.
_ATOM = re.compile(r"[A-Za-z0-9!#$&'+,./:;<=>?@^_`|~-]+")


def check(settings: MailboxSettings) -> None:
    """Refuse settings that can never work, before anything is sent anywhere."""
    if not settings.host:
        raise UsageError(f"Mailbox {settings.name!r} has no host.", "Set host to the name of the IMAP server.")
    if not settings.user:
        raise UsageError(f"Mailbox {settings.name!r} has no user.", "Set user to the login name.")
    if settings.auth not in ("password", "oauth2"):
        raise UsageError(f"Mailbox {settings.name!r}: auth is {settings.auth!r}.", "It must be password or oauth2.")
    if settings.security not in _PORTS:
        raise UsageError(f"Mailbox {settings.name!r}: security is {settings.security!r}.", _SECURITY)
    if not settings.folders:
        raise UsageError(f"Mailbox {settings.name!r} names no folder.", "Set folders, for example INBOX.")


def where(settings: MailboxSettings) -> str:
    """The server as people write it."""
    return f"{settings.host}:{settings.port or _PORTS[settings.security]}"


def connect(settings: MailboxSettings, password: Callable[[], str]) -> Any:
    """Return a logged-in IMAPClient. The password is asked for only when the line is safe."""
    check(settings)
    if settings.security == "plain":
        _require_loopback(settings.host)
    context = None if settings.security == "plain" else _context(settings.ca_file)
    client = _greeted(settings, context)
    try:
        if settings.security == "starttls":
            _start_tls(client, where(settings), context)
        _log_in(client, settings, password())
    except BaseException:
        drop(client)
        raise
    _LOG.info("mailbox.connected name=%s server=%s security=%s", settings.name, where(settings), settings.security)
    return client


def drop(client: Any) -> None:
    """Close the socket without a farewell, whatever state it is in."""
    with contextlib.suppress(OSError, ValueError, exceptions.IMAPClientError):
        client.shutdown()


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError as error:
        raise MailboxError(f"ca_file {ca_file!r} holds no usable certificate.", "It must be PEM.") from error
    except OSError as error:
        raise MailboxError(f"ca_file {ca_file!r} cannot be read: {error.strerror or error}.") from error


def _require_loopback(host: str) -> None:
    """Without TLS the password would cross the network in the clear; on loopback it does not."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise MailboxUnreachable(f"The name {host!r} cannot be resolved.", "Check host.") from error
    if not all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found):
        raise MailboxError(
            f"security = plain would send the password to {host!r} in the clear, so it is allowed for"
            " loopback addresses only.",
            "Use security = tls (port 993) or starttls (port 143).",
        )


def _greeted(settings: MailboxSettings, context: ssl.SSLContext | None) -> Any:
    at = where(settings)
    timeout = SocketTimeout(connect=min(_CONNECT_SECONDS, settings.timeout), read=settings.timeout)
    implicit = settings.security == "tls"
    port = settings.port or _PORTS[settings.security]
    with spoken(at, "greet us"):
        try:
            client = IMAPClient(
                settings.host, port, ssl=implicit, ssl_context=context if implicit else None, timeout=timeout
            )
        except exceptions.IMAPClientError as error:
            # imaplib knows no word for this: it takes POP3's "+OK" for half an answer.
            if "unexpected response" in str(error) or str(error) == "None":
                raise MailboxError(f"{at} is no IMAP server: {told(error)}.", "Check host and port.") from error
            raise
        except UnicodeError as error:
            raise MailboxError(f"{settings.host!r} is no host name.", "Check host.") from error
    # imapclient makes imaplib write every line to a log; formatting them costs, and LOGIN is one.
    client._imap.debug = 0
    client.normalise_times = False
    # imaplib writes a command in pieces; Nagle's algorithm would hold the last one for 40 ms.
    client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if settings.security == "plain" and not _peer_is_loopback(client):
        drop(client)
        raise MailboxError(f"{at} turned out to be no loopback address.", "Use security = tls.")
    return client


def _peer_is_loopback(client: Any) -> bool:
    # Asked of the socket: the name may have resolved to something else since it was checked.
    return ipaddress.ip_address(client.socket().getpeername()[0].partition("%")[0]).is_loopback


def _start_tls(client: Any, at: str, context: ssl.SSLContext | None) -> None:
    with spoken(at, "start TLS"):
        try:
            client.starttls(ssl_context=context)
        except exceptions.CapabilityError as error:
            raise MailboxError(
                f"{at} does not offer STARTTLS.", "Use security = tls on port 993; nothing was sent in the clear."
            ) from error


def _log_in(client: Any, settings: MailboxSettings, secret: str) -> None:
    """A bearer token, or AUTHENTICATE PLAIN (RFC 4616) where offered, as it carries any text; otherwise LOGIN."""
    at = where(settings)
    if settings.auth == "oauth2":
        _log_in_by_token(client, settings, secret)
        return
    try:
        with spoken(at, "log in"):
            if client.has_capability("AUTH=PLAIN"):
                client.plain_login(settings.user, secret)
            else:
                _require_login_text(client, at, settings.user, secret)
                user = settings.user if _ATOM.fullmatch(settings.user) else _quoted(settings.user)
                client.login(user, secret)
    except MailboxError as error:
        # Without `from`: a server may have repeated the password in what it said.
        raise _login_error(error, settings, secret) from None


def _log_in_by_token(client: Any, settings: MailboxSettings, token: str) -> None:
    at = where(settings)
    with spoken(at, "tell its capabilities"):
        name = mechanism(client, at)
    bearer = Bearer(name, settings.user, token, settings.host, settings.port or _PORTS[settings.security])
    try:
        with spoken(at, "log in"):
            client.sasl_login(name, bearer)
    except MailboxError as error:
        # Without `from`: a server may have repeated the token in what it said.
        raise _login_error(error, settings, token, bearer.words()) from None


def _require_login_text(client: Any, at: str, user: str, secret: str) -> None:
    if client.has_capability("LOGINDISABLED"):
        raise MailboxError(f"{at} offers no login with a password.", "It may want auth = oauth2, or TLS first.")
    if not (user + secret).isascii() or not (user + secret).isprintable():
        # LOGIN takes quoted ASCII; a line break in it would be a second command.
        raise MailboxError(f"User name or password cannot be sent to {at}: only printable ASCII can.")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _login_error(error: MailboxError, settings: MailboxSettings, secret: str, reason: str = "") -> MailboxError:
    """imapclient hides behind LoginError whether the server said no or went away."""
    cause = error.__cause__
    if not isinstance(cause, exceptions.LoginError):
        return error
    said = str(cause).replace(secret, "***")  # some servers repeat the line they did not like
    lost = isinstance(cause.__context__, exceptions.IMAPClientAbortError)
    # "Too many failed logins, try again later": coming back with the same password makes it worse.
    if lost or (passes(said) and not _FAILED.search(said)):
        return later(f"{where(settings)} broke off the login: {told(said)}.", said)
    if settings.auth == "oauth2":
        reason = f" ({reason.replace(secret, '***')})" if reason else ""
        return LoginRefused(
            f"{where(settings)} refused the token for {settings.user!r}: {told(said)}{reason}.",
            "Check that the token is for this mailbox.",
        )
    return MailboxError(
        f"{where(settings)} refused the login of {settings.user!r}: {told(said)}.",
        "Check user and password; many providers want an app password for IMAP, or IMAP switched on first.",
    )
