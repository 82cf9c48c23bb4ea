"""`policy_published`: RFC 7489 appendix C, RFC 9990 section 3.1.1.5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ingest.reports import words
from ingest.reports.memory import Memory

V = TypeVar("V")
_Notes = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class PolicyPublished:
    """`policy_published`; None where the report leaves an element out (defaults are not filled in)."""

    domain: str
    p: str | None
    sp: str | None = None
    np: str | None = None
    adkim: str | None = None
    aspf: str | None = None
    pct: int | None = None
    fo: str | None = None
    testing: str | None = None
    discovery_method: str | None = None


_policies: Memory[tuple[str, ...], tuple[PolicyPublished, _Notes]] = Memory()

NAMES = ("domain", "p", "sp", "np", "adkim", "aspf", "pct", "fo", "testing", "discovery_method")


def read_policy(texts: tuple[str, ...]) -> tuple[PolicyPublished, _Notes]:
    """The policy from the texts of NAMES, and what was put right; `domain` is "" where the report names none."""
    known = _policies.get(texts)
    if known is None:
        known = _read_policy(dict(zip(NAMES, texts, strict=True)))
        _policies.put(texts, known, sum(map(len, texts)))
    return known


def _read_policy(values: dict[str, str]) -> tuple[PolicyPublished, _Notes]:
    notes: list[tuple[str, str, str]] = []

    def plain(name: str, read: Callable[[str], tuple[V, str]]) -> V:
        value, repair = read(values[name])
        if repair:
            notes.append((repair, values[name][:120], f"policy_published/{name}"))
        return value

    policy = PolicyPublished(
        domain=plain("domain", words.domain),
        p=plain("p", words.policy),
        sp=plain("sp", words.policy),
        np=plain("np", words.policy),
        adkim=plain("adkim", words.alignment_mode),
        aspf=plain("aspf", words.alignment_mode),
        pct=plain("pct", words.percentage),
        fo=plain("fo", words.clean) or None,
        testing=plain("testing", words.word) or None,
        discovery_method=plain("discovery_method", words.word) or None,
    )
    return policy, tuple(notes)
