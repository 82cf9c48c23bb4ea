"""Patterns of DKIM selectors (RFC 6376 section 3.1): plain text with placeholders, compared without case."""

from __future__ import annotations

import re

# {n} is a number, {hex} hexadecimal, {token} the 32 characters of Easy DKIM, {any} letters, digits and dashes.
PLACEHOLDERS = {
    "{n}": r"[0-9]+",
    "{hex}": r"[0-9a-f]+",
    "{token}": r"[a-z2-7]{32}",
    "{any}": r"[a-z0-9-]+",
}
LITERAL = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?")


def compiled(pattern: str) -> re.Pattern[str]:
    """The expression that a whole selector, in lower case, has to match. ValueError where the pattern is not one."""
    parts = re.split(r"(\{[^}]*\})", pattern)
    for part in parts[1::2]:
        if part not in PLACEHOLDERS:
            raise ValueError(f"unknown placeholder {part} in {pattern}")
    sample = "".join(["0" if at % 2 else part for at, part in enumerate(parts)])
    if not LITERAL.fullmatch(sample):
        raise ValueError(f"{pattern} is not a selector in lower case")
    return re.compile("".join(PLACEHOLDERS[part] if at % 2 else re.escape(part) for at, part in enumerate(parts)))


def is_plain(pattern: str) -> bool:
    """Whether a pattern is a selector as it stands."""
    return "{" not in pattern
