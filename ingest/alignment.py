"""Whether a domain that passed SPF or DKIM is the one people see: RFC 7489 section 3.1, RFC 9989 section 4."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from publicsuffixlist import PSLFILE


@cache
def _rules() -> frozenset[str]:
    """The rules of the Public Suffix List, in a third of the time that the library takes which brings it."""
    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    return frozenset(line.lower().split(" ")[0].rstrip() for line in lines if line and not line.startswith("//")) - {""}


@cache
def _encoded() -> frozenset[str]:
    """Those that are not ASCII, as DNS has them; to encode them takes longer than all else, and few names need it."""
    return frozenset(rule.encode("idna").decode() for rule in _rules() if not rule.isascii())


@cache
def _deepest() -> int:
    """Labels that the longest rule has; names may have any number."""
    return max(rule.count(".") + 1 for rule in _rules())


def _public(labels: list[str]) -> int:
    """How many of a name's labels are its public suffix (publicsuffix.org/list); one where no rule is about it."""
    for at in range(max(0, len(labels) - _deepest() - 1), len(labels)):
        name = ".".join(labels[at:])
        # Where a wildcard has an exception, the exception is the longer match; what a wildcard stands below is public.
        if _listed(f"!{name}"):
            return len(labels) - at - 1
        if _listed(f"*.{name}"):
            return len(labels) - max(at - 1, 0)
        if _listed(name):
            return len(labels) - at
    return 1


def _listed(rule: str) -> bool:
    return rule in _rules() or ("xn--" in rule and rule in _encoded())


@lru_cache(65_536)
def organizational_domain(name: str) -> str:
    """The domain one label below the public suffix (RFC 7489 section 3.2): mail.example.co.uk → example.co.uk.

    A public suffix, a single label and "" are their own. RFC 9989's tree walk asks DNS instead and can
    differ where a domain between carries a policy of its own; reports do not say which was found.
    """
    bare = name.lower().rstrip(".")
    labels = bare.split(".")
    if len(labels) == 1 or "" in labels:
        return bare
    return ".".join(labels[-_public(labels) - 1 :])


def aligned(header_from: str, auth_domain: str, mode: str | None = "r") -> bool:
    """Whether `auth_domain` (DKIM d=, or what SPF checked) is aligned with `header_from`.

    `mode` is `adkim` or `aspf`: "s" wants equality, anything else is relaxed, the default of both RFCs.
    """
    if header_from == auth_domain:
        return bool(header_from.rstrip("."))
    visible = header_from.lower().rstrip(".")
    authenticated = auth_domain.lower().rstrip(".")
    if not visible or not authenticated:
        return False
    if visible == authenticated:
        return True
    return mode != "s" and organizational_domain(visible) == organizational_domain(authenticated)
