"""Writes TLS reports and bounces from plain values, by the letter of RFC 8460 and RFC 3464: halves of round trips."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any


def tls(report: Mapping[str, Any]) -> bytes:
    """`report` has the names of ingest.reports.tls; what is None or empty is left out."""
    document = {
        "organization-name": report["organization_name"],
        "date-range": {
            "start-datetime": report["begin_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "end-datetime": report["end_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "contact-info": report["contact_info"],
        "report-id": report["report_id"],
        "policies": [_policy(policy) for policy in report["policies"]],
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8")


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    of_summary = ("total_successful_session_count", "total_failure_session_count")
    written = _members({name: value for name, value in policy.items() if name not in (*of_summary, "failure_details")})
    return {
        "policy": written,
        "summary": _members({name: policy[name] for name in of_summary}),
        "failure-details": [_members(detail) for detail in policy["failure_details"]],
    }


def _members(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in values.items() if value not in (None, ())}


def bounce(notice: Mapping[str, Any], end: str = "\n") -> bytes:
    """`notice` has `message`, fields about the message, `recipients`, fields about each, and `returned`, a header."""
    groups = [_fields(notice["message"]), *(_fields(fields) for fields in notice["recipients"])]
    lines = [
        "From: MAILER-DAEMON@mail.example.net",
        "To: bounce@example.com",
        "Subject: Delivery Status Notification",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"',
        "",
        "--=_b",
        "Content-Type: text/plain",
        "",
        "A message could not be delivered.",
        "",
        "--=_b",
        "Content-Type: message/delivery-status",
        "",
        *"\n\n".join(groups).split("\n"),
        "",
        "--=_b",
        "Content-Type: message/rfc822",
        "",
        *_fields(notice["returned"]).split("\n"),
        "",
        "Body.",
        "--=_b--",
        "",
    ]
    return end.join(lines).encode("utf-8")


def _fields(fields: Sequence[tuple[str, Any]]) -> str:
    return "\n".join(f"{name}: {_written(value)}" for name, value in fields if value is not None)


def _written(value: Any) -> str:
    return format_datetime(value) if isinstance(value, datetime) else str(value)
