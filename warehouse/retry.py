"""Quarantined messages read again: after an upgrade, a raised limit, or a conflict that was settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.inputs.base import Cursors, Message, Position
from ingest.outcome import Outcome, Quarantined
from warehouse import quarantine
from warehouse.connect import Warehouse
from warehouse.load import Loader, LoadSummary, load


@dataclass(slots=True)
class QuarantineInput:
    """The messages of a quarantine as an input. What is settled now leaves the quarantine."""

    warehouse: Warehouse
    keys: Sequence[int]
    name: str = "quarantine"
    acts: bool = False

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Yield the messages one by one: each may be large."""
        del cursors  # a quarantine has no order to go on from
        for key in self.keys:
            with self.warehouse.reading() as connection:
                kept = quarantine.show(connection, key)
            if kept:
                self._current = key
                yield [kept.message]

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Let go of a message that is no longer refused."""
        for _, outcome in settled:
            if not isinstance(outcome, Quarantined):
                with self.warehouse.writing() as connection:
                    quarantine.release(connection, self._current)

    def redo(self, owed: Sequence[Position]) -> None:
        """Nothing is owed to a quarantine: what was stored before a crash is a duplicate next time."""

    _current: int = 0


def retry(loader: Loader, keys: Sequence[int]) -> LoadSummary:
    """Read the messages by these quarantine keys again."""
    return load(QuarantineInput(loader.warehouse, keys), loader)
