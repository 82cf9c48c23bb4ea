"""One `record` of an aggregate report: a source address, a number of messages, and how they fared.

The fast path is a memory. A record is its address, its count, and a shape: all that is left of the
element without those two. Reporters repeat shapes (one sender, many addresses), and a shape that was
read before is found by its serialised bytes, so that only new ones are walked. The XML parser has
accepted the document by then, and equal bytes are equal elements: the memory cannot change a value.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml import etree

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import words
from ingest.reports.markup import Element, local
from ingest.reports.memory import Memory
from ingest.reports.shape import DkimAuthResult, OverrideReason, Shape, SpfAuthResult, read_shape

_NAMES = re.compile(rb'<([^\s/>]+)|\s([^\s=<>"]+)="')  # elements and attributes, as lxml writes them
_NAMES_LIMIT = 1000


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


# -- one record ------------------------------------------------------------------------------------

_shapes: Memory[Shape] = Memory()


class RecordReader:
    """Reads the records of one document, and watches what they ask the XML parser to remember."""

    def __init__(self, notes: words.Notes) -> None:
        self._notes = notes
        self._misses = 0
        self._names: set[tuple[bytes, bytes]] = set()

    def read(self, record: Element) -> AggregateRecord | None:
        """Read one element, and change it while at it. None for a record of no messages.

        `header_from` is "" where the record names none. Raises MalformedReport where the address or
        the count cannot be read: without either, the report's numbers would be wrong.
        """
        address, number = _located(record)
        source_ip = self._source_ip(address.text or "")
        messages = self._messages(number.text or "")
        address.text = number.text = None
        shape = self._shape(record)
        if shape.notes:
            for note in shape.notes:
                self._notes.add(*note)
        if not messages:
            self._notes.add("count_zero", source_ip, "row/count")
            return None
        return AggregateRecord(source_ip, messages, *shape.fields)

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

    def _messages(self, text: str) -> int:
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

    def _shape(self, record: Element) -> Shape:
        key = etree.tostring(record, with_tail=False)
        shape = _shapes.get(key)
        if shape is None:
            self._watch(key)
            _searched(record)
            shape = read_shape(record)
            _shapes.put(key, shape)
        return shape

    def _watch(self, serialised: bytes) -> None:
        """Refuse a document of endless names: libxml2 keeps each one for as long as the thread lives."""
        self._misses += 1
        if self._misses > 100 or len(serialised) > 4096:
            self._names.update(_NAMES.findall(serialised))
            if len(self._names) > _NAMES_LIMIT:
                raise MalformedReport(
                    Reason.XML_FORBIDDEN,
                    f"It has more than {_NAMES_LIMIT} different element names; reports have about forty.",
                )


def _located(record: Element) -> tuple[Element, Element]:
    """The elements of the address and the count: mostly the first two of the row, which comes first.

    That there are no others is checked with the shape, whose bytes would show them.
    """
    try:
        row = record[0]
        address, number = row[0], row[1]
    except IndexError:
        return _searched(record)
    if local(address.tag) == "source_ip" and local(number.tag) == "count":
        return address, number
    return _searched(record)


def _searched(record: Element) -> tuple[Element, Element]:
    """The same by a search, for other orders and for drafts without a row. Raises where it is not one of each."""
    found: dict[str, list[Element]] = {"source_ip": [], "count": []}
    for child in record:
        for leaf in child if local(child.tag) == "row" else (child,):
            if (name := local(leaf.tag)) in found:
                found[name].append(leaf)
    return _only(found["source_ip"], "source_ip"), _only(found["count"], "count")


def _only(found: list[Element], name: str) -> Element:
    if len(found) != 1 or len(found[0]):
        what = "no" if not found else "more than one" if len(found) > 1 else "an unreadable"
        reason = Reason.NUMBER_INVALID if name == "count" and found else Reason.FIELD_MISSING
        raise MalformedReport(reason, f"A record has {what} {name}.")
    return found[0]
