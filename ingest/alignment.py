"""Whether a domain that passed SPF or DKIM is the one people see: RFC 7489 section 3.1, RFC 9989 section 4."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from publicsuffixlist import PSLFILE, PublicSuffixList


@lru_cache(1)
def _suffixes() -> PublicSuffixList:
    # 15 ms, which commands that compare no domains need not pay.
    return PublicSuffixList(_rules(), accept_encoded_idn=False)


def _rules() -> Iterator[str]:
    """The list's lines, and each that is not ASCII once more as DNS has it.

    The library would encode all ten thousand, which takes as long again as all else.
    """
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        for line in lines:
            yield line
            if not line.isascii() and not line.startswith("//"):
                yield line.split()[0].lower().encode("idna").decode()


@lru_cache(65_536)
def organizational_domain(name: str) -> str:
    """The domain one label below the public suffix (RFC 7489 section 3.2): mail.example.co.uk → example.co.uk.

    A public suffix, a single label and "" are their own. RFC 9989's tree walk asks DNS instead and can
    differ where a domain between carries a policy of its own; reports do not say which was found.
    """
    bare = name.lower().rstrip(".")
    return _suffixes().privatesuffix(bare) or bare


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
