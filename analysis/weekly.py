"""The week on one page: numbers and sentences, no markup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from analysis.drift import Drift
from analysis.findings import Finding
from analysis.sources import Source


@dataclass(frozen=True, slots=True)
class WeekDomain:
    """One domain's week beside the week before."""

    domain: str
    policy: str | None
    verdict: str
    gates_passed: int
    gates: int
    messages: int
    messages_before: int
    aligned: int
    aligned_before: int
    not_aligned: dict[str, int]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class WeeklySummary:
    """ISO week `week` ('2026-W47'), Monday `first_day` to Sunday `last_day`.

    `subject` carries the verdict; `headline` is one sentence; a quiet week has findings empty.
    """

    week: str
    first_day: date
    last_day: date
    verdict: str
    subject: str
    headline: str
    findings: tuple[Finding, ...]
    new_sources: tuple[Source, ...]
    drifts: tuple[Drift, ...]
    domains: tuple[WeekDomain, ...]
    reporters: int
    usual_reporters: int
    silent_reporters: tuple[str, ...]
    reports: int
    quarantined: int
    complete: bool
