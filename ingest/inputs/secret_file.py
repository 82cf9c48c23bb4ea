"""A secret in a file: its first line, or all of it, and only where nobody else can have put it there or read it.

Two kinds of files are believed. A person's file must be the owner's alone (0600). A secret that a
service manager mounts cannot be made so: Docker and Kubernetes give them mode 0444 to whoever runs
in the container, and systemd's are 0440 where it uses ACLs. Those are taken from the folders named
in the settings, where the mount itself is the protection, and only if they cannot be changed by
others: nothing but root (who could do anything) or we ourselves may own them or write them, or
they are mounted read-only (Compose keeps the owner that the file has on the host).
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from ingest.errors import MailboxError

_MOST = 2**20


def first_line(path: Path, folders: Sequence[str], what: str) -> str:
    """The first line of a file that holds a secret. `what` is what it holds, for people."""
    line = whole(path, folders, what).split("\n", 1)[0].rstrip("\r")
    if not line:
        raise MailboxError(f"The first line of the {what} file {str(path)!r} is empty.", f"It must be the {what}.")
    return line


def whole(path: Path, folders: Sequence[str], what: str) -> str:
    """All of a file that holds a secret."""
    try:
        with path.open("rb") as file:
            # The open file is judged, not the name, so that nobody can swap it in between.
            _judge(path, file.fileno(), folders, what)
            return file.read(_MOST).decode("utf-8-sig")
    except OSError as error:
        raise MailboxError(
            f"The {what} file {str(path)!r} cannot be read: {error.strerror or error}.",
            "Check its path and its owner.",
        ) from error
    except UnicodeDecodeError as error:
        # Without `from`: the exception carries the bytes, which may be the secret.
        raise MailboxError(
            f"The {what} file {str(path)!r} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8."
        ) from None


def _judge(path: Path, number: int, folders: Sequence[str], what: str) -> None:
    opened = os.fstat(number)
    if os.name != "posix" or not opened.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return
    frozen = bool(os.fstatvfs(number).f_flag & os.ST_RDONLY)
    if _mounted(path, opened, folders, frozen=frozen):
        return
    mode = f"{stat.S_IMODE(opened.st_mode):04o}"
    raise MailboxError(
        f"The {what} file {str(path)!r} can be read by others (mode {mode}).",
        f"Run: chmod 600 {shlex.quote(str(path))}",
    )


def _mounted(path: Path, opened: os.stat_result, folders: Sequence[str], *, frozen: bool) -> bool:
    """Whether the open file lies in a folder of mounted secrets, and only root or we can have made it."""
    try:
        place = path.resolve(strict=True)
        roots = [Path(folder).resolve() for folder in folders if folder]
        named = place.stat()
    except OSError:
        return False
    # The name is followed a second time here; it must still lead to the file that was opened.
    if (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
        return False
    root = next((root for root in roots if place.is_relative_to(root) and place != root), None)
    if root is None or not (frozen or _ours(opened)):
        return False
    between = [folder for folder in place.parents if folder.is_relative_to(root)]
    return all(_ours(folder.stat()) for folder in between)


def _ours(found: os.stat_result) -> bool:
    """Owned by root or by us, and nobody else may write. A sticky folder is no exception: it takes new files."""
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
