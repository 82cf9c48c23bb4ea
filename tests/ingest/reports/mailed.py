"""What reading a message gives, as plain JSON: the form of the expected files in tests/cases/{tls,failure,dsn}."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ingest.inputs.base import Message
from ingest.reading import Privacy, read
from ingest.reports.enhanced import EnhancedCode
from ingest.reports.redaction import Redaction
from ingest.settings import UnpackLimits
from tests.ingest.reports.answers import plain_value

CASES = Path(__file__).parents[2] / "cases"
KINDS = ("tls", "failure", "dsn")


def cases(kind: str) -> list[Path]:
    return sorted(path for path in (CASES / kind).iterdir() if not path.name.endswith(".expected.json"))


def mailed(case: Path) -> dict[str, Any]:
    """All is kept of a case that has `-full-` in its name; of others, what is kept by default."""
    raw = case.read_bytes()
    redaction = Redaction("full" if "-full-" in case.name else "redacted", b"the key of the tests")
    found = read(Message(raw, case.name, len(raw)), UnpackLimits(), Privacy(redaction, redaction))
    assert not found.reports
    said: dict[str, Any] = {
        "tls_reports": [_plain(one.report) for one in found.tls_reports],
        "failure_reports": [_plain(one.report) for one in found.failure_reports],
        "notices": [_plain(one.report) for one in found.notices],
        "refused": [{"reason": str(one.reason), "sentence": one.sentence} for one in found.refusals],
        "sentence": found.sentence,
    }
    return {name: value for name, value in said.items() if value}


def _plain(report: Any) -> Any:
    values = asdict(report, dict_factory=_members)
    values["repairs"] = [list(repair) for repair in report.repairs]
    return plain_value(values)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _member(value) for name, value in pairs}


def _member(value: Any) -> Any:
    """Codes as they are written, addresses by what is kept of them."""
    if isinstance(value, EnhancedCode):
        return f"{value} ({value.class_name}, {value.subject_name}: {value.meaning})"
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, tuple):
        return [_member(one) for one in value]
    return value
