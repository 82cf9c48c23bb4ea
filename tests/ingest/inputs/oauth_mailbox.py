"""Settings of mailboxes whose provider is the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest.inputs import oauth_store
from ingest.inputs.oauth_provider import provider
from ingest.settings import MailboxSettings
from tests.servers.oauth_server import OAuthServer


def person(server: OAuthServer, folder: Path, **more: Any) -> MailboxSettings:
    """A mailbox that somebody must log in to."""
    values: dict[str, Any] = {
        "host": "imap.example.com",
        "user": "dmarc@example.com",
        "auth": "oauth2",
        "oauth_provider": "custom",
        "oauth_client_id": "whosends-test",
        "oauth_token_url": f"{server.url}/token",
        "oauth_device_url": f"{server.url}/device",
        "oauth_token_file": str(folder / "keys" / "token"),
        "timeout": 5.0,
    }
    return MailboxSettings(**(values | more))


def consented(server: OAuthServer, folder: Path, **more: Any) -> MailboxSettings:
    """A mailbox that somebody has logged in to."""
    made = person(server, folder, **more)
    oauth_store.save(made, provider(made), server.consent("user1"))
    return made
