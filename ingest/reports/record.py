"""The records of an aggregate report: source addresses, numbers of messages, and how they fared.

A record is its address, its count, and a shape: all else it says. Reporters repeat shapes (one sender,
many addresses). A record that differs from an earlier one in plain addresses and counts alone has that
one's shape; of any other the texts are taken out of its outline (ingest/reports/outline.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import NamedTuple, overload

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import words
from ingest.reports.memory import Memory
from ingest.reports.outline import Outlines
from ingest.reports.shape import DkimAuthResult, OverrideReason, RecordPlan, Shape, SpfAuthResult, read_shape

RECORD_LIMIT = 500_000
"""Most records of one report, each once for every day that it covers; the largest senders' daily reports have about a
hundred thousand."""

NAMES_LIMIT = 1000


class AggregateRecord(NamedTuple):
    """One `record`: a source address, a number of messages, and how they fared.

    `dkim_aligned` and `spf_aligned` are `policy_evaluated/dkim|spf` == pass; None where the report
    does not say. Domains are lower case without a trailing dot, A-labels kept as they are.
    """

    source_ip: str
    messages: int
    disposition: str
    dkim_aligned: bool | None
    spf_aligned: bool | None
    reasons: tuple[OverrideReason, ...]
    header_from: str
    envelope_from: str | None
    envelope_to: str | None
    dkim: tuple[DkimAuthResult, ...]
    spf: tuple[SpfAuthResult, ...]


class Records(Sequence[AggregateRecord]):
    """The records of one report by columns, so that a hundred thousand take little: one shape stands for many."""

    __slots__ = ("counts", "shapes", "source_ips")

    def __init__(self, source_ips: list[str], counts: list[int], shapes: list[Shape]) -> None:
        self.source_ips = source_ips
        self.counts = counts
        self.shapes = shapes

    @classmethod
    def of(cls, records: Sequence[AggregateRecord]) -> Records:
        """The same from rows."""
        return cls([r.source_ip for r in records], [r.messages for r in records], [_shape(r) for r in records])

    @property
    def messages(self) -> int:
        """The sum of all counts."""
        return sum(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    @overload
    def __getitem__(self, at: int) -> AggregateRecord: ...
    @overload
    def __getitem__(self, at: slice) -> Records: ...
    def __getitem__(self, at: int | slice) -> AggregateRecord | Records:
        if isinstance(at, slice):
            return Records(self.source_ips[at], self.counts[at], self.shapes[at])
        return _record(self.source_ips[at], self.counts[at], self.shapes[at])

    def __iter__(self) -> Iterator[AggregateRecord]:
        return map(_record, self.source_ips, self.counts, self.shapes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(tuple.__eq__, self, other))

    def __repr__(self) -> str:
        return f"Records({list(self)!r})"

    __hash__ = None  # type: ignore[assignment]


def _record(source_ip: str, messages: int, shape: Shape) -> AggregateRecord:
    reasons, dkim, spf = shape.reasons, shape.dkim, shape.spf
    return AggregateRecord(
        source_ip,
        messages,
        shape.disposition,
        shape.dkim_aligned,
        shape.spf_aligned,
        tuple(map(OverrideReason._make, zip(reasons[::2], reasons[1::2], strict=True))),
        shape.header_from,
        shape.envelope_from,
        shape.envelope_to,
        tuple(map(DkimAuthResult._make, zip(dkim[::3], dkim[1::3], dkim[2::3], strict=True))),
        tuple(map(SpfAuthResult._make, zip(spf[::3], spf[1::3], spf[2::3], strict=True))),
    )


def _shape(record: AggregateRecord) -> Shape:
    reasons, dkim, spf = (tuple(chain.from_iterable(each)) for each in (record.reasons, record.dkim, record.spf))
    head = record.disposition, record.dkim_aligned, record.spf_aligned
    return Shape(*head, reasons, record.header_from, record.envelope_from, record.envelope_to, dkim, spf)


# Nothing here that XML reads in any other way; see outline.py.
_ADDRESS_AND_COUNT = re.compile(r"<source_ip>([!-%'-;=?-~]+)(</source_ip>\s*<count>)([0-9]{1,15})</count>")


def _digest(*around: str) -> bytes:
    """SHA-256. No XML that was read holds the character between the texts."""
    return sha256("\0".join(around).encode()).digest()


# -- reading ---------------------------------------------------------------------------------------

_outlines: Outlines[RecordPlan] = Outlines(RecordPlan)
_alike: Memory[bytes, Shape] = Memory()
"""By the digest of what stands around address and count: the texts themselves would take three times the room of all
shapes, and a digest by which nobody can find two texts takes no longer than to keep them."""


def forget() -> None:
    """Forget what was read before, for tests: it must not change anything."""
    _outlines.clear()
    _alike.clear()


class RecordReader:
    """Reads the records of one document, and watches what they ask the XML parser to remember."""

    def __init__(self, notes: words.Notes) -> None:
        self._notes = notes
        self._plans: set[RecordPlan] = set()
        self._names: set[str] = set()
        self._source_ips: list[str] = []
        self._counts: list[int] = []
        self._shapes: list[Shape] = []

    def read(self, piece: str) -> None:
        """Read one `record` element.

        Raises etree.XMLSyntaxError, and MalformedReport where the address or the count cannot be read:
        without either, the report's numbers would be wrong.
        """
        parts = _ADDRESS_AND_COUNT.split(piece, 1)
        around = _digest(parts[0], parts[2], parts[4]) if len(parts) > 1 else None
        shape = _alike.get(around) if around else None
        if shape:
            self._take(self._source_ip(parts[1]), int(parts[3]), shape)
            return
        plan, texts = _outlines.read(piece)
        if plan not in self._plans:
            self._watch(plan)
        shape = read_shape(plan, texts)
        if around and plan.alone:
            _alike.put(around, shape, len(piece))
        self._take(self._source_ip(texts[plan.source_ip]), self._count(texts[plan.count]), shape)

    def _take(self, source_ip: str, messages: int, shape: Shape) -> None:
        if shape.notes:
            for note in shape.notes:
                self._notes.add(*note)
        if not messages:
            self._notes.add("count_zero", source_ip, "row/count")
            return
        if len(self._counts) >= RECORD_LIMIT:
            raise MalformedReport(Reason.XML_FORBIDDEN, f"It has more than {RECORD_LIMIT} records.")
        self._source_ips.append(source_ip)
        self._counts.append(messages)
        self._shapes.append(shape)

    def records(self) -> Records:
        """All that were read, bounded. Raises MalformedReport where their counts are beyond belief."""
        if sum(self._counts) > words.COUNT_LIMIT:
            raise MalformedReport(
                Reason.NUMBER_INVALID, "Its counts add up to more messages than all mail servers send in a day."
            )
        return Records(self._source_ips, self._counts, self._shapes)

    def _source_ip(self, text: str) -> str:
        try:
            source_ip, repair = words.address(text[:64])
        except ValueError:
            raise MalformedReport(
                Reason.FIELD_MISSING,
                f"A record has no source address: source_ip is {words.clean(text)[0][:60]!r}.",
            ) from None
        if repair:
            self._notes.add(repair, text, "row/source_ip")
        return source_ip

    def _count(self, text: str) -> int:
        try:
            messages, repair = words.count(text)
        except ValueError:
            raise MalformedReport(
                Reason.NUMBER_INVALID,
                f"A record's count is {words.clean(text)[0][:60]!r}, which is no number of messages.",
            ) from None
        if repair:
            self._notes.add(repair, text, "row/count")
        return messages

    def _watch(self, plan: RecordPlan) -> None:
        """Refuse a document of endless names: libxml2 keeps each one for as long as the thread lives."""
        if len(self._plans) > NAMES_LIMIT:
            self._plans.clear()
        self._plans.add(plan)
        self._names.update(plan.names)
        if len(self._names) > NAMES_LIMIT:
            raise MalformedReport(
                Reason.XML_FORBIDDEN,
                f"It has more than {NAMES_LIMIT} different element names; reports have about forty.",
            )
