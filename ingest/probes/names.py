"""Names as DNS holds them. Asks nobody and loads nothing that does."""

from __future__ import annotations

import re
from typing import NamedTuple

# Labels may begin with an underscore (RFC 8552); whatever else a report wrote is no name that we ask for.
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class Owned(NamedTuple):
    """One of our domains, and of the names below it those that its mail showed: of keys and of return paths."""

    domain: str
    keys: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def is_name(text: str) -> bool:
    """Whether this is a name of two labels and more, in lower case, that DNS can hold."""
    return bool(_NAME.fullmatch(text))


def is_below(name: str, domain: str) -> bool:
    """Whether DNS can hold a name, and it is the domain or below it."""
    return is_name(name) and (name == domain or name.endswith(f".{domain}"))


def key_name(selector: str, signing_domain: str) -> str:
    """Where a signature's key stands (RFC 6376 section 3.6.2.1)."""
    return f"{selector}._domainkey.{signing_domain}".lower().rstrip(".")
