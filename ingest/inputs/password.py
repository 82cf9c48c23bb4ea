"""The mailbox password: from the settings, a file or a command; never logged, never kept."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from ingest.errors import MailboxError
from ingest.inputs.secret_file import first_line
from ingest.settings import MailboxSettings

_COMMAND_SECONDS = 60.0


def password(settings: MailboxSettings, command_seconds: float = _COMMAND_SECONDS) -> str:
    """Return the password of a mailbox. It is asked for at each login, so a changed one is found."""
    if settings.password:
        return settings.password
    if settings.password_file:
        return first_line(Path(settings.password_file), settings.secrets_folders, "password")
    if settings.password_command:
        return _from_command(settings.password_command, command_seconds)
    raise MailboxError(
        f"No password is set for mailbox {settings.name!r}.",
        "Set password_file, password_command, or the password in the environment.",
    )


def _from_command(command: str, seconds: float) -> str:
    words = _words(command)
    try:
        # S603: the command is the owner's own setting, split into words and run without a shell.
        ended = subprocess.run(  # noqa: S603
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        # Without `from`: the exception carries what the command has printed so far.
        raise MailboxError(
            f"The password command {words[0]!r} gave nothing within {seconds:g} s.",
            "Run it by hand; perhaps it waits for a passphrase.",
        ) from None
    except OSError as error:
        raise MailboxError(
            f"The password command {words[0]!r} cannot be run: {error.strerror or error}.",
            "It is run without a shell; give the full path of the program.",
        ) from error
    if ended.returncode != 0:
        complaint = ended.stderr.decode("utf-8", "replace").strip()[:200]
        raise MailboxError(
            f"The password command {words[0]!r} ended with code {ended.returncode}: {complaint!r}.",
            "Run it by hand as the same user.",
        )
    try:
        line = ended.stdout.split(b"\n", 1)[0].decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        raise MailboxError(f"The password command {words[0]!r} printed no UTF-8 text.") from None
    if not line:
        raise MailboxError(
            f"The password command {words[0]!r} printed an empty first line.",
            "The password must stand in the first line.",
        )
    return line


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise MailboxError(f"The password command cannot be split into words: {error}.") from error
    if not words:
        raise MailboxError("The password command is blank.")
    return words
