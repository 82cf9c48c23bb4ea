"""Some messages and what they say, as columns: made from bytes alone, so that another process can make it.

Parsed reports take ten times the room of their columns. So messages are read a few hundred at a time, which also stays
within the processor's cache, and only columns are kept until there is enough for a commit.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from threading import Lock

import pyarrow as pa

from ingest.attestation import NOT_CHECKED, Attestation
from ingest.inputs.base import Message
from ingest.reading import Privacy, Reading, read
from ingest.settings import UnpackLimits
from warehouse import rows
from warehouse.packing import columns, document_hash, packed
from warehouse.rows import Arrived, Staged, staged, table

PORTION_BYTES = 4 * 2**20
"""Bytes of documents after which a portion is closed."""
PORTION_MESSAGES = 1000

Vouch = Callable[[Sequence[tuple[Message, Reading]]], Sequence[Sequence[Attestation]]]
"""Messages as read → for each aggregate report of each, who vouches for it."""


@dataclass(frozen=True, slots=True)
class How:
    """How messages are read."""

    limits: UnpackLimits
    privacy: Privacy
    keep_documents: bool


@dataclass(frozen=True, slots=True)
class Portion:
    """Messages in order. `readings` lack their aggregate reports: `counts` says how many each has in `staged`.

    `documents` has a row for each of those reports (packing.columns), or none where documents are not kept.
    """

    messages: list[Message]
    readings: list[Reading]
    counts: list[int]
    staged: Staged
    documents: pa.Table

    @property
    def records(self) -> int:
        """How many records there are."""
        return int(self.staged.records.num_rows)

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        raw = sum(len(message.raw) for message in self.messages)
        others = sum(reading.size for reading in self.readings)
        return raw + others + self.staged.size + int(self.documents.nbytes)


@contextmanager
def tuned() -> Iterator[None]:
    """How a process that reads much is set up meanwhile; each of the two saves a tenth of its time.

    Reports are many objects, none of them in a cycle, so cycles are looked for a hundred times less often. Columns come
    and go all the time, and Arrow's own allocator gives memory back to the system each time, to take it again.
    Of threads that read at once the first one sets it up, and the last one puts it back.
    """
    with _setup.lock:
        if not _setup.users:
            _setup.make()
        _setup.users += 1
    try:
        yield
    finally:
        with _setup.lock:
            _setup.users -= 1
            if not _setup.users:
                _setup.undo()


class _Setup:
    """What was before, and how many want it otherwise."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.users = 0

    def make(self) -> None:
        self._threshold, self._pool = gc.get_threshold(), pa.default_memory_pool()
        gc.set_threshold(100 * self._threshold[0], *self._threshold[1:])
        pa.set_memory_pool(pa.system_memory_pool())

    def undo(self) -> None:
        gc.set_threshold(*self._threshold)
        pa.set_memory_pool(self._pool)


_setup = _Setup()


def portions(messages: Iterable[Message], how: How, vouch: Vouch | None = None) -> Iterator[Portion]:
    """Read messages, a few hundred at a time."""
    found: list[tuple[Message, Reading]] = []
    size = 0
    for message in messages:
        reading = read(message, how.limits, how.privacy)
        size += reading.size
        found.append((message, reading))
        del reading  # whatever is held here stays in memory until the portion is committed
        if size >= PORTION_BYTES or len(found) >= PORTION_MESSAGES:
            yield portion(_taken(found), vouch, keep_documents=how.keep_documents)
            size = 0
    if found:
        yield portion(_taken(found), vouch, keep_documents=how.keep_documents)


def _taken(found: list[tuple[Message, Reading]]) -> list[tuple[Message, Reading]]:
    taken = found.copy()
    found.clear()
    return taken


def portion(
    found: Sequence[tuple[Message, Reading]],
    vouch: Vouch | None = None,
    *,
    keep_documents: bool = True,
) -> Portion:
    """Messages as they were read, as a portion."""
    arrived = []
    kept: list[tuple[str, int, bytes]] = []
    attestations = chain.from_iterable(vouch(found) if vouch else ())
    for message, reading in found:
        for item in reading.reports:
            document = item.content
            name = document_hash(document) if isinstance(document, bytes) else document.digest
            attestation = next(attestations, NOT_CHECKED)
            arrived.append(Arrived(item.report, name, message.origin, message.received_at, attestation))
            if keep_documents:
                kept.append((name, len(document), packed(document, item.deflated)))
    return Portion(
        [message for message, _ in found],
        [_without_reports(reading) for _, reading in found],
        [len(reading.reports) for _, reading in found],
        staged(arrived),
        table(columns(), kept),
    )


def _without_reports(reading: Reading) -> Reading:
    return Reading(
        [], reading.refusals, reading.sentence, reading.tls_reports, reading.failure_reports, reading.notices
    )


def joined(found: Sequence[Portion]) -> Portion:
    """Portions in order as one."""
    if len(found) == 1:
        return found[0]
    return Portion(
        [message for each in found for message in each.messages],
        [reading for each in found for reading in each.readings],
        [count for each in found for count in each.counts],
        rows.joined([each.staged for each in found]),
        pa.concat_tables([each.documents for each in found]),
    )
