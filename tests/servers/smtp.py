"""A real SMTP server on a free port of loopback: STARTTLS or implicit TLS, a login, and faults on demand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import strict
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "whosends", "correct horse"


@dataclass
class Mailroom:
    """What arrived, read by a parser that raises for any defect, and how the server is to behave.

    `answers` are given to DATA first, `cut` drops the line; while it is to `hold`, what was taken gets no answer.
    """

    port: int = 0
    ca: Path = Path()
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    cut: bool = False
    hold: bool = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        mail = message_from_bytes(envelope.original_content or b"", policy=strict)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.to.append(list(envelope.rcpt_tos))
        while self.hold:
            await asyncio.sleep(0.05)
        if self.cut:  # taken, and the answer never comes
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"


@contextmanager
def mailroom(folder: Path, *, implicit: bool = False) -> Iterator[Mailroom]:
    """The server, until the block ends."""
    authority = trustme.CA()
    room = Mailroom(ca=folder / "ca.pem")
    authority.cert_pem.write_to_path(str(room.ca))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    more: dict[str, Any] = {
        "authenticator": _authenticate, "auth_required": not implicit, "auth_require_tls": not implicit, "port": 0,
        "hostname": "127.0.0.1",
    }  # fmt: skip
    kind: type[Controller] = _Free
    if implicit:
        controller: Controller = kind(room, ssl_context=tls, **more)
    else:
        controller = kind(room, tls_context=tls, require_starttls=True, **more)
    controller.start()
    try:
        room.port = controller.port
        yield room
    finally:
        controller.stop()


class _Free(Controller):
    """A controller on a free port: its own look at whether the server runs needs to know which one that is."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)
