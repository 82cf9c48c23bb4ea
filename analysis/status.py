"""How does each domain stand? One line a domain, for the overview and `whosends status`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DomainStatus:
    """One domain over the scope's days.

    `verdict` is go, stop or unknown for its next policy; `trend` holds the aligned share of each
    day (None on days without reports).
    """

    domain: str
    policy: str | None
    target: str
    verdict: str
    messages: int
    aligned: int
    trend: tuple[float | None, ...]
    sources: int
    undecided: int
    new_sources: int
    reporters: int
    top_issue: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """All domains, and how fresh the data is. `usual_reporters` reported on most recent days."""

    domains: tuple[DomainStatus, ...]
    data_until: date | None
    reporters: int
    usual_reporters: int
    quarantined: int
    last_run_at: str | None
