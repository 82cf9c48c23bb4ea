"""The connection as something that lasts: opened when needed, opened again when it was lost.

Whoever uses it hands in a step that may be repeated; a step that got through is progress, and the
patience begins anew.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.imap_session import Session, opened
from ingest.inputs.login import login_of
from ingest.settings import MailboxSettings

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
# Seconds without a command after which routers have forgotten us; asking a dead line costs a timeout.
_STALE = 240.0


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient we are: waits double from `first` to `cap` seconds, each cut by chance to 50–100 %.

    A run gives up after `tries` failures without progress; a watch never does.
    """

    tries: int = 5
    first: float = 1.0
    cap: float = 120.0

    def wait(self, failures: int) -> float:
        """Seconds before the next try; chance keeps many pollers from coming back at one instant."""
        full = min(self.cap, self.first * 2.0 ** min(failures - 1, 20))
        return full * (0.5 + secrets.randbelow(1000) / 2000)


class StoppedError(Exception):
    """The watch was ended while a step was under way or waited for its next try."""


class Link:
    """Keeps one session for one mailbox, shared by reading and acting in one thread."""

    def __init__(
        self,
        settings: MailboxSettings,
        retry: Retry,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.retry = retry
        self._settings = settings
        self._login = login_of(settings)
        self._sleep = sleep
        self._session: Session | None = None
        self._holders = 0
        self._interruptible = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the session between steps; the last holder closes it."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if self._holders == 0:
                self.close()

    def persist(self, step: Callable[[Session, int], T], stop: threading.Event | None = None) -> T:
        """Run `step(session, failures so far)` until it gets through.

        With `stop`, try for ever and raise StoppedError as soon as it is set.
        """
        failures = 0
        while True:
            try:
                self._interruptible = stop is not None
                if stop is not None and stop.is_set():
                    raise StoppedError
                return step(self._fresh(stop), failures)
            except MailboxUnreachable as error:
                self.drop()
                failures += 1
                if stop is None and failures >= self.retry.tries:
                    raise
                self._pause(failures, error, stop)
            finally:
                self._interruptible = False

    def see_through(self, step: Callable[[Session, int], T], stop: threading.Event | None) -> T:
        """Run a step that follows a commit. `stop` does not interrupt it, it only ends the patience.

        So a watch outlasts a server that is down, and its end is not held up by one: what is owed
        is remembered, and done by the next run.
        """
        failures = 0
        while True:
            try:
                return step(self._fresh(None), failures)
            except MailboxUnreachable as error:
                self.drop()
                failures += 1
                # Twice after the end: the first try may have met a line that was just hung up.
                if failures >= (self.retry.tries if stop is None else 2) and (stop is None or stop.is_set()):
                    raise
                with contextlib.suppress(StoppedError):
                    self._pause(failures, error, stop)

    def _fresh(self, stop: threading.Event | None) -> Session:
        session = self._session
        if session is not None and (not session.sound or self.clock() - session.used_at > _STALE):
            self.drop()
        if self._session is None:
            self._session = self._opened() if stop is None else self._opened_unless(stop)
        return self._session

    def _opened(self) -> Session:
        return opened(self._settings, self._login, self.clock)

    def _opened_unless(self, stop: threading.Event) -> Session:
        """Connect in a thread of its own: nothing can interrupt a name lookup or a connect.

        When `stop` comes first, the thread is left to itself and closes what it may still get.
        """
        outcome: queue.SimpleQueue[Session | MailboxError] = queue.SimpleQueue()

        def connect() -> None:
            try:
                session = self._opened()
            except MailboxError as error:
                outcome.put(error)
                return
            outcome.put(session)
            if stop.is_set():
                session.drop()

        threading.Thread(target=connect, name=f"connect-{self._settings.name}", daemon=True).start()
        got = None
        while got is None and not stop.is_set():
            with contextlib.suppress(queue.Empty):
                got = outcome.get(timeout=0.2)
        if got is None:
            with contextlib.suppress(queue.Empty):  # it may have come in this very moment
                got = outcome.get_nowait()
        if stop.is_set():
            if isinstance(got, Session):
                got.drop()
            raise StoppedError
        if isinstance(got, MailboxError):
            raise got
        assert got is not None
        return got

    def _pause(self, failures: int, error: MailboxUnreachable, stop: threading.Event | None) -> None:
        # Coming back before a server allows it only makes it throttle us longer.
        seconds = max(self.retry.wait(failures), error.wait_seconds)
        if stop is not None and stop.is_set():
            raise StoppedError from error
        _LOG.warning(
            "mailbox.unreachable name=%s failures=%d retry_in=%.1f reason=%r",
            self._settings.name, failures, seconds, error.message,
        )  # fmt: skip
        if stop is None:
            self._sleep(seconds)
        elif stop.wait(seconds):
            raise StoppedError from error

    def drop(self) -> None:
        """Forget a session that cannot be trusted any more."""
        session, self._session = self._session, None
        if session is not None:
            session.drop()

    def close(self) -> None:
        """End the session politely."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @contextmanager
    def interrupted_by(self, stop: threading.Event) -> Iterator[None]:
        """Within: when `stop` is set, a step that waits for the server is woken by hanging up.

        Only steps that were given `stop`; an action after a commit is let through.
        """
        over = threading.Event()

        def listen() -> None:
            while not over.wait(0.1 if stop.is_set() else 0):
                if stop.wait(0.5) and self._interruptible and (session := self._session) is not None:
                    session.hang_up()

        thread = threading.Thread(target=listen, name=f"stop-{self._settings.name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
