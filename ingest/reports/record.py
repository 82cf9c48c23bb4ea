"""One `record` of an aggregate report: a source address, a number of messages, and how they fared.

The fast path is a memory. A record is its address, its count, and a shape: all that is left of the
element without those two. Reporters repeat shapes (one sender, many addresses), and a shape that was
read before is found by its serialised bytes, so that only new ones are walked. The XML parser has
accepted the document by then, and equal bytes are equal elements: the memory cannot change a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from lxml import etree

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import words
from ingest.reports.markup import Element, local

LIST_LIMIT = 100
"""Most DKIM results, SPF results and reasons of one record; receivers check about ten signatures."""

_SHAPES_LIMIT = 4096
_SHAPE_BYTES = 4096  # a larger shape is read each time, which bounds the memory at 16 MiB of keys
_NAMES = re.compile(rb'<([^\s/>]+)|\s([^\s=<>"]+)="')  # elements and attributes, as lxml writes them
_NAMES_LIMIT = 1000
_LEAF_LIMIT = 8 * words.TEXT_LIMIT  # as much as cleaning a text ever looks at


class DkimAuthResult(NamedTuple):
    """`auth_results/dkim`: what DKIM said of one signature, whether aligned or not."""

    domain: str
    selector: str | None
    result: str


class SpfAuthResult(NamedTuple):
    """`auth_results/spf`: what SPF said of the envelope or HELO domain, whether aligned or not."""

    domain: str
    scope: str | None
    result: str


class OverrideReason(NamedTuple):
    """`policy_evaluated/reason`: why the receiver did not do what the policy asked."""

    type: str
    comment: str | None


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


class Shape(NamedTuple):
    """All of a record but its address and count: the other fields in order, and what was put right."""

    fields: tuple[Any, ...]
    notes: tuple[tuple[str, str, str], ...]


# -- one record ------------------------------------------------------------------------------------

_shapes: dict[bytes, Shape] = {}


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
        addresses: list[Element] = []
        counts: list[Element] = []
        for child in record:
            name = local(child.tag)
            if name == "row":
                for leaf in child:
                    _sort(leaf, local(leaf.tag), addresses, counts)
            else:
                # Flat, as in drafts before RFC 7489.
                _sort(child, name, addresses, counts)
        source_ip = _source_ip(_only(addresses, "source_ip"), self._notes)
        messages = _messages(_only(counts, "count"), self._notes)
        shape = self._shape(record)
        for note in shape.notes:
            self._notes.add(*note)
        if not messages:
            self._notes.add("count_zero", source_ip, "row/count")
            return None
        return AggregateRecord(source_ip, messages, *shape.fields)

    def _shape(self, record: Element) -> Shape:
        key = etree.tostring(record, with_tail=False)
        shape = _shapes.get(key)
        if shape is None:
            self._watch(key)
            shape = _ShapeReader().read(record)
            if len(key) <= _SHAPE_BYTES:
                if len(_shapes) >= _SHAPES_LIMIT:
                    _shapes.clear()
                _shapes[key] = shape
        return shape

    def _watch(self, serialised: bytes) -> None:
        """Refuse a document of endless names: libxml2 keeps each one for as long as the thread lives."""
        self._misses += 1
        if self._misses > 100 or len(serialised) > _SHAPE_BYTES:
            self._names.update(_NAMES.findall(serialised))
            if len(self._names) > _NAMES_LIMIT:
                raise MalformedReport(
                    Reason.XML_FORBIDDEN,
                    f"It has more than {_NAMES_LIMIT} different element names; reports have about forty.",
                )


def _sort(leaf: Element, name: str, addresses: list[Element], counts: list[Element]) -> None:
    if name == "source_ip":
        addresses.append(leaf)
    elif name == "count":
        counts.append(leaf)


def _only(found: list[Element], name: str) -> str:
    """The text of the one element found, which is taken away so that the rest is the shape."""
    if len(found) != 1 or len(found[0]):
        what = "no" if not found else "more than one" if len(found) > 1 else "an unreadable"
        reason = Reason.NUMBER_INVALID if name == "count" and found else Reason.FIELD_MISSING
        raise MalformedReport(reason, f"A record has {what} {name}.")
    text = found[0].text or ""
    found[0].text = None
    return text


def _source_ip(text: str, notes: words.Notes) -> str:
    try:
        source_ip, repair = words.address(text[:64])
    except ValueError:
        raise MalformedReport(
            Reason.FIELD_MISSING,
            f"A record has no source address: source_ip is {words.clean(text)[0][:60]!r}.",
        ) from None
    if repair:
        notes.add(repair, text, "row/source_ip")
    return source_ip


def _messages(text: str, notes: words.Notes) -> int:
    try:
        messages, repair = words.count(text)
    except ValueError:
        raise MalformedReport(
            Reason.NUMBER_INVALID,
            f"A record's count is {words.clean(text)[0][:60]!r}, which is no number of messages.",
        ) from None
    if repair:
        notes.add(repair, text, "row/count")
    return messages


# -- the shape ------------------------------------------------------------------------------------


class _ShapeReader:
    """Walks one record once; each element's name finds its method. Unknown elements are passed over."""

    def __init__(self) -> None:
        self.disposition = ""
        self.dkim_aligned: bool | None = None
        self.spf_aligned: bool | None = None
        self.reasons: list[OverrideReason] = []
        self.names: dict[str, str] = {}
        self.dkim: list[DkimAuthResult] = []
        self.spf: list[SpfAuthResult] = []
        self.notes: list[tuple[str, str, str]] = []

    def read(self, record: Element) -> Shape:
        self.walk(record, _IN_RECORD)
        if not self.disposition:
            self.note("disposition_missing", "", "policy_evaluated/disposition")
        fields = (
            self.disposition or "none",
            self.dkim_aligned,
            self.spf_aligned,
            self.bounded(self.reasons, "policy_evaluated/reason"),
            self.names.get("header_from", ""),
            self.names.get("envelope_from"),
            self.names.get("envelope_to"),
            self.bounded(self.dkim, "auth_results/dkim"),
            self.bounded(self.spf, "auth_results/spf"),
        )
        return Shape(fields, tuple(self.notes))

    def walk(self, element: Element, handlers: dict[str, _Handler]) -> None:
        for child in element:
            handler = handlers.get(local(child.tag))
            if handler is not None:
                handler(self, child)

    def note(self, code: str, what: str, where: str) -> None:
        if code:
            self.notes.append((code, what[:120], where))

    def bounded(self, found: list[Any], where: str) -> tuple[Any, ...]:
        if len(found) > LIST_LIMIT:
            self.note("list_cut", f"{len(found)} entries", where)
        return tuple(found[:LIST_LIMIT])

    def row(self, element: Element) -> None:
        self.walk(element, _IN_ROW)

    def evaluated(self, element: Element) -> None:
        """policy_evaluated."""
        self.walk(element, _IN_POLICY_EVALUATED)

    def results(self, element: Element) -> None:
        """auth_results."""
        self.walk(element, _IN_AUTH_RESULTS)

    def disposed(self, element: Element) -> None:
        """disposition: none, quarantine, reject, and pass since RFC 9990; other words are kept."""
        text, repair = words.word(leaf_text(element))
        self.disposition = self.disposition or text
        self.note(repair, text, "policy_evaluated/disposition")

    def dkim_evaluated(self, element: Element) -> None:
        self.dkim_aligned = self.aligned(element, self.dkim_aligned, "policy_evaluated/dkim")

    def spf_evaluated(self, element: Element) -> None:
        self.spf_aligned = self.aligned(element, self.spf_aligned, "policy_evaluated/spf")

    def aligned(self, element: Element, before: bool | None, where: str) -> bool | None:
        """pass or fail; any other word says that it did not pass. The first of several counts."""
        text = words.word(leaf_text(element))[0]
        if not text or before is not None:
            return before
        if text not in ("pass", "fail"):
            self.note("aligned_word", text, where)
        return text == "pass"

    def reason(self, element: Element) -> None:
        """reason: type and comment; drafts have the type as text."""
        values = leaves(element)
        kind = words.word(values.get("type") or leaf_text(element))[0]
        comment, repair = words.clean(values.get("comment"))
        self.note(repair, comment, "policy_evaluated/reason/comment")
        if kind or comment:
            self.reasons.append(OverrideReason(kind or "other", comment or None))

    def named(self, element: Element) -> None:
        """header_from, envelope_from, envelope_to; the first one that says something."""
        name = local(element.tag)
        text, repair = words.domain(leaf_text(element))
        self.note(repair, leaf_text(element), f"identifiers/{name}")
        if not self.names.get(name):
            self.names[name] = text

    def identified(self, element: Element) -> None:
        """identifiers, or identities in drafts."""
        self.walk(element, _IN_IDENTIFIERS)

    def dkim_result(self, element: Element) -> None:
        """auth_results/dkim; an empty element says nothing."""
        values = leaves(element)
        if values:
            domain, result = self.domain_and_result(values, "auth_results/dkim")
            # A selector is a DNS name, so case means nothing.
            selector = words.word(values.get("selector"))[0].rstrip(".")
            self.dkim.append(DkimAuthResult(domain, selector[:255] or None, result))

    def spf_result(self, element: Element) -> None:
        """auth_results/spf; an empty element says nothing."""
        values = leaves(element)
        if values:
            domain, result = self.domain_and_result(values, "auth_results/spf")
            self.spf.append(SpfAuthResult(domain, words.word(values.get("scope"))[0] or None, result))

    def domain_and_result(self, values: dict[str, str], where: str) -> tuple[str, str]:
        domain, repair = words.domain(values.get("domain", ""))
        self.note(repair, values.get("domain", ""), f"{where}/domain")
        result, repair = words.result(values.get("result", ""))
        self.note(repair, values.get("result", ""), f"{where}/result")
        return domain, result


