"""Writes aggregate reports from plain values, by the letter of either standard: the other half of a round trip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

METADATA: Mapping[str, Any] = {
    "org_name": "Example Mail",
    "email": "dmarc@mail.example.net",
    "report_id": "a1b2c3",
    "begin": 1704067200,
    "end": 1704153599,
}
POLICY: Mapping[str, Any] = {"domain": "example.com", "p": "none"}

# The order of RFC 9990's schema; RFC 7489 has the same and asks for none.
_POLICY_ORDER = ("domain", "discovery_method", "p", "sp", "np", "pct", "fo", "adkim", "aspf", "testing")


def write(values: Mapping[str, Any], schema: str = "7489") -> bytes:
    """`values` has `metadata`, `policy` and `records`, each with the names of ingest.reports.aggregate."""
    namespace = ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"' if schema == "9990" else ""
    parts = [f'<?xml version="1.0" encoding="UTF-8"?>\n<feedback{namespace}>\n']
    parts += _texts({"version": values.get("version")}, ("version",))
    parts += _metadata({**METADATA, **values.get("metadata", {})})
    policy = {**POLICY, **values.get("policy", {})}
    parts += ["<policy_published>", *_texts(policy, _POLICY_ORDER), "</policy_published>\n"]
    for record in values.get("records", ()):
        parts += _record(record)
    parts.append("</feedback>\n")
    return "".join(parts).encode("utf-8")


def _texts(values: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    return [f"<{name}>{escape(str(values[name]))}</{name}>" for name in names if values.get(name) is not None]


def _metadata(values: Mapping[str, Any]) -> list[str]:
    return [
        "<report_metadata>",
        *_texts(values, ("org_name", "email", "extra_contact_info", "report_id")),
        "<date_range>",
        *_texts(values, ("begin", "end")),
        "</date_range>",
        *(f"<error>{escape(error)}</error>" for error in values.get("errors", ())),
        *_texts(values, ("generator",)),
        "</report_metadata>\n",
    ]


def _record(values: Mapping[str, Any]) -> list[str]:
    words = {True: "pass", False: "fail", None: None}
    evaluated = {
        "disposition": values.get("disposition", "none"),
        "dkim": words[values.get("dkim_aligned")],
        "spf": words[values.get("spf_aligned")],
    }
    return [
        "<record><row>",
        *_texts({"source_ip": values["source_ip"], "count": values["messages"]}, ("source_ip", "count")),
        "<policy_evaluated>",
        *_texts(evaluated, evaluated),
        *_structures("reason", values.get("reasons", ()), ("type", "comment")),
        "</policy_evaluated></row><identifiers>",
        *_texts(values, ("envelope_to", "envelope_from", "header_from")),
        "</identifiers><auth_results>",
        *_structures("dkim", values.get("dkim", ()), ("domain", "selector", "result")),
        *_structures("spf", values.get("spf", ()), ("domain", "scope", "result")),
        "</auth_results></record>\n",
    ]


def _structures(name: str, found: Iterable[tuple[Any, ...]], names: tuple[str, ...]) -> list[str]:
    return [f"<{name}>{''.join(_texts(dict(zip(names, one, strict=True)), names))}</{name}>" for one in found]
