"""`whosends poll --watch` tells the alert channels by itself: of what it stored, and of what time alone makes due."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from app import warming
from app.alerts.run import run as tell
from app.beside import beside
from app.commands.asking import today
from app.commands.base import Run
from app.commands.opening import warehouse_of
from app.render import Screen, clean
from ingest.errors import Error

SETTLED: Final = 5.0  # seconds without a new batch: half a mailbox would tell of senders that are only not read yet
LEAST: Final = 60.0  # seconds between two rounds, however much arrives
EACH: Final = 900.0  # seconds at the most: quiet hours end, a snooze is over, a reporter falls silent without any mail
SHARE: Final = 10.0  # and so many times as long as a round takes, so that looking never keeps a machine busy


@dataclass(slots=True)
class Teller:
    """When the next round of alerts is due. All instants are of the monotonic clock, in seconds."""

    run: Run
    screen: Screen
    stop: Event
    due_at: float = field(default_factory=lambda: time.monotonic() + SETTLED)
    earliest: float = 0.0
    latest: float = field(default_factory=lambda: time.monotonic() + EACH)
    wait: float = LEAST
    said: str = ""

    def stored(self) -> None:
        """Something new is there: tell of it when nothing more has come for a moment."""
        self.due_at = max(self.earliest, min(self.latest, time.monotonic() + SETTLED))

    def step(self) -> None:
        """Tell what is due, if it is time. What fails is told of on the screen once, and tried again later."""
        if not self.run.config.alerts or time.monotonic() < self.due_at:
            return
        begun, failed = time.monotonic(), ""
        # What is found is kept, so telling need not work it out; nor need whoever ends this wait for it.
        beside(self.stop.is_set, warming.found, self.run.config, today())
        if self.stop.is_set():
            return
        try:
            made = tell(warehouse_of(self.run), today(), self.run.config, self.run.config.alerts, self.stop.is_set)
        except Error as error:
            failed = f"Alerts: {error.message}"
        else:
            sent = sum(one.state == "sent" for one in made)
            if sent:
                self.screen.note(f"Alerts: {sent:,} sent.")
            failed = next((f"Alerts: {one.recipient}: {one.detail}" for one in made if one.state == "failed"), "")
        if failed and failed != self.said:
            self.screen.note(clean(failed))
        self._rest(time.monotonic() - begun, failed)

    def _rest(self, took: float, failed: str) -> None:
        ended, self.said = time.monotonic(), failed
        self.earliest = ended + max(LEAST, SHARE * took)
        self.latest = ended + max(EACH, SHARE * took)
        self.due_at = ended + max(self.wait, SHARE * took) if failed else self.latest
        self.wait = min(self.wait * 2, EACH) if failed else LEAST
