"""Strangers' JSON to plain values: bounded before it is parsed, numbers kept as they are written.

Names of members are told apart without case, and with hyphens for underscores: RFC 8460 writes hyphens,
some reporters do not.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import NoReturn, TypeAlias

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports.words import Notes

BYTES_LIMIT = 16 * 2**20
"""Largest document. A day's report for a domain with thousands of failing servers has about one mebibyte."""

VALUES_LIMIT = 400_000
"""Most commas and opening brackets: 50,000 failure details, and never more than some 150 MB of objects."""


class Number(str):
    """A number as the document writes it: nothing is lost before somebody asks for a count."""

    __slots__ = ()


Value: TypeAlias = "bool | str | Number | list[Value] | dict[str, Value] | None"
Object: TypeAlias = "dict[str, Value]"

_POINT_ZERO = re.compile(r"([0-9]+)\.0+")


def whole(text: str) -> str:
    """A whole number's digits where it is written with a decimal point and zeros; else the text as it is."""
    found = _POINT_ZERO.fullmatch(text)
    return found[1] if found else text


def read(document: bytes, notes: Notes) -> Value:
    """The value of a JSON document. Raises MalformedReport for what is none, or is beyond the bounds."""
    if len(document) > BYTES_LIMIT:
        raise MalformedReport(
            Reason.TOO_LARGE, f"It has {len(document)} bytes; a TLS report has {BYTES_LIMIT} at the most."
        )
    if document.count(b",") + document.count(b"{") + document.count(b"[") > VALUES_LIMIT:
        raise MalformedReport(Reason.TOO_MANY_PARTS, f"It has more than {VALUES_LIMIT} values.")
    text = _text(document, notes)
    reader = _Decoder(notes)
    try:
        value, end = reader.decoder.raw_decode(text)
    except RecursionError:
        raise MalformedReport(Reason.JSON_BROKEN, "It is nested deeper than any report.") from None
    except ValueError as fault:
        what = fault.msg.removesuffix(" at") if isinstance(fault, json.JSONDecodeError) else "a number that is none"
        at = f" at character {fault.pos}" if isinstance(fault, json.JSONDecodeError) else ""
        raise MalformedReport(
            Reason.JSON_BROKEN,
            f"It is not well-formed JSON: {what}{at}.",
            "Ask the reporter to send it again, or look whether something on the way changes attachments.",
        ) from None
    if text[end:].strip("\0 \t\r\n"):
        notes.add("surroundings", "something follows the report", "document")
    known: Value = value
    return known


def _text(document: bytes, notes: Notes) -> str:
    """The document's text: UTF-8 (RFC 8259 section 8.1), or what its first bytes say it is instead."""
    if document.startswith(codecs.BOM_UTF8):
        document = document.removeprefix(codecs.BOM_UTF8)
        notes.add("byte_order_mark", "", "document")
    encoding: str = json.detect_encoding(document)
    try:
        text = document.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
        text = document.decode(encoding)
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.add("encoding", encoding, "document")
    return text.lstrip("\0 \t\r\n\ufeff")


class _Decoder:
    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self.members,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_refused,
            strict=False,  # line breaks inside texts are seen, and words.clean takes them out
        )

    def members(self, pairs: list[tuple[str, Value]]) -> Object:
        found: Object = {}
        for raw, value in pairs:
            name = raw.strip().lower().replace("_", "-")
            if name != raw:
                self.notes.add("name", raw, "document")
            if name in found:
                self.notes.add("repeated", raw, "document")
            else:
                found[name] = value
        return found


def _refused(constant: str) -> NoReturn:
    """NaN and Infinity, which Python reads and RFC 8259 section 6 does not know."""
    raise ValueError(constant)
