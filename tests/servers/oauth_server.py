"""A small OAuth2 provider on loopback: token, device and introspection endpoints that do as they are told.

    with OAuthServer() as server:
        refresh = server.consent("user1")            # as if a person had consented
        server.script(503, {})                       # the next answer of the token endpoint
        server.revoke_access()                       # every access token is void from now on

Dovecot asks it whether a token is good (RFC 7662), so that what a client shows at the IMAP server
is really what it got here.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

Answer = tuple[int, dict[str, Any]]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Asked:
    """One request that came."""

    path: str
    form: dict[str, str]


@dataclass
class State:
    access: dict[str, dict[str, Any]] = field(default_factory=dict)  # token → what introspection says
    refresh: dict[str, str] = field(default_factory=dict)  # token → user
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)  # code → user, PKCE challenge
    scripted: deque[Answer] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)


class OAuthServer:
    """The provider; `seconds` is what tokens live, `audience` whom they are for, `rotates` whether refreshing voids."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.state = State()
        self.seconds: object = 3600
        self.audience = ""
        self.rotates = False
        self.service_user = "user1"
        self.device: Answer = (
            200,
            {
                "device_code": "the-device-code",
                "user_code": "WDJB-MJHT",
                "verification_uri": "https://login.example/device",
                "expires_in": 600,
                "interval": 5,
            },
        )
        self._serial = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # What tests say

    def consent(self, user: str) -> str:
        """A refresh token for a user."""
        token = f"refresh-{next(self._serial)}"
        self.state.refresh[token] = user
        return token

    def code(self, user: str, challenge: str) -> str:
        code = f"code-{next(self._serial)}"
        self.state.codes[code] = (user, challenge)
        return code

    def script(self, status: int, document: dict[str, Any], times: int = 1) -> None:
        """The next answers of the token endpoint, whatever is asked."""
        self.state.scripted.extend([(status, document)] * times)

    def error(self, code: str, description: str = "", status: int = 400) -> None:
        self.script(status, {"error": code, "error_description": description})

    def revoke_access(self) -> None:
        for known in self.state.access.values():
            known["active"] = False

    def forms(self, path: str = "/token") -> list[dict[str, str]]:
        return [asked.form for asked in self.state.asked if asked.path == path]

    # What it does

    def answer(self, path: str, form: dict[str, str], bearer: str) -> Answer:
        self.state.asked.append(Asked(path, form))
        if path == "/introspect":
            return 200, self.state.access.get(form.get("token") or bearer, {"active": False})
        if path == "/device":
            return self.device
        if path != "/token":
            return 404, {}
        if self.state.scripted:
            return self.state.scripted.popleft()
        return self._token(form)

    def _token(self, form: dict[str, str]) -> Answer:
        grant = form.get("grant_type")
        if grant == "refresh_token":
            user = self.state.refresh.get(form.get("refresh_token", ""))
            if user is None:
                return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            if self.rotates:
                del self.state.refresh[form["refresh_token"]]
            return 200, self.granted(user, self.consent(user) if self.rotates else "")
        if grant == "authorization_code":
            user, challenge = self.state.codes.pop(form.get("code", ""), ("", ""))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if not user or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
                return 400, {"error": "invalid_grant"}
            return 200, self.granted(user, self.consent(user))
        if grant in ("client_credentials", JWT_BEARER):
            return 200, self.granted(self.service_user)
        known = grant == DEVICE
        document = self.granted(self.service_user, self.consent(self.service_user))
        return (200, document) if known else (400, {"error": "unsupported_grant_type"})

    def granted(self, user: str, refresh: str = "") -> dict[str, Any]:
        """A token; where an audience is set it is a JWT that says so, and the mail server does not accept it."""
        token = f"access-{next(self._serial)}"
        if self.audience:
            body = base64.urlsafe_b64encode(json.dumps({"aud": self.audience}).encode()).rstrip(b"=").decode()
            token = f"{token}.{body}.signature"
        self.state.access[token] = {"active": not self.audience, "username": user}
        document = {"access_token": token, "token_type": "Bearer", "expires_in": self.seconds}
        return {**document, **({"refresh_token": refresh} if refresh else {})}

    def authorized(self, address: str, user: str) -> str:
        """Where the browser of somebody who accepts ends up."""
        query = parse_qs(urlsplit(address).query)
        code = self.code(user, query["code_challenge"][0])
        return f"{query['redirect_uri'][0]}/?{urlencode({'state': query['state'][0], 'code': code})}"


def _handler(server: OAuthServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are written apart; the second would wait 40 ms

        def do_GET(self) -> None:
            self._serve({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._serve(dict(parse_qsl(body.decode())))

        def _serve(self, form: dict[str, str]) -> None:
            bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, document = server.answer(urlsplit(self.path).path, form, bearer)
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, value in document.get("_headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    return Handler
