"""The refresh token in its file: mode 0600, replaced as a whole, one process at a time.

The file also says for which client and token endpoint the token was given, so that a changed
setting cannot send it to anybody else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import portalocker

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.oauth_provider import Provider
from ingest.inputs.secret_file import whole
from ingest.settings import MailboxSettings

_LOCK_SECONDS = 60.0


def path_of(settings: MailboxSettings) -> Path:
    """Where this mailbox's refresh token is kept."""
    if not settings.oauth_token_file:
        raise MailboxError(f"Mailbox {settings.name!r} has no oauth_token_file.", "Set it to a path for the token.")
    return Path(settings.oauth_token_file)


def load(settings: MailboxSettings, provider: Provider) -> str:
    """The refresh token, or a MailboxError that says to log in."""
    path = path_of(settings)
    log_in = f"Run: whosends login {settings.name}"
    if not path.exists():
        raise MailboxError(f"Nobody has logged in to mailbox {settings.name!r} yet: there is no {str(path)!r}.", log_in)
    try:
        # No folder of mounted secrets is trusted here: the file must be writable by us, and by us alone.
        found = json.loads(whole(path, (), "token"))
    except (ValueError, RecursionError):
        found = None  # its text is not repeated: it may be a token
    if not isinstance(found, dict) or not isinstance(found.get("refresh_token"), str):
        raise MailboxError(f"The token file {str(path)!r} holds no token.", log_in)
    if (found.get("client_id"), found.get("token_url")) != (settings.oauth_client_id, provider.token_url):
        raise MailboxError(f"The token in {str(path)!r} was given to another application or provider.", log_in)
    return str(found["refresh_token"])


def save(settings: MailboxSettings, provider: Provider, refresh_token: str) -> None:
    """Write the token beside the old one, then put it in its place, so that a crash loses neither."""
    path = path_of(settings)
    held: dict[str, Any] = {
        "refresh_token": refresh_token,
        "client_id": settings.oauth_client_id,
        "token_url": provider.token_url,
    }
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.unlink(missing_ok=True)
        # Created with its mode: it must not be readable even for the moment before a chmod.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(held, out)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise MailboxError(
            f"The token cannot be kept in {str(path)!r}: {error.strerror or error}.",
            "Set oauth_token_file to a place that this user may write.",
        ) from error


@contextmanager
def alone(settings: MailboxSettings) -> Iterator[None]:
    """Hold the token against other pollers: where refresh tokens rotate, two at once would void each other's."""
    path = path_of(settings)
    lock = portalocker.Lock(
        path.with_name(f"{path.name}.lock"), mode="a", timeout=_LOCK_SECONDS, fail_when_locked=False
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
    except portalocker.exceptions.LockException as error:
        raise MailboxUnreachable(
            f"Another process has held {str(path)!r} for {_LOCK_SECONDS:g} s.", "Trying again can help."
        ) from error
    except OSError as error:
        raise MailboxError(f"{str(path)!r} cannot be locked: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
