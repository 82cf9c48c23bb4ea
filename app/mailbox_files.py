"""The files of a mailbox: which settings are paths, and where a mailbox keeps what it must remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ingest.settings import MailboxSettings

FILES: Final = (
    "ca_file",
    "password_file",
    "oauth_client_secret_file",
    "oauth_key_file",
    "oauth_token_file",
    "ledger_file",
)


def completed(settings: MailboxSettings, beside: Path, environ: Mapping[str, str]) -> MailboxSettings:
    """Settings with their files: beside the warehouse, because that folder is there and may be written."""
    name = quote(settings.name, safe="")  # a name may hold anything, a file's name may not
    changes: dict[str, object] = {}
    if settings.auth == "oauth2" and not settings.oauth_token_file:
        changes["oauth_token_file"] = str(beside / f"mailbox-{name}.token")
    if settings.kind != "imap" and not settings.ledger_file:
        changes["ledger_file"] = str(beside / f"mailbox-{name}.ledger")
    # systemd's LoadCredential= puts secrets into a folder of the service's own (systemd.exec(5)).
    if mounted := environ.get("CREDENTIALS_DIRECTORY"):
        changes["secrets_folders"] = (*settings.secrets_folders, mounted)
    return replace(settings, **changes) if changes else settings  # type: ignore[arg-type]
