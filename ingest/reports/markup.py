"""UTF-8 bytes to the pieces of a report: its records, and what is around them.

The parser only ever sees UTF-8 that holds no DOCTYPE, so there are no entities to expand, nothing to
fetch, and no encoding that hides one (XML 1.0 section 4.3.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from lxml import etree

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports.outline import OPTIONS, PARSER, Element, local

STREAMED_BEYOND = 64 * 2**10
"""Bytes beyond which a document is read in pieces: slower (by half of the XML's share), but its tree never
stands in memory. Below it, the tree of the worst document (`<a/>` repeated) takes 3 MB."""

UNSTRUCTURED_LIMIT = 2**20
"""Most bytes that may pass without a record ending. It bounds what any document can make the parser keep."""

_PIECE = 2**16


def cut(pieces: Iterable[bytes], take: Callable[[str], None]) -> str:
    """Give every record of a report to `take`, cut out by its tags; then what is around them.

    That holds one empty `record` in their place. Each record that is well-formed by itself, and that place being one
    below `feedback`, is all it takes for the document to be what it seems; whoever reads them finds out. Where one
    piece ends and the next begins does not matter. Raises MalformedReport where cutting is not safe.
    """
    rest, before = b"", b""
    begin = -1
    for piece in pieces:
        rest = rest + piece if rest else piece
        if begin < 0:
            begin = rest.find(_OPEN)
            if (begin if begin >= 0 else len(rest)) > STREAMED_BEYOND:
                raise _unsafe()
            before = rest[: max(begin, 0)]
        # Single bytes are found ten times as fast as pairs, and hardly any report holds these two.
        if b"!" in rest and b"<!" in rest:
            raise _unsafe()
        if begin >= 0:
            if rest.find(b"?", begin) >= 0 and rest.find(b"<?", begin) >= 0:
                raise _unsafe()
            rest, begin = _records(rest, begin, take), 0
    end = rest.rfind(_CLOSE) + len(_CLOSE)
    if begin < 0 or end < len(_CLOSE) or max(end, len(before) + len(rest) - end) > STREAMED_BEYOND:
        raise _unsafe()
    take(rest[:end].decode())
    return (before + b"<record/>" + rest[end:]).decode()


_OPEN, _CLOSE = b"<record>", b"</record>"


def _unsafe() -> MalformedReport:
    return MalformedReport(Reason.XML_FORBIDDEN, "Its records cannot be told by their tags.")


def _records(data: bytes, begin: int, take: Callable[[str], None]) -> bytes:
    """Take the records that another one follows; what is left begins with the last one."""
    while (following := data.find(_OPEN, begin + 1)) >= 0:
        if following - begin > STREAMED_BEYOND:
            raise _unsafe()
        take(data[begin:following].decode())
        begin = following
    if len(data) - begin > 2 * STREAMED_BEYOND:  # the last one, and what is behind it
        raise _unsafe()
    return data[begin:]


def walk(data: bytes, take: Callable[[str], None]) -> str:
    """Give every `record` of the report to `take`, then return the `feedback` element with the rest.

    The whole document goes past the XML parser. Raises etree.XMLSyntaxError where it is not well-formed
    (see `refusal`), MalformedReport where it holds what no report has.
    """
    if len(data) > STREAMED_BEYOND:
        return _walk_pieces(data, take)
    feedback = _feedback(etree.fromstring(data, PARSER))
    for record in feedback.findall("{*}record"):
        take(_written(record))
        feedback.remove(record)
    return _written(feedback)


def _written(element: Element) -> str:
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def _feedback(root: Element) -> Element:
    """The feedback element: the root, or the only such child of a wrapper (a schema element, say)."""
    if local(root.tag) == "feedback":
        return root
    found = root.findall("{*}feedback")
    if len(found) != 1:
        what = "several reports in one" if found else f"XML of another kind ({local(root.tag)[:60]})"
        raise MalformedReport(Reason.XML_BROKEN, f"It is {what}, which is no aggregate report.")
    return found[0]


def _walk_pieces(data: bytes, take: Callable[[str], None]) -> str:
    parser = etree.XMLPullParser(events=("end",), tag="{*}record", **OPTIONS)
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
            take(_written(record))
            # The parser may still be writing the text behind the newest record, so that one is only
            # emptied; the one before it is taken off the tree.
            record.clear(keep_tail=True)
            if previous is not None:
                feedback.remove(previous)
            previous, last = record, start
        if start - last > UNSTRUCTURED_LIMIT:
            end = start + _PIECE
            _tell_of_damage(parser, data[end : data.find(b">", end, end + _PIECE) + 1])
            raise MalformedReport(
                Reason.XML_FORBIDDEN,
                f"More than {UNSTRUCTURED_LIMIT} bytes of it belong to no record, as in no report.",
            )
    root = _feedback(parser.close())
    if previous is not None and previous.getparent() is root:
        root.remove(previous)
    return _written(root)


def _tell_of_damage(parser: etree.XMLPullParser, rest: bytes) -> None:
    """Raise etree.XMLSyntaxError where what no record ends behind is damage that mending.py may put right.

    lxml keeps it to itself until the document ends; what is not finished yet it would call damaged, too, so the `rest`
    of the tag that was begun is given to it first.
    """
    try:
        parser.feed(rest)
        parser.close()
    except etree.XMLSyntaxError as fault:
        if getattr(fault, "code", 0) in _MENDABLE:
            raise


_MENDABLE = frozenset(
    {
        etree.ErrorTypes.ERR_DOCUMENT_EMPTY,
        etree.ErrorTypes.ERR_INVALID_HEX_CHARREF,
        etree.ErrorTypes.ERR_INVALID_DEC_CHARREF,
        etree.ErrorTypes.ERR_INVALID_CHARREF,
        etree.ErrorTypes.ERR_INVALID_CHAR,
        etree.ErrorTypes.ERR_ENTITYREF_SEMICOL_MISSING,
        etree.ErrorTypes.ERR_UNDECLARED_ENTITY,
        etree.ErrorTypes.ERR_NAME_REQUIRED,
    }
)
_RESOURCE_LIMIT = 114  # XML_ERR_RESOURCE_LIMIT in libxml2's xmlerror.h: depth, length of a text or name


def refusal(fault: etree.XMLSyntaxError) -> MalformedReport:
    """The parser's complaint as a sentence."""
    text = " ".join(str(fault.msg).split())[:200]
    if getattr(fault, "code", 0) == _RESOURCE_LIMIT or "XML_PARSE_HUGE" in text:
        return MalformedReport(
            Reason.XML_FORBIDDEN, f"It is nested deeper, or holds a longer text, than any report: {text}."
        )
    return MalformedReport(Reason.XML_BROKEN, f"It is not well-formed XML: {text}.")
