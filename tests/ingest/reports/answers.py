"""What parsing a document gives, as plain JSON: the form of the expected files in tests/cases/aggregate."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.errors import MalformedReport
from ingest.reports.aggregate import AggregateReport, parse

CASES = Path(__file__).parents[2] / "cases" / "aggregate"


def answer(document: bytes) -> dict[str, Any]:
    try:
        return plain(parse(document))
    except MalformedReport as refused:
        return {"refused": str(refused.reason), "sentence": str(refused)}


def plain(report: AggregateReport) -> dict[str, Any]:
    return {
        "schema": report.schema,
        "version": report.version,
        "report_metadata": plain_value(asdict(report.report_metadata)),
        "policy_published": plain_value(asdict(report.policy_published)),
        "records": [plain_value(record._asdict()) for record in report.records],
        "repairs": [list(repair) for repair in report.repairs],
    }


def plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain_value(inner) for name, inner in value.items() if inner not in (None, (), [])}
    if isinstance(value, tuple | list):
        return [plain_value(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value
