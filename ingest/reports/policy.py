"""`policy_published`: RFC 7489 appendix C, RFC 9990 section 3.1.1.5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lxml import etree

from ingest.reports import words
from ingest.reports.markup import Element
from ingest.reports.memory import Memory
from ingest.reports.shape import leaves

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


_policies: Memory[tuple[PolicyPublished, _Notes]] = Memory()


def read_policy(element: Element) -> tuple[PolicyPublished, _Notes]:
    """The policy and what was put right in it; `domain` is "" where the report names none."""
    key = etree.tostring(element, with_tail=False)
    known = _policies.get(key)
    if known is None:
        known = _read_policy(leaves(element))
        _policies.put(key, known)
    return known


def _read_policy(values: dict[str, str]) -> tuple[PolicyPublished, _Notes]:
    notes: list[tuple[str, str, str]] = []

    def plain(name: str, read: Callable[[str], tuple[V, str]]) -> V:
        value, repair = read(values.get(name, ""))
        if repair:
            notes.append((repair, values.get(name, "")[:120], f"policy_published/{name}"))
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
