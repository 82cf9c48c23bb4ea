"""An IMAP mailbox as an input (RFC 9051; servers of RFC 3501 too).

Reading changes nothing there: EXAMINE and BODY.PEEK[]. What the cursor covers is not asked for
again; the cursor is kept by the warehouse, in the transaction that stores the messages, so nothing
depends on flags that people and other programs change. `done` acts only afterwards.

    imap.py → imap_link.py (reconnects) → imap_session.py (commands) → imap_connect.py (TLS, login)
    imap_fetch.py (batches of a folder), imap_after.py (\\Seen, move), imap_idle.py (waiting)
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from ingest.inputs import imap_after, imap_connect
from ingest.inputs.base import Cursors, Message, Position, to_act_on
from ingest.inputs.imap_errors import Refused
from ingest.inputs.imap_fetch import Reader
from ingest.inputs.imap_link import Link, Retry, StoppedError
from ingest.inputs.imap_session import Session
from ingest.inputs.imap_uids import Backlog, Opened
from ingest.outcome import Outcome
from ingest.settings import MailboxSettings, UnpackLimits

_LOG = logging.getLogger(__name__)
_IDLE_MOST = 20 * 60.0  # RFC 2177 says 29 minutes; routers forget sooner
_KEEP = 60.0  # a wait longer than this gives the connection back to the server


class ImapInput:
    """A mailbox that implements `ingest.inputs.base.Input`, with `watch` beside it.

    One object serves one thread.
    """

    remote = True

    def __init__(
        self,
        settings: MailboxSettings,
        limits: UnpackLimits,
        *,
        retry: Retry | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        imap_connect.check(settings)
        self._settings = settings
        self._after = imap_after.parse(settings.after, settings.folders)
        self._reader = Reader(settings, limits)
        self._link = Link(settings, retry or Retry(), sleep, clock)
        self._idles = True
        self._stop: threading.Event | None = None  # of the watch that is going on

    @property
    def name(self) -> str:
        """The mailbox's name in the settings."""
        return self._settings.name

    @property
    def acts(self) -> bool:
        """Whether `done` marks or moves anything."""
        return self._after.kind != "leave"

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Yield what `cursors` does not cover, folder by folder, oldest first, in batches."""
        with self._link.held():
            for folder in self._settings.folders:
                yield from self._read(self._backlog(folder, cursors))

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Act on what is committed: only Stored and Duplicate; everything else stays as it is."""
        self._act(to_act_on(settled), again=False)

    def redo(self, owed: Sequence[Position]) -> None:
        """Act on positions that were committed in an earlier run, which may have begun it; twice does no harm."""
        self._act(owed, again=True)

    def _act(self, owed: Sequence[Position], *, again: bool) -> None:
        mine = [position for position in owed if position.mailbox == self._settings.name]
        if not self.acts or not mine:
            return
        with self._link.held():
            for place, uids in imap_after.by_folder(mine).items():
                act = functools.partial(imap_after.act, self._after, place=place, uids=uids, again=again)
                self._link.see_through(act, self._stop)

    def watch(self, cursors: Cursors, stop: threading.Event) -> Iterator[Sequence[Message]]:
        """Like `fetch`, then go on as mail arrives, until `stop` is set. Drops are reconnected for ever.

        IDLE on the first folder where the server has it; every folder is looked into at least
        every `settings.interval` seconds; before each rest comes an empty batch. A refused login or
        folder ends it with a MailboxError.
        """
        at = dict(cursors)
        self._stop = stop
        try:
            with self._link.held(), self._link.interrupted_by(stop):
                while not stop.is_set():
                    began = self._link.clock()
                    first: Opened | None = None
                    quiet = True
                    for folder in self._settings.folders:
                        backlog = self._backlog(folder, at)
                        before = backlog.reached
                        yield from self._read(backlog, stop)
                        quiet = quiet and backlog.reached == before
                        at[self._settings.name, folder] = backlog.reached
                        first = first or backlog.opened
                    yield ()
                    self._link.persist(functools.partial(self._rest, known=first, stop=stop), stop)
                    if quiet and self._link.clock() - began < 1.0:
                        stop.wait(1.0)  # a server that cuts every wait short is not to be hammered
        except StoppedError:
            return
        finally:
            self._stop = None

    def close(self) -> None:
        """End the connection; `fetch` and `watch` do so themselves when they end."""
        self._link.close()

    def _backlog(self, folder: str, cursors: Cursors) -> Backlog:
        return Backlog(folder, *cursors.get((self._settings.name, folder), (0, 0)))

    def _read(self, backlog: Backlog, stop: threading.Event | None = None) -> Iterator[Sequence[Message]]:
        step = functools.partial(self._next_batch, backlog)
        while True:
            batch = self._link.persist(step, stop)
            if batch is None:
                return
            if batch:
                _LOG.info(
                    "mailbox.fetched name=%s folder=%r messages=%d bytes=%d last_uid=%d",
                    self._settings.name, backlog.folder, len(batch), sum(len(m.raw) for m in batch),
                    backlog.reached[1],
                )  # fmt: skip
                yield batch
            del batch  # or it would be kept while the next one is fetched

    def _next_batch(self, backlog: Backlog, session: Session, failures: int) -> list[Message] | None:
        return self._reader.next_batch(session, backlog, failures)

    def _rest(self, session: Session, _: int, known: Opened | None, stop: threading.Event) -> None:
        """Wait until a look into the folders is worth while."""
        if self._idles and session.can("IDLE"):
            opened = session.open(self._settings.folders[0], readonly=True, fresh=True)
            if known is None or not opened.same_as(known):
                return  # it came while we were busy, and IDLE would not tell of it again
            try:
                session.idle(min(self._settings.interval, _IDLE_MOST), stop)
            except Refused as error:
                self._idles = False
                _LOG.warning("mailbox.polled name=%s reason=%r", self._settings.name, error.message)
            return
        if self._settings.interval > _KEEP:
            self._link.close()
        stop.wait(self._settings.interval)
