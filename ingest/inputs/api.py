"""A mailbox that is read through a web API, as an input; Gmail and Graph differ only in `Api`.

Reading changes nothing there. A folder is listed from two days before the newest message that is
known, and once a day as a whole, because mail can be moved in with an old date; what is listed
gets its number from the ledger, and the warehouse's cursor does the rest (see ledger.py).
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs import imap_after
from ingest.inputs.base import Cursors, Message, Position, to_act_on
from ingest.inputs.imap_link import Retry, StoppedError
from ingest.inputs.ledger import Ledger, Listed, Numbered
from ingest.outcome import Outcome
from ingest.settings import MailboxSettings, UnpackLimits

_LOG = logging.getLogger(__name__)
_OVERLAP = 2 * 86400.0  # seconds; deliveries are late and clocks differ, and what is listed twice costs nothing
_WHOLE = 86400.0  # seconds between listings of a whole folder
_HEAD = 2**20  # bytes kept of a message beyond the limit
_OTHERS = 4  # messages that are asked for where one is refused
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or label: the API's own name for it, and how many messages it holds."""

    key: str
    messages: int


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as it was received; `size` is more than len(raw) where only its beginning was read.

    `fault` is set instead where the service does not give this one: its words.
    """

    raw: bytes
    size: int
    received_at: float | None
    fault: str = ""


class Api(Protocol):
    """What the two services can do, each call by itself; errors are MailboxError or MailboxUnreachable."""

    @property
    def title(self) -> str:
        """The service, for people."""

    def place(self, folder: str) -> Place:
        """Find a folder by its name."""

    def listed(self, place: Place, since: float | None) -> Iterator[Sequence[Listed]]:
        """Pages of messages received at or after `since`; every page is complete up to its last message."""

    def raw(self, key: str, most: int) -> Raw | None:
        """One message, of which at most `most` bytes are read; None where it is gone."""

    def mark_seen(self, keys: Sequence[str]) -> None:
        """Mark messages as read; those that are gone are passed over."""

    def move(self, keys: Sequence[str], place: Place, target: str) -> None:
        """Move messages into a folder, which is made where it is missing; those that are gone are passed over."""

    def close(self) -> None:
        """Close the connections."""


class ApiInput:
    """A mailbox that implements `ingest.inputs.base.Input`, with `watch` beside it. One object serves one thread."""

    remote = True

    def __init__(
        self,
        settings: MailboxSettings,
        limits: UnpackLimits,
        api: Api,
        *,
        retry: Retry | None = None,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._most = limits.message_bytes
        self._api = api
        self._after = imap_after.parse(settings.after, settings.folders)
        self._retry = retry or Retry()
        self._sleep = sleep
        self._now = now
        self._stop: threading.Event | None = None
        self._holders = 0
        account = f"{settings.kind} {settings.user} {settings.api_url}"
        self._ledger = Ledger(Path(settings.ledger_file), account)

    @property
    def name(self) -> str:
        """The mailbox's name in the settings."""
        return self._settings.name

    @property
    def acts(self) -> bool:
        """Whether `done` marks or moves anything."""
        return self._after.kind != "leave"

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Yield what `cursors` does not cover, folder by folder, in the order of the ledger."""
        with self._held():
            for folder in self._settings.folders:
                yield from self._read(folder, cursors)

    def watch(self, cursors: Cursors, stop: threading.Event) -> Iterator[Sequence[Message]]:
        """Like `fetch`, then again every `settings.interval` seconds until `stop` is set.

        Before each rest comes an empty batch.
        """
        at = dict(cursors)
        self._stop = stop
        try:
            while not stop.is_set():
                for batch in self.fetch(at):
                    yield batch
                    for message in batch:
                        if message.position is not None:
                            place = (message.position.mailbox, message.position.folder)
                            at[place] = (message.position.uidvalidity, message.position.uid)
                    if stop.is_set():
                        return
                yield ()
                stop.wait(max(1.0, self._settings.interval))
        except StoppedError:
            return
        finally:
            self._stop = None

    def latest(self, folder: str, most: int, days: float = 7.0) -> list[Message]:
        """Some of the messages of the last days, for a look; nothing is noted anywhere."""
        with self._held():
            place = self._api.place(folder)
            listed = [each for page in self._api.listed(place, self._now() - days * 86400) for each in page]
            got = [(each.key, self._api.raw(each.key, self._most)) for each in listed[-most:]]
            return [self._message(raw, f"{self.name}/{folder}/{key}", None) for key, raw in got if raw is not None]

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Act on what is committed: only Stored and Duplicate; everything else stays as it is."""
        self.redo(to_act_on(settled))

    def redo(self, owed: Sequence[Position]) -> None:
        """Act on positions that were committed, perhaps in an earlier run; twice does no harm."""
        mine = [position for position in owed if position.mailbox == self.name]
        if not self.acts or not mine:
            return
        validity = self._ledger.validity()
        for (folder, uidvalidity), uids in imap_after.by_folder(mine).items():
            if uidvalidity != validity:  # numbers of a ledger that is lost: they mean nothing any more
                _LOG.warning("mailbox.renumbered folder=%r skipped=%d", folder, len(uids))
                continue
            keys = list(self._ledger.keys(uids).values())
            with self._held():
                self._persist(lambda folder=folder, keys=keys: self._act(folder, keys))  # type: ignore[misc]
            _LOG.info("mailbox.settled folder=%r after=%s messages=%d", folder, self._after.kind, len(keys))

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keep the connections between calls; the last holder closes them."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if self._holders == 0:
                self._api.close()

    def close(self) -> None:
        """Close the connections; `fetch` and `watch` do so themselves when they end."""
        self._api.close()

    def _act(self, folder: str, keys: Sequence[str]) -> None:
        if self._after.kind == "seen":
            self._api.mark_seen(keys)
        else:
            self._api.move(keys, self._api.place(folder), self._after.target)

    def _read(self, folder: str, cursors: Cursors) -> Iterator[Sequence[Message]]:
        self._persist(lambda: self._list(folder))
        validity = self._ledger.validity()
        known = cursors.get((self.name, folder), (0, 0))
        batch: list[tuple[Numbered, Raw]] = []
        size = 0
        for each in self._ledger.above(folder, known[1] if known[0] == validity else 0):
            raw = self._raw(folder, each)
            if raw is None:
                self._ledger.forget([each.uid])
                continue
            if batch and (
                len(batch) >= self._settings.batch_messages or size + len(raw.raw) > self._settings.batch_bytes
            ):
                yield self._batch(folder, validity, batch)
                batch, size = [], 0
            batch.append((each, raw))
            size += len(raw.raw)
        if batch:
            yield self._batch(folder, validity, batch)

    def _raw(self, folder: str, each: Numbered) -> Raw | None:
        """One message; None where it is gone. One that is refused time and again, while others come, stops no other."""
        refusals, others_come = 0, False

        def step() -> Raw | None:
            nonlocal refusals, others_come
            try:
                return self._api.raw(each.key, self._most)
            except MailboxError as error:
                if others_come:
                    return Raw(b"", 0, None, error.message)
                refusals += 1
                may_pass = isinstance(error, MailboxUnreachable)
                if not may_pass or refusals >= self._retry.tries - 1:
                    others_come = self._gives_another(folder, each.uid)
                if others_come and not may_pass:
                    return step()
                raise

        return self._persist(step)

    def _gives_another(self, folder: str, than: int) -> bool:
        """Whether any of the messages around one can be had: proof that the service works at all."""
        others = sorted(self._ledger.above(folder, 0), key=lambda other: abs(other.uid - than))[1 : 1 + _OTHERS]
        with contextlib.suppress(MailboxError):
            return any(self._api.raw(other.key, self._most) is not None for other in others)
        return False

    def _list(self, folder: str) -> None:
        began, newest = self._now(), self._ledger.newest(folder)
        whole = newest is None or not 0 <= began - self._ledger.listed_at(folder) < _WHOLE
        place = self._api.place(folder)
        new = 0
        for page in self._api.listed(place, None if whole or newest is None else newest - _OVERLAP):
            new += self._ledger.note(folder, page)
        if whole:
            self._ledger.listed(folder, began)
        _LOG.info("mailbox.listed name=%s folder=%r whole=%s new=%d", self.name, folder, whole, new)

    def _batch(self, folder: str, validity: int, batch: Sequence[tuple[Numbered, Raw]]) -> list[Message]:
        times = [(each.uid, raw.received_at) for each, raw in batch if raw.received_at is not None]
        self._ledger.received(times)
        messages = []
        for each, raw in batch:
            position = Position(self.name, folder, validity, each.uid)
            messages.append(self._message(raw, f"{self.name}/{folder}/{each.key}", position))
        _LOG.info(
            "mailbox.fetched name=%s folder=%r messages=%d last_uid=%d", self.name, folder, len(batch), batch[-1][0].uid
        )
        return messages

    def _message(self, raw: Raw, origin: str, position: Position | None) -> Message:
        body = raw.raw if raw.size <= self._most else raw.raw[: min(_HEAD, self._most)]
        try:
            received_at = None if raw.received_at is None else datetime.fromtimestamp(raw.received_at, UTC)
        except (ValueError, OverflowError, OSError):
            received_at = None
        return Message(body, origin, max(raw.size, len(raw.raw)), received_at, position, raw.fault)

    def _persist(self, step: Callable[[], T]) -> T:
        """Run a step that may be repeated until it gets through; a watch tries for ever."""
        failures, stop = 0, self._stop
        while True:
            try:
                return step()
            except MailboxUnreachable as error:
                failures += 1
                if stop is None and failures >= self._retry.tries:
                    raise
                self._pause(failures, error, stop)

    def _pause(self, failures: int, error: MailboxUnreachable, stop: threading.Event | None) -> None:
        seconds = max(self._retry.wait(failures), error.wait_seconds)
        _LOG.warning(
            "mailbox.unreachable name=%s failures=%d retry_in=%.1f reason=%r",
            self.name, failures, seconds, error.message,
        )  # fmt: skip
        if stop is None:
            self._sleep(seconds)
        elif stop.wait(seconds):
            raise StoppedError from error


def missing_folder(title: str, folder: str, there: Sequence[str]) -> MailboxError:
    """The error for a folder that is not there."""
    names = ", ".join(sorted(there)[:30])
    return MailboxError(
        f"{title} has no folder {folder!r}.", f"Folders there: {names!r}." if names else "Check folders."
    )
