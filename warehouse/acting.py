"""Marking and moving in a mailbox what is committed: where it refuses, that stays owed, and reading goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.errors import MailboxError, MailboxUnreachable
from ingest.inputs.base import Input, Message, Position
from ingest.outcome import Outcome
from warehouse import cursors
from warehouse.connect import Warehouse

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Acting:
    """Acts in one mailbox. `refusal` is what it said last where anything is still owed to it; `told` hears of it once.

    A mailbox that is full, or whose folder may not be written to, still has reports to be read. One that cannot be
    reached has not: that raises MailboxUnreachable.
    """

    source: Input
    warehouse: Warehouse
    told: Callable[[MailboxError], object]
    refusal: MailboxError | None = None

    def redo(self, owed: Sequence[Position]) -> None:
        """Do what an earlier run did not get to."""
        if owed:
            self._act(lambda: self.source.redo(owed), owed)

    def done(self, ended: Sequence[tuple[Message, Outcome]], owed: Sequence[Position]) -> None:
        """Tell the input how messages ended; `owed` are those that it acts on."""
        self._act(lambda: self.source.done(ended), owed)

    def _act(self, step: Callable[[], None], owed: Sequence[Position]) -> None:
        try:
            step()
        except MailboxUnreachable:
            raise
        except MailboxError as error:
            log.info("mailbox.refused name=%s messages=%d reason=%r", self.source.name, len(owed), error.message)
            if self.refusal is None:
                self.told(error)
            self.refusal = error
            return
        if owed:
            with self.warehouse.writing(reports=False) as connection:
                cursors.paid(connection, owed)
