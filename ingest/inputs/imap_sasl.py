"""Logging in to IMAP with a bearer token: OAUTHBEARER (RFC 7628), or XOAUTH2, its older twin.

A server that refuses the token first sends its reason as a challenge, which the client must answer
before it hears the NO (RFC 7628 section 3.2.3); that reason is worth more than the NO.
"""

from __future__ import annotations

import json
from typing import Any

from ingest.errors import MailboxError
from ingest.inputs.imap_errors import told


class Bearer:
    """Answers a server's challenges with the token, then with the dummy that ends a failed exchange."""

    def __init__(self, mechanism: str, user: str, token: str, host: str, port: int) -> None:
        self._mechanism = mechanism
        self._said = False
        self.reason = b""
        if mechanism == "OAUTHBEARER":
            # RFC 7628 section 3.1; "=" and "," in a name are written as RFC 5801 section 4 says.
            name = user.replace("=", "=3D").replace(",", "=2C")
            self._first = f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"
        else:
            self._first = f"user={user}\x01auth=Bearer {token}\x01\x01"

    def __call__(self, challenge: bytes) -> bytes:
        """What SASL calls for each challenge of the server; the first one is empty."""
        if not self._said:
            self._said = True
            return self._first.encode()
        self.reason = challenge
        return b"\x01" if self._mechanism == "OAUTHBEARER" else b""

    def words(self) -> str:
        """The server's reason, for people: the status of RFC 7628 section 3.2.2 where it is one."""
        if not self.reason:
            return ""
        try:
            found = json.loads(self.reason)
        except (ValueError, RecursionError):
            return told(self.reason)
        status, scope = (found.get("status"), found.get("scope")) if isinstance(found, dict) else (None, None)
        wanted = f", it wants scope {told(scope)}" if isinstance(scope, str) and scope else ""
        return f"{told(str(status))}{wanted}" if status else told(self.reason)


def mechanism(client: Any, at: str) -> str:
    """The mechanism that the server offers."""
    for name in ("OAUTHBEARER", "XOAUTH2"):
        if client.has_capability(f"AUTH={name}"):
            return name
    raise MailboxError(
        f"{at} offers no login with OAuth2.", "Set auth = password, or security = tls if it wants TLS first."
    )
