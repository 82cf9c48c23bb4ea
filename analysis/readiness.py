"""Can I move to the next policy? What it would have blocked, per source, and what stands in between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocked:
    """What the target policy would have blocked of one source, with a 90 % range (low, high).

    `already_blocked` are messages that receivers did quarantine or reject: facts, apart from the forecast.
    """

    source_key: str
    name: str
    as_domain: str | None
    kind: str
    decision: str | None
    would_block: int
    low: int
    high: int
    already_blocked: int


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition: state pass, stop or unknown, the evidence as a sentence, the fix, the owner."""

    id: str
    state: str
    evidence: str
    fix: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The verdict go, stop or unknown for a domain and target, over `days` days with reports."""

    domain: str
    target: str
    verdict: str
    published: str | None
    days: int
    messages: int
    legitimate_blocked: int
    forwarded_blocked: int
    spoofing_blocked: int
    undecided_blocked: int
    sources: tuple[Blocked, ...]
    gates: tuple[Gate, ...]