_Handler = Callable[[_ShapeReader, Element], None]

_IN_IDENTIFIERS: dict[str, _Handler] = {
    "header_from": _ShapeReader.named,
    "envelope_from": _ShapeReader.named,
    "envelope_to": _ShapeReader.named,
}
_IN_AUTH_RESULTS: dict[str, _Handler] = {"dkim": _ShapeReader.dkim_result, "spf": _ShapeReader.spf_result}
_IN_POLICY_EVALUATED: dict[str, _Handler] = {
    "disposition": _ShapeReader.disposed,
    "dkim": _ShapeReader.dkim_evaluated,
    "spf": _ShapeReader.spf_evaluated,
    "reason": _ShapeReader.reason,
}
_IN_ROW: dict[str, _Handler] = {**_IN_POLICY_EVALUATED, "policy_evaluated": _ShapeReader.evaluated}
_IN_RECORD: dict[str, _Handler] = {
    **_IN_ROW,
    **_IN_IDENTIFIERS,
    "row": _ShapeReader.row,
    "identifiers": _ShapeReader.identified,
    "identities": _ShapeReader.identified,
    "auth_results": _ShapeReader.results,
}


def leaf_text(element: Element) -> str:
    """An element's own text; bounded, since hostile ones hold megabytes."""
    text = element.text
    return text[:_LEAF_LIMIT] if text else ""


def leaves(element: Element) -> dict[str, str]:
    """The texts of an element's children by local name; the first that is not blank counts."""
    found: dict[str, str] = {}
    for child in element:
        text = child.text
        if text and not text.isspace():
            found.setdefault(local(child.tag), text[:_LEAF_LIMIT])
    return found
