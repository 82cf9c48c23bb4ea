"""UTF-8 bytes to XML elements: hostile markup refused, large documents streamed.

The parser only ever sees UTF-8 that holds no DOCTYPE, so there are no entities to expand, nothing to
fetch, and no encoding that hides one (XML 1.0 section 4.3.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from lxml import etree

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports.mending import refuse_doctype

STREAMED_BEYOND = 64 * 2**10
"""Bytes beyond which a document is read in pieces: slower (by half of the XML's share), but its tree never
stands in memory. Below it, the tree of the worst document (`<a/>` repeated) takes 3 MB."""

UNSTRUCTURED_LIMIT = 2**20
"""Most bytes that may pass without a record ending. It bounds what any document can make the parser keep."""

Element = etree._Element

_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "dtd_validation": False,
    "no_network": True,
    "huge_tree": False,
    "recover": False,
    "collect_ids": False,
    "remove_blank_text": True,
    "remove_comments": True,
    "remove_pis": True,
    "encoding": "utf-8",  # whatever the declaration says: ingest/reports/mending.py has seen to it
}
_PARSER = etree.XMLParser(**_OPTIONS)
_PIECE = 2**16


def local(tag: str) -> str:
    """An element's name without its namespace: reporters use RFC 9990's, older ones, their own, none."""
    return tag.rpartition("}")[2]


def walk(data: bytes, take: Callable[[Element], None]) -> Element:
    """Give every `record` of the report to `take`, then return the `feedback` element with the rest.

    Raises etree.XMLSyntaxError where `data` is not well-formed (see `refusal`), MalformedReport where
    it holds what no report has. `take` may change the element; it must not keep it.
    """
    refuse_doctype(data)
    if len(data) > STREAMED_BEYOND:
        return _walk_pieces(data, take)
    feedback = _feedback(etree.fromstring(data, _PARSER))
    for record in feedback.iterchildren("{*}record"):
        take(record)
    return feedback


def _feedback(root: Element) -> Element:
    """The feedback element: the root, or the only such child of a wrapper (a schema element, say)."""
    if local(root.tag) == "feedback":
        return root
    found = root.findall("{*}feedback")
    if len(found) != 1:
        what = "several reports in one" if found else f"XML of another kind ({local(root.tag)[:60]})"
        raise MalformedReport(Reason.XML_BROKEN, f"It is {what}, which is no aggregate report.")
    return found[0]


def _walk_pieces(data: bytes, take: Callable[[Element], None]) -> Element:
    parser = etree.XMLPullParser(events=("end",), tag="{*}record", **_OPTIONS)
    view = memoryview(data)
    feedback: Element | None = None
    previous: Element | None = None
    last = 0
    for start in range(0, len(data), _PIECE):
        parser.feed(bytes(view[start : start + _PIECE]))
        for _, record in cast(Iterator[tuple[str, Any]], parser.read_events()):
            parent = record.getparent()
            if feedback is None and parent is not None and local(parent.tag) == "feedback":
                feedback = parent
            if feedback is None or parent is not feedback:
                continue
            take(record)
            # The parser may still be writing the text behind the newest record, so that one is only
            # emptied; the one before it is taken off the tree.
            record.clear(keep_tail=True)
            if previous is not None:
                feedback.remove(previous)
            previous, last = record, start
        if start - last > UNSTRUCTURED_LIMIT:
            raise MalformedReport(
                Reason.XML_FORBIDDEN,
                f"More than {UNSTRUCTURED_LIMIT} bytes of it belong to no record, as in no report.",
            )
    return _feedback(parser.close())


_RESOURCE_LIMIT = 114  # XML_ERR_RESOURCE_LIMIT in libxml2's xmlerror.h: depth, length of a text or name


def refusal(fault: etree.XMLSyntaxError) -> MalformedReport:
    """The parser's complaint as a sentence."""
    text = " ".join(str(fault.msg).split())[:200]
    if getattr(fault, "code", 0) == _RESOURCE_LIMIT or "XML_PARSE_HUGE" in text:
        return MalformedReport(
            Reason.XML_FORBIDDEN, f"It is nested deeper, or holds a longer text, than any report: {text}."
        )
    return MalformedReport(Reason.XML_BROKEN, f"It is not well-formed XML: {text}.")
