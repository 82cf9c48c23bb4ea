"""The authorization code grant for programs on a machine (RFC 8252), with PKCE (RFC 7636).

Google gives no mail scope to device codes, so its users come this way. The browser ends at an
address of this machine, where we listen; if it runs on another machine, the address that it ends
at can be pasted instead.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ingest.errors import MailboxError, UsageError
from ingest.inputs.imap_errors import told
from ingest.inputs.oauth import identity, token_answer
from ingest.inputs.oauth_provider import Provider
from ingest.inputs.web import Web
from ingest.settings import MailboxSettings

_LONGEST = 600.0  # seconds that we wait for a person
_PASTED = "http://127.0.0.1:8400"  # nobody listens there; the person copies the address


class Listener(HTTPServer):
    """Waits on a free port of 127.0.0.1 for the browser to come back."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.timeout = 0.5
        self.came = ""

    @property
    def address(self) -> str:
        """Where the browser is to be sent."""
        return f"http://127.0.0.1:{self.server_port}"

    def wait(self, state: str) -> str:
        """The address that the browser came to, as soon as it bears our state."""
        until = time.monotonic() + _LONGEST
        while time.monotonic() < until:
            self.handle_request()
            if state in self.came:
                return self.came
        return ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no reason to print a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    timeout = 5.0  # a connection without a request does not hold us up

    def do_GET(self) -> None:
        if "state=" in self.path:  # browsers ask for /favicon.ico too
            self.server.came = self.server.address + self.path
        body = b"You can close this window and go back to the terminal."
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the line would hold the code."""


def log_in(
    settings: MailboxSettings, asked: Provider, web: Web, tell: Callable[[str], None], paste: Callable[[], str] | None
) -> Mapping[str, object]:
    """Send the person to the provider, and exchange what comes back for a token."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    if paste is not None:
        tell(_address(settings, asked, _PASTED, state, verifier))
        return _exchanged(settings, asked, web, (_PASTED, _code(settings, paste(), state), verifier))
    with Listener() as listener:
        tell(_address(settings, asked, listener.address, state, verifier))
        came = listener.wait(state)
    if not came:
        raise MailboxError("The browser did not come back in time.", f"Run 'whosends login {settings.name}' again.")
    return _exchanged(settings, asked, web, (listener.address, _code(settings, came, state), verifier))


def _address(settings: MailboxSettings, asked: Provider, redirect: str, state: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": settings.oauth_client_id,
        "redirect_uri": redirect,
        "scope": asked.scope,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": settings.user,
        # Google gives a refresh token only when asked so, and again only with a new consent.
        "access_type": "offline",
        "prompt": "consent",
    }
    return f"{asked.authorize_url}?{urlencode(query)}"


def _code(settings: MailboxSettings, came: str, state: str) -> str:
    query = parse_qs(urlsplit(came.strip()).query)
    if query.get("state") != [state]:
        # RFC 9700 section 4.7: an answer to a question that we did not ask.
        raise UsageError("That address does not belong to this login.", "Paste the whole address, of this attempt.")
    if "code" not in query:
        said = query.get("error", ["no reason"])[0]
        raise MailboxError(
            f"The provider gave no consent: {told(said)}.", f"Run 'whosends login {settings.name}' again and accept."
        )
    return query["code"][0]


def _exchanged(settings: MailboxSettings, asked: Provider, web: Web, got: tuple[str, str, str]) -> Mapping[str, object]:
    redirect, code, verifier = got
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": verifier,
        **identity(settings),
    }
    return token_answer(settings, asked, web, form)
