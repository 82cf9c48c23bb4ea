"""What kind of document a document is: by content first, by name second."""

from __future__ import annotations

import re
from enum import StrEnum

from ingest.message import Document, is_outlook, packing
from ingest.reports.mending import SHOUTED


class Kind(StrEnum):
    """The kinds of reports that arrive by mail."""

    AGGREGATE = "aggregate"  # RFC 7489, RFC 9990
    TLS = "tls"  # RFC 8460
    FAILURE = "failure"  # RFC 6591, RFC 9991, in ARF (RFC 5965)
    DSN = "dsn"  # RFC 3464
    NONE = "none"


NO_REPORT = "no report"
OUTLOOK = "a mail as Outlook saves it (.msg), which is not read"
_BYTE_ORDER_MARKS = b"\xef\xbb\xbf\xfe\xff"  # none of these bytes begins a report
_GARBAGE = 256  # bytes before the first markup: beyond it, the element is mentioned in some text
# The root, and what stands below it should the root's own tag be damaged.
_FEEDBACK = re.compile(rb"<(?:[\w.-]+:)?(?:feedback|report_metadata|policy_published)(?![\w.-])")
_ELEMENT = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_TLS = re.compile(rb'"(?:organization-name|policies|date-range|organization_name|date_range)"\s*:')
_CONTENT_TYPES = {
    "message/feedback-report": Kind.FAILURE,
    "message/delivery-status": Kind.DSN,
    "message/global-delivery-status": Kind.DSN,
}
# RFC 9990 section 4.1.1: receiver "!" policy-domain "!" begin "!" end ["!" unique-id] "." extension.
_FILE_NAME = re.compile(r"[^!/\\]+![^!/\\]+!\d+!\d+(?:![^/\\]+)?\.(?:xml|json)(?:\.gz)?", re.IGNORECASE)
_CALLED = re.compile(r"[^!/\\]+![^!/\\]+!\d+!\d+")

_XML_NAMES = (".xml", ".xml.gz", ".xml.zip")  # the latter two stay on what could not be unpacked


def kind(document: Document) -> Kind:
    """Tell the kind of an unpacked document. NONE where it does not claim to be a report at all.

    A document that is called as a report is called, but holds something else, is taken at its word:
    reading it then says what is wrong with it.
    """
    known = _CONTENT_TYPES.get(document.content_type)
    if known is not None:
        return known
    # Without the zero bytes, UTF-16 and UTF-32 read like ASCII.
    head = document.head.replace(b"\0", b"")
    if _FEEDBACK.search(head) and _begins_with_markup(head):
        return Kind.AGGREGATE
    start = head[:1024].lstrip(_BYTE_ORDER_MARKS).lstrip()
    if start.startswith((b"{", b"[")) and _TLS.search(head):
        return Kind.TLS
    if start.lower().startswith(b"feedback-type:"):
        return Kind.FAILURE
    return _by_name(document, head)


def _begins_with_markup(head: bytes) -> bool:
    return 0 <= head.find(b"<") < _GARBAGE


def _by_name(document: Document, head: bytes) -> Kind:
    name = document.name.lower()
    if packing(document):
        return Kind.NONE
    if _FILE_NAME.fullmatch(name):
        return Kind.TLS if ".json" in name else Kind.AGGREGATE
    if SHOUTED.search(head) and _begins_with_markup(head):
        return Kind.AGGREGATE
    if (name.endswith(_XML_NAMES) or head.lstrip().startswith((b"<?xml", b"<!"))) and not _ELEMENT.search(head):
        # Neither this nor any other kind of XML: a report that lost its content, or hides it.
        return Kind.AGGREGATE
    return Kind.NONE


def described(document: Document) -> str:
    """What a document is that is none of ours, for a sentence: "XML of another kind (project)"."""
    if packed := packing(document):
        return f"packed as {packed}, which is not read"
    if is_outlook(document):
        return OUTLOOK
    head = document.head.replace(b"\0", b"")
    element = _ELEMENT.search(head) if head.lstrip().startswith(b"<") else None
    if element is not None:
        return f"XML of another kind ({element[1][:40].decode('ascii')})"
    return NO_REPORT


def claims(document: Document) -> bool:
    """Whether a document is called as reports are called, whatever its ending."""
    return _CALLED.match(document.name) is not None
