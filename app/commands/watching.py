"""`whosends poll --watch`: a thread a mailbox, until SIGTERM or SIGINT; the batch at hand is finished.

What takes long beside that, answers to be worked out, is done by a process of its own, which is broken off.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

from app import exitcodes
from app.beside import beside
from app.commands.asking import today
from app.commands.base import Run
from app.commands.blocklisting import ask_blocklists
from app.commands.loading import mail_loader_of
from app.commands.progress import counted
from app.commands.renaming import rename
from app.commands.telling import SETTLED, Teller
from app.render import Screen
from app.warming import ahead
from ingest.errors import Error, MailboxUnreachable
from ingest.inputs.boxes import box
from ingest.settings import MailboxSettings
from warehouse.load import LoadSummary, load

AGAIN = 30.0  # seconds between tries to reach a server that earlier work is owed to
NAMES_EACH = 60.0  # seconds between looks for addresses without a name


@dataclass(slots=True)
class Watch:
    """What the threads share."""

    run: Run
    screen: Screen
    stop: threading.Event = field(default_factory=threading.Event)
    stored: threading.Event = field(default_factory=threading.Event)
    errors: list[BaseException] = field(default_factory=list)

    def mailbox(self, settings: MailboxSettings) -> None:
        """Watch one mailbox until told to stop. What ends it early is kept for the exit code."""
        try:
            while not self.stop.is_set():
                self._watched(settings)
        except Error as error:
            self._note(settings.name, error)
            self.errors.append(error)
        except BaseException as error:  # noqa: BLE001 - raised again by the main thread, which ends the others first
            self.errors.append(error)
            self.stop.set()

    def _watched(self, settings: MailboxSettings) -> None:
        """Watch until told to stop, or until what an earlier run owes to the mailbox finds no server."""
        source = box(settings, self.run.config.limits)
        loader = mail_loader_of(self.run, lambda summary: self._told(settings.name, summary))
        loader = replace(loader, refused=lambda error: self._note(settings.name, error))
        try:
            load(source, loader, lambda cursors: source.watch(cursors, self.stop))
        except MailboxUnreachable as error:
            if self.stop.is_set():
                raise
            self.screen.note(f"{settings.name}: {error.message} Waiting for it.")
            self.stop.wait(max(AGAIN, error.wait_seconds))

    def _note(self, name: str, error: Error) -> None:
        self.screen.note(f"Error: {name}: {error.message} {error.hint}")

    def _told(self, name: str, summary: LoadSummary) -> None:
        self.screen.note(f"{name}: {counted(summary)}")
        self.stored.set()


@dataclass(slots=True)
class Warmer:
    """When what people will ask for first is worked out: when nothing more comes, and anew on each day."""

    watch: Watch
    day: date | None = None
    due_at: float = 0.0

    def stored(self) -> None:
        """Something new is there: what was worked out is true no more."""
        self.day, self.due_at = None, time.monotonic() + SETTLED

    def step(self) -> None:
        """Work it out if it is time, until mail arrives or the end; whatever was not done is gone on with."""
        run, watch, now = self.watch.run, self.watch, today()
        if not run.config.warehouse.warm or self.day == now or time.monotonic() < self.due_at:
            return
        if beside(lambda: watch.stop.is_set() or watch.stored.is_set(), ahead, run.config, now):
            self.day = now
        else:
            self.due_at = time.monotonic() + AGAIN


@dataclass(slots=True)
class Names:
    """When new addresses are named and lists are asked of them; a busy warehouse, or a full disk, ends no watch."""

    run: Run
    screen: Screen
    due: bool = False
    due_at: float = 0.0
    failed: str = ""

    def step(self) -> None:
        """Ask if it is time, and again until it is done."""
        if self.due and time.monotonic() >= self.due_at:
            self.due = not self.ask()
            self.due_at = time.monotonic() + NAMES_EACH

    def ask(self) -> bool:
        """Whether they were asked. What keeps them from it is told once, until it is something else."""
        try:
            rename(self.run)
            ask_blocklists(self.run)
        except Error as error:
            if error.message != self.failed:
                self.screen.note(f"Names: {error.message} Asking again every {NAMES_EACH:.0f} seconds.")
            self.failed = error.message
            return False
        self.failed = ""
        return True


def watch_all(run: Run, screen: Screen, mailboxes: Sequence[MailboxSettings]) -> int:
    """Watch all mailboxes. Ends with 0 when it was told to end, and by the error where none is left."""
    watch = Watch(run, screen)
    teller, warmer, names = Teller(run, screen, watch.stop), Warmer(watch), Names(run, screen)
    threads = [threading.Thread(target=watch.mailbox, args=(settings,), name=settings.name) for settings in mailboxes]
    with _signals(watch.stop):
        screen.note(f"Watching {', '.join(settings.name for settings in mailboxes)}. Stop with Ctrl-C or SIGTERM.")
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) and not watch.stop.wait(1.0):
                if watch.stored.is_set():
                    watch.stored.clear()
                    teller.stored()
                    warmer.stored()
                    names.due = True
                # Names first: they may say whose an address is.
                names.step()
                teller.step()
                if not names.due:
                    warmer.step()
        finally:
            watch.stop.set()
            for thread in threads:
                thread.join()
    for error in watch.errors:
        if not isinstance(error, Error):
            raise error
    return max((error.exit_code for error in watch.errors if isinstance(error, Error)), default=exitcodes.OK)


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop` instead of ending the process in the middle of a batch."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
