"""The mailbox password: from the settings, a file or a command; never logged, never kept."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from pathlib import Path

from ingest.errors import MailboxError
from ingest.settings import MailboxSettings

_COMMAND_SECONDS = 60.0


def password(settings: MailboxSettings, command_seconds: float = _COMMAND_SECONDS) -> str:
    """Return the password of a mailbox. It is asked for at each login, so a changed one is found."""
    if settings.password:
        return settings.password
    if settings.password_file:
        return _from_file(Path(settings.password_file))
    if settings.password_command:
        return _from_command(settings.password_command, command_seconds)
    raise MailboxError(
        f"No password is set for mailbox {settings.name!r}.",
        "Set password_file, password_command, or the password in the environment.",
    )


def _from_file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            # The open file is judged, not the name, so that nobody can swap it in between.
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise MailboxError(
                    f"The password file {str(path)!r} can be read by others (mode {stat.S_IMODE(mode):04o}).",
                    f"Run: chmod 600 {shlex.quote(str(path))}",
                )
            line = file.readline().rstrip("\r\n")
    except OSError as error:
        raise MailboxError(
            f"The password file {str(path)!r} cannot be read: {error.strerror or error}.",
            "Check its path and its owner.",
        ) from error
    except UnicodeDecodeError as error:
        # Without `from`: the exception carries the bytes, which may be the password.
        raise MailboxError(
            f"The password file {str(path)!r} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8."
        ) from None
    return _not_empty(line, f"The first line of the password file {str(path)!r} is empty.")


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
    return _not_empty(line, f"The password command {words[0]!r} printed an empty first line.")


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise MailboxError(f"The password command cannot be split into words: {error}.") from error
    if not words:
        raise MailboxError("The password command is blank.")
    return words


def _not_empty(line: str, complaint: str) -> str:
    if not line:
        raise MailboxError(complaint, "The password must stand in the first line.")
    return line
