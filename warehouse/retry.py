"""Quarantined messages read again: after an upgrade, a raised limit, or a conflict that was settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ingest.inputs.base import Cursors, Message, Position
from ingest.outcome import Outcome, Quarantined
from warehouse import quarantine
from warehouse.connect import Warehouse
from warehouse.load import Loader, LoadSummary, load
from warehouse.settle import OUTCOMES


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one message: an outcome as `message.outcome` has it, and the reason where it is refused again."""

    quarantine_key: int
    before: str
    outcome: str
    reason: str = ""


@dataclass(slots=True)
class RetrySummary:
    """What a retry did: message by message, and the counts of its run. `without_bytes` could not be tried."""

    loaded: LoadSummary
    retried: list[Retried]
    without_bytes: list[int]

    def by_reason(self) -> dict[str, dict[tuple[str, str], list[int]]]:
        """Reason before → (outcome, reason after) → keys; all in the order they were tried."""
        told: dict[str, dict[tuple[str, str], list[int]]] = {}
        for one in self.retried:
            told.setdefault(one.before, {}).setdefault((one.outcome, one.reason), []).append(one.quarantine_key)
        return told


@dataclass(slots=True)
class QuarantineInput:
    """The messages of a quarantine as an input. What is settled now leaves the quarantine."""

    warehouse: Warehouse
    keys: Sequence[int]
    name: str = "quarantine"
    acts: bool = False
    remote: bool = False
    retried: list[Retried] = field(default_factory=list)
    without_bytes: list[int] = field(default_factory=list)
    _at: quarantine.Kept | None = None

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Yield the messages one by one: each may be large."""
        del cursors  # a quarantine has no order to go on from
        for key in self.keys:
            with self.warehouse.reading() as connection:
                self._at = quarantine.show(connection, key)
            if self._at and self._at.can_be_read:
                yield [self._at.message]
            elif self._at:
                self.without_bytes.append(key)

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Let go of a message that is no longer refused."""
        assert self._at is not None
        key, before = self._at.quarantine_key, self._at.reason
        for _, outcome in settled:
            reason = outcome.reason if isinstance(outcome, Quarantined) else ""
            self.retried.append(Retried(key, before, OUTCOMES[type(outcome)], reason))
            if not reason:
                with self.warehouse.writing() as connection:
                    quarantine.release(connection, key)

    def redo(self, owed: Sequence[Position]) -> None:
        """Nothing is owed to a quarantine: what was stored before a crash is a duplicate next time."""


def retry(loader: Loader, keys: Sequence[int]) -> RetrySummary:
    """Read the messages by these quarantine keys again."""
    source = QuarantineInput(loader.warehouse, keys)
    loaded = load(source, loader)
    return RetrySummary(loaded, source.retried, source.without_bytes)
