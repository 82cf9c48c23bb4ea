"""Who sends as me, and is it mine? Every source, named, with how its mail fares and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a verdict: a stable code, a sentence for people, and how much it weighs.

    `weight` is in log-odds: positive speaks for the verdict. Sentences hold no text from reports.
    """

    code: str
    sentence: str
    weight: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: approved, forwarder, spoof, retired or undecided."""

    decision: str
    owner: str | None
    note: str | None
    until: date | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class Source:
    """One sender of mail that claims a domain.

    `kind` is aligned, misaligned, forwarded, unknown or spoofing; `confidence` is between 0 and 1.
    `messages` and the aligned counts are over the scope's days, `first_seen` over all time.
    """

    domain: str
    source_key: str
    name: str
    service: str | None
    service_type: str | None
    asn: int | None
    as_name: str | None
    as_domain: str | None
    country: str | None
    ips: int
    reporters: int
    days: int
    messages: int
    aligned: int
    dkim_aligned: int
    spf_aligned: int
    first_seen: date
    last_seen: date
    is_new: bool
    kind: str
    confidence: float
    evidence: tuple[Evidence, ...]
    decision: Decision | None
