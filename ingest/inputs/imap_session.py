"""One connection to a mail server: the dozen commands we use, in our own types and errors.

Nothing here decides anything. Reading is EXAMINE and BODY.PEEK[] (RFC 9051 sections 6.3.3 and
6.4.5), which change no flag; only `mark_seen` and `move` write.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest.errors import MailboxError
from ingest.inputs import imap_connect, imap_idle
from ingest.inputs.imap_errors import LoginRefused, Refused, no_such_folder, spoken, told
from ingest.inputs.imap_uids import Described, Opened, ranges
from ingest.inputs.login import Login
from ingest.settings import MailboxSettings

_LOG = logging.getLogger(__name__)
_UIDS = 500  # per command: 500 UIDs of ten digits stay below the 8,192 bytes of RFC 7162 section 4
_GOODBYE = 2.0  # seconds
_Found = dict[int, dict[bytes, Any]]
_SEARCH = 50_000  # messages per SEARCH: imaplib refuses a line of more than a million bytes


class Session:
    """A logged-in connection and the folder that is open in it."""

    def __init__(self, settings: MailboxSettings, password: Callable[[], str], clock: Callable[[], float]) -> None:
        self._where = imap_connect.where(settings)
        self._clock = clock
        self._client: Any = imap_connect.connect(settings, password)
        self._open: tuple[str, bool] | None = None
        self._opened: Opened | None = None
        self.used_at = clock()
        self.sound = True  # no answer is outstanding: the next line from the server is for the next command

    @contextlib.contextmanager
    def _call(self, doing: str) -> Iterator[Any]:
        self.sound = False
        try:
            with spoken(self._where, doing):
                yield self._client
        except Refused:
            self.sound = True
            raise
        self.sound = True
        self.used_at = self._clock()

    # Reading

    def open(self, folder: str, *, readonly: bool, fresh: bool = False) -> Opened:
        """EXAMINE or SELECT a folder, unless it is open that way already."""
        if self._opened is not None and self._open == (folder, readonly) and not fresh:
            return self._opened
        self._open = None
        try:
            with self._call(f"open folder {folder!r}") as client:
                said = client.select_folder(folder, readonly=readonly)
        except Refused as error:
            raise MailboxError(error.message, self._folders_hint()) from error
        if b"UIDVALIDITY" not in said:
            raise MailboxError(f"{self._where} gives no UIDVALIDITY for {folder!r}, so nothing can be remembered.")
        self._opened = Opened(int(said[b"UIDVALIDITY"]), int(said.get(b"EXISTS", 0)), said.get(b"UIDNEXT"))
        self._open = (folder, readonly)
        return self._opened

    def _folders_hint(self) -> str:
        with contextlib.suppress(MailboxError), self._call("list folders") as client:
            names = [str(name) for _, _, name in client.list_folders()]
            return f"Folders there: {told(', '.join(sorted(names)))}."
        return "Check folders."

    def uids_above(self, uid: int, exists: int) -> list[range]:
        """List the UIDs above `uid` of the open folder.

        `n:*` always names the last message too, even below n (RFC 9051 section 9, seq-range).
        Long folders are searched in windows of sequence numbers, from the top down: a removal
        meanwhile shifts messages into windows that are still to come, never out of them.
        """
        found: list[range] = []
        for top in range(exists, 0, -_SEARCH):
            window = [f"{max(1, top - _SEARCH + 1)}:{top}"] if exists > _SEARCH else []
            with self._call("search") as client:
                uids = client.search([*window, "UID", f"{uid + 1}:*"])
            found.extend(ranges(each for each in uids if each > uid))
        return found if exists <= _SEARCH else ranges(each for part in found for each in part)

    def describe(self, uids: Sequence[int]) -> list[Described]:
        """Size and date of arrival; a message without a size is left for its body to tell."""
        fetched, refused = self._fetch(uids, [b"RFC822.SIZE", b"INTERNALDATE"], b"RFC822.SIZE")
        found = [Described(uid, 0, None) for uid in refused]
        for uid, fields in fetched.items():
            found.append(Described(uid, int(fields[b"RFC822.SIZE"]), _utc(fields.get(b"INTERNALDATE"))))
        return found

    def bodies(self, uids: Sequence[int]) -> tuple[dict[int, bytes], dict[int, str]]:
        """Whole messages, without marking them as read; and what the server refused, with its words.

        UIDs in neither have vanished since they were listed.
        """
        fetched, refused = self._fetch(uids, [b"BODY.PEEK[]"], b"BODY[]")
        return {uid: fields[b"BODY[]"] for uid, fields in fetched.items()}, refused

    def head(self, uid: int, length: int) -> tuple[dict[int, bytes], dict[int, str]]:
        """The beginning of a message that is too large to be read whole; else like `bodies`."""
        fetched, refused = self._fetch([uid], [b"BODY.PEEK[]<0.%d>" % length], b"BODY[]<0>")
        return {uid: fields[b"BODY[]<0>"][:length] for uid, fields in fetched.items()}, refused

    def delivers_another(self, than: Iterable[int]) -> bool:
        """Whether the folder's first or last message can be had: proof that fetching works at all."""
        for place in ("1", "*"):
            with contextlib.suppress(Refused):
                with self._call("search") as client:
                    others = [uid for uid in client.search([place]) if uid not in than]
                if others and self.head(others[0], 1)[0]:
                    return True
        return False

    def _fetch(self, uids: Sequence[int], items: list[bytes], wanted: bytes) -> tuple[_Found, dict[int, str]]:
        """Fetch, and find out which message is to blame where the server refuses a whole set."""
        found: _Found = {}
        words: dict[int, str] = {}
        parts = deque(uids[start : start + _UIDS] for start in range(0, len(uids), _UIDS))
        while parts:
            part = parts.popleft()
            try:
                answered = self._fetch_part(part, items)
            except Refused as error:
                if len(part) > 1:
                    parts.extendleft((part[len(part) // 2 :], part[: len(part) // 2]))
                else:
                    words[part[0]] = error.message
                continue
            found.update((uid, fields) for uid, fields in answered.items() if fields.get(wanted) is not None)
        missing = [uid for uid in uids if uid not in found]
        refused = {uid: words.get(uid, f"{self._where} delivered nothing.") for uid in self._still(missing)}
        return found, refused

    def _fetch_part(self, uids: Sequence[int], items: list[bytes]) -> _Found:
        with self._call("fetch") as client:
            try:
                answered: _Found = client.fetch(list(uids), items)
            finally:
                # What came before a refusal would otherwise stay in imaplib's memory.
                client._imap.untagged_responses.pop("FETCH", None)
        return answered

    def _still(self, uids: Sequence[int]) -> set[int]:
        """Which of these are still in the folder."""
        there: set[int] = set()
        for part in _parts(uids):
            with self._call("search") as client:
                there.update(client.search(["UID", ",".join(map(str, part))]))
        return there.intersection(uids)

    # Acting

    def can(self, capability: str) -> bool:
        """Whether the server announces a capability, now that we are logged in."""
        with self._call("tell its capabilities") as client:
            return bool(client.has_capability(capability))

    def mark_seen(self, uids: Iterable[int]) -> None:
        """Set \\Seen; UIDs that are gone are passed over (RFC 9051 section 6.4.9)."""
        for part in _parts(uids):
            with self._call("mark messages as seen") as client:
                client.add_flags(part, [b"\\Seen"], silent=True)

    def move(self, uids: Iterable[int], target: str) -> None:
        """Move messages, and only these: MOVE (RFC 6851), or COPY and UID EXPUNGE (RFC 4315)."""
        if not self.can("MOVE") and not self.can("UIDPLUS"):
            raise MailboxError(
                f"{self._where} can neither MOVE nor UID EXPUNGE, so moving would remove other people's"
                " deleted mail too; nothing was moved.",
                "Set after = seen or after = leave.",
            )
        for part in _parts(uids):
            try:
                self._move_part(part, target)
            except Refused as error:
                if not no_such_folder(error):
                    raise
                self._create(target)
                self._move_part(part, target)

    def _move_part(self, uids: list[int], target: str) -> None:
        with self._call(f"move messages to {target!r}") as client:
            if client.has_capability("MOVE"):
                client.move(uids, target)
                return
            client.copy(uids, target)
        self.expunge(uids)

    def expunge(self, uids: Iterable[int]) -> None:
        """Remove messages, and only these (RFC 4315)."""
        for part in _parts(uids):
            with self._call("remove messages") as client:
                client.add_flags(part, [b"\\Deleted"], silent=True)
                client.uid_expunge(part)

    def _create(self, folder: str) -> None:
        with self._call(f"create folder {folder!r}") as client:
            client.create_folder(folder)
        _LOG.info("folder.created server=%s folder=%r", self._where, folder)

    # Waiting and leaving

    def idle(self, seconds: float, stop: threading.Event) -> None:
        """Wait for news of the open folder; `imap_idle` says for what exactly."""
        with self._call("idle") as client:
            imap_idle.idle(client, self._where, seconds, stop, self._clock)

    def close(self) -> None:
        """Say goodbye, unless an answer is still outstanding; never wait long for the reply."""
        if self.sound:
            with contextlib.suppress(MailboxError), spoken(self._where, "log out"):
                self._client.socket().settimeout(_GOODBYE)
                self._client.logout()
        imap_connect.drop(self._client)

    def drop(self) -> None:
        """Hang up without a word."""
        imap_connect.drop(self._client)

    def hang_up(self) -> None:
        """Wake a read that waits in another thread; it ends as a dropped connection."""
        with contextlib.suppress(OSError, ValueError):
            # Not SSLSocket.shutdown: that would take the TLS state away from under the reader.
            socket.socket.shutdown(self._client.socket(), socket.SHUT_RDWR)


def opened(settings: MailboxSettings, login: Login, clock: Callable[[], float]) -> Session:
    """Connect and log in; once more with a fresh token where the first one may have been revoked meanwhile."""
    while True:
        try:
            return Session(settings, login.secret, clock)
        except LoginRefused as error:
            if not login.renew():
                # Without `from`: the cause may hold the token.
                raise login.explained(error) from None


def _parts(uids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(set(uids))
    for start in range(0, len(ordered), _UIDS):
        yield ordered[start : start + _UIDS]


def _utc(arrived: object) -> datetime | None:
    if not isinstance(arrived, datetime) or arrived.tzinfo is None:
        return None
    try:
        return arrived.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
