"""One attack in every field of every kind of report: each text of a whole specimen is replaced, one at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tests.ingest.writer import write

CASES = Path(__file__).parents[1] / "cases"

MARK = "evilmark"
"""Stands in each payload, so that what became of it can be found."""

ACTIVE = f"=HYPERLINK(1)<script>{MARK}</script>\x9b2J\u202e\u2066\u200b\u2028'\";--{{{{7}}}}|[x](javascript:1)"
TERMINAL = f"\x1b[2J\x1b]8;;{MARK}\x07"
"""In mails and JSON alone: XML forbids these characters, which then are taken out."""

AGGREGATE = write(
    {
        "version": "1.0",
        "metadata": {
            "begin": 1795132800, "end": 1795219199, "extra_contact_info": "x", "errors": ("e",), "generator": "g",
        },
        "policy": {
            "sp": "none", "np": "none", "adkim": "r", "aspf": "r", "pct": 100, "fo": "1", "testing": "n",
            "discovery_method": "psl",
        },
        "records": [
            {
                "source_ip": "192.0.2.1", "messages": 1, "dkim_aligned": True, "spf_aligned": True,
                "reasons": [("other", "c")], "header_from": "example.com", "envelope_from": "example.com",
                "envelope_to": "example.net", "dkim": [("example.com", "s1", "pass")],
                "spf": [("example.com", "mfrom", "pass")],
            }
        ],
    },
    "9990",
)  # fmt: skip
TLS = CASES / "tls" / "001-rfc8460-three-failures.json"
FAILURE = CASES / "failure" / "001-rfc9991-arf.eml"
BOUNCE = CASES / "dsn" / "001-postfix-user-unknown.eml"


def fields() -> dict[str, bytes]:
    """Name of a field → a whole report with an attack in it, and with an identity of its own."""
    found = dict(_aggregate())
    found |= {f"tls {where}": raw for where, raw in _json(json.loads(TLS.read_bytes()))}
    for kind, path in (("failure", FAILURE), ("dsn", BOUNCE)):
        found |= {f"{kind} {where}": raw for where, raw in _mail(path.read_bytes())}
    return found


def _aggregate() -> Iterator[tuple[str, bytes]]:
    text = AGGREGATE.decode()
    for number, leaf in enumerate(re.finditer(r"<(\w+)>([^<]+)</\1>", text)):
        before, after = text[: leaf.start(2)], text[leaf.end(2) :]
        path = "/".join(_open_elements(before)[1:])
        raw = before + escape(ACTIVE) + after
        yield f"aggregate {path}", raw.replace("a1b2c3", f"field-{number}").encode()


def _open_elements(text: str) -> list[str]:
    names: list[str] = []
    for closing, name in re.findall(r"<(/?)(\w+)[^>?]*>", text):
        if closing:
            names.pop()
        else:
            names.append(name)
    return names


def _json(document: Any) -> Iterator[tuple[str, bytes]]:
    for number, (where, holder, key) in enumerate(list(_leaves(document, ""))):
        kept, holder[key] = holder[key], ACTIVE + TERMINAL
        identity, document["report-id"] = document["report-id"], document["report-id"] + f"-{number}"
        yield where, json.dumps(document).encode()
        document["report-id"] = identity
        holder[key] = kept


def _leaves(value: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, dict | list):
            yield from _leaves(inner, f"{where}/{key}")
        else:
            yield f"{where}/{key}", value, key


def _mail(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Each line that is a field, wherever it stands: header, status, feedback, what is returned."""
    lines = raw.split(b"\n")
    for number, line in enumerate(lines):
        name, colon, value = line.partition(b":")
        if colon and re.fullmatch(rb"[A-Za-z-]+", name) and not name.lower().startswith((b"content-", b"mime-")):
            kind, semicolon, _ = value.partition(b";")
            start = kind + semicolon if semicolon else b""
            attack = start + b" " + (ACTIVE + TERMINAL).encode().replace(b"\n", b"")
            yield (
                f"line {number + 1} {name.decode()}",
                b"\n".join([*lines[:number], name + b":" + attack, *lines[number + 1 :]]),
            )


FIELDS = fields()
