"""How many messages a document speaks of, counted by a reader that shares nothing with ours but the question."""

from __future__ import annotations

import codecs
import html
import json
import re
from typing import Any
from xml.etree import ElementTree

_NOT_TEXT = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_MARKED = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
# Reports in capitals are read too.
_COUNT = re.compile(r"<(?:[^\s<>/:]+:)?count(?:\s[^>]*)?>([^<]*)<", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
         (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip


def exact(document: bytes) -> int | None:
    """The sum of all counts in records of the feedback element; None where expat does not parse the document."""
    if b"<!DOCTYPE" in document.replace(b"\0", b"").upper():
        return None
    try:
        root = ElementTree.fromstring(document)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    feedback = root if _local(root) == "feedback" else next((e for e in root if _local(e) == "feedback"), None)
    if feedback is None:
        return None
    total = 0
    for record in feedback:
        if _local(record) == "record":
            rows = [record, *(row for row in record if _local(row) == "row")]
            total += sum(_number(leaf.text or "") for row in rows for leaf in row if _local(leaf) == "count")
    return total


def most(document: bytes) -> int:
    """The sum of everything in it that looks like a count, wherever it stands: no report may say more."""
    encoding = next((name for mark, name in _BOMS if document.startswith(mark)), "")
    plain = document.decode(encoding, "replace") if encoding else document.replace(b"\0", b"").decode("latin-1")
    # Bytes that XML forbids are taken out of damaged reports, and may have split a number or a name.
    plain = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", plain)
    texts = [plain, _MARKED.sub(r"\1", _NOT_TEXT.sub("", plain))]
    return max(sum(_number(html.unescape(found[1])) for found in _COUNT.finditer(text)) for text in texts)


def sessions(document: bytes) -> int | None:
    """The sum of all session counts in a TLS report; None where it is not plain JSON."""
    try:
        found = json.loads(document.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return _sessions(found, 0)


def _sessions(value: Any, depth: int) -> int:
    if depth > 50:
        return 0
    if isinstance(value, list):
        return sum(_sessions(one, depth + 1) for one in value)
    if not isinstance(value, dict):
        return 0
    total = 0
    for name, one in value.items():
        if name.strip().lower().replace("_", "-") in ("total-successful-session-count", "total-failure-session-count"):
            total += _number(str(one))
        else:
            total += _sessions(one, depth + 1)
    return total


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _number(text: str) -> int:
    digits = re.sub("[^0-9]", "", text)[:40]
    return int(digits) if digits else 0
