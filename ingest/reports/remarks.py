"""What receivers write beside the result of a signature: `auth_results/dkim/human_result` (RFC 9990 3.1.1.12).

No judgement needs it and hardly any report has it, so it is not stored with the records: whoever looks for the
cause of a change reads it in the few documents that may tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from ingest.errors import MalformedReport
from ingest.reports import markup, mending, words
from ingest.reports.outline import PARSER, Element

LENGTH = 200
"""Characters of a remark that are kept."""


class Remark(NamedTuple):
    """What one record of a report says in words on one signature; all of it is others' text."""

    source_ip: str
    messages: int
    domain: str
    selector: str | None
    result: str
    text: str


def remarks(document: bytes) -> list[Remark]:
    """Every remark of a document that was a report when it was stored; none where it can no longer be read."""
    if b"human_result" not in document:
        return []
    pieces = list[str]()
    try:
        data, _ = mending.utf8(document)
        mending.refuse_doctype(data)
        markup.walk(data, pieces.append)
    except (etree.XMLSyntaxError, MalformedReport):
        return []
    return [remark for piece in pieces if "human_result" in piece for remark in _of_record(piece)]


def _of_record(piece: str) -> Iterator[Remark]:
    record = etree.fromstring(piece.encode(), PARSER)
    try:
        source_ip, messages = words.address(_text(record, "source_ip")[:64])[0], words.count(_text(record, "count"))[0]
    except ValueError:
        return
    for dkim in record.iterfind("{*}auth_results/{*}dkim"):
        if text := _text(dkim, "human_result")[:LENGTH]:
            domain, selector = words.domain(_text(dkim, "domain"))[0], _text(dkim, "selector") or None
            yield Remark(source_ip, messages, domain, selector, _text(dkim, "result").lower(), text)


def _text(element: Element, name: str) -> str:
    found = element.find(f".//{{*}}{name}")
    return words.clean(found.text or "")[0] if found is not None else ""
