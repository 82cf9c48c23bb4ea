"""A message in, what it says out: pure, so that a worker process or a test can run it unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.reports.aggregate import AggregateReport


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A parsed report together with the document it was parsed from (unpacked XML bytes)."""

    report: AggregateReport
    document: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that was refused: `reason` is an outcome.Reason, `name` the part's or member's name."""

    reason: str
    sentence: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one message says. Neither reports nor refusals: it is not a report."""

    reports: list[ReadReport] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    sentence: str = ""  # what it is instead, where it is no report
