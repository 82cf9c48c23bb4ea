"""What every input gives: messages in batches, and a place to hear how they ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingest.outcome import Duplicate, Outcome, Stored


@dataclass(frozen=True, slots=True)
class Position:
    """Where a message stands in a mailbox (RFC 9051 section 2.3.1.1): never reused, always rising."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Message:
    """One unit of input: a mail, or a file that holds a report or an archive of reports.

    `size` is the size in bytes of the original. Where that is beyond the limit, `raw` holds only
    its beginning, so len(raw) < size; where the input could not be read, `fault` says why.
    `origin` is where it came from, for people (a path, or mailbox/folder/uid).
    """

    raw: bytes
    origin: str
    size: int
    received_at: datetime | None = None
    position: Position | None = None
    fault: str = ""


Cursors = Mapping[tuple[str, str], tuple[int, int]]
"""(mailbox, folder) → (uidvalidity, highest uid whose outcome is committed)."""


def to_act_on(settled: Iterable[tuple[Message, Outcome]]) -> list[Position]:
    """Where the messages stand that a mailbox may mark or move: what is stored or known, nothing else."""
    return [
        message.position
        for message, outcome in settled
        if message.position is not None and isinstance(outcome, Stored | Duplicate)
    ]


class Input(Protocol):
    """A place that messages come from. Reading changes nothing there."""

    @property
    def name(self) -> str:
        """What is read, for people: the mailbox's name or the paths given."""

    @property
    def acts(self) -> bool:
        """Whether `done` does something there, so that what is owed must be remembered until it is done."""

    @property
    def remote(self) -> bool:
        """Whether batches come from far away, so that the next one is better fetched while one is stored."""

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Yield batches of messages that `cursors` does not cover, oldest first.

        An empty one says that the next may take long: it is asked for once all before are settled.
        """

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Hear that these outcomes are committed; the only place where an input may act."""

    def redo(self, owed: Sequence[Position]) -> None:
        """Do what `done` should have done for these messages before the process died; idempotent."""
