"""Slack and Discord as a client meets them: their own hosts over TLS, behind a proxy that leads nowhere else.

Both have fixed addresses, so what is asked of the client is what any office asks: to go by the proxy of the
environment, and to trust the authority that it names. What arrives is read as their documentation has it: Slack's
incoming webhooks answer 200 and "ok", Discord's answer 204, and 400 to a text of more than 2,000 characters.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

SLACK, DISCORD = "hooks.slack.com", "discord.com"
DISCORD_MOST = 2_000  # characters of content


@dataclass
class Chats:
    """What arrived, as (host, path, JSON). `proxy` and `ca` are for the environment; `answers` are given first."""

    proxy: str = ""
    ca: Path = Path()
    posted: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def chats(folder: Path) -> Iterator[Chats]:
    """The proxy and both services, until the block ends."""
    authority, here = trustme.CA(), Chats(ca=folder / "chats-ca.pem")
    authority.cert_pem.write_to_path(str(here.ca))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(SLACK, DISCORD).configure_cert(tls)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self) -> None:
            """The proxy's part (RFC 9110 section 9.3.6), then TLS with whoever was asked for."""
            self.host, _, port = self.path.partition(":")
            if self.host not in (SLACK, DISCORD) or port != "443":
                here.refused.append((self.host, port))
                self.send_error(502)
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.connection = tls.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
            self.close_connection = False

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = self._judge(body)
            if status < 300:
                here.posted.append((self.host, self.path, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def _judge(self, body: dict[str, Any]) -> tuple[int, bytes]:
            if here.answers:
                return here.answers.pop(0), b"no"
            if self.host == SLACK:
                return 200, b"ok"
            content = body.get("content") or ""
            return (204, b"") if 0 < len(content) <= DISCORD_MOST or body.get("embeds") else (400, b"{}")

        def finish(self) -> None:
            super().finish()
            self.connection.close()  # the TLS one: the server knows only the plain one below it

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.proxy = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
