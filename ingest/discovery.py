"""Whose DMARC record applies to a name, and where its organization ends. Pure: asks nobody.

Receivers follow one of two rules: the Public Suffix List (RFC 7489 sections 3.2 and 6.6.3), or the DNS Tree Walk
(RFC 9989 section 4.10), which believes what stands in DNS on the way up. Reports call them psl and treewalk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from ingest.alignment import organizational_domain

Rule = Literal["treewalk", "psl"]
RULES: Final[tuple[Rule, ...]] = ("treewalk", "psl")
# The DMARC records at _dmarc.<name>; None where nobody knows: that is not the same as none.
Records = Callable[[str], tuple[str, ...] | None]

MOST: Final = 8  # names that one walk asks for (section 4.10)
VERSION: Final = re.compile(r"v\s*=\s*DMARC1\s*(?:;|$)")
LONGEST: Final = 8192  # characters of a record that are looked at


@dataclass(frozen=True, slots=True)
class Discovered:
    """What one rule finds for a name.

    `organization` is its organizational domain, None where DNS did not answer on the way. `found_at` is the domain
    whose record applies to mail in its name: "" where there is none, None where nobody knows. `record` is its text.
    """

    name: str
    organization: str | None
    found_at: str | None
    record: str = ""


def discover(rule: Rule, name: str, records_at: Records) -> Discovered:
    """What a receiver finds that follows this rule. `name` is in lower case, without a dot at its end."""
    return (_by_walk if rule == "treewalk" else _by_list)(name, records_at)


def dmarc_records(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of a name's TXT records that are DMARC records: they begin with v=DMARC1 (section 4.7)."""
    return tuple(text[:LONGEST] for text in texts if VERSION.match(text.strip()))


def tags(record: str) -> dict[str, str]:
    """The tags of a record, as forgivingly as receivers read them; of one that stands twice the first."""
    pairs = [part.partition("=") for part in record.split(";")]
    return {name.strip().lower(): value.strip() for name, _, value in reversed(pairs)}


def targets(name: str) -> tuple[str, ...]:
    """The names that a walk asks for, in order: the name, then (of nine labels and more) its last seven, and up."""
    labels = name.split(".")
    return (name, *(".".join(labels[-count:]) for count in range(min(len(labels) - 1, MOST - 1), 0, -1)))


def is_at_or_below(name: str, domain: str) -> bool:
    """Whether a name is the domain or stands below it."""
    return name == domain or name.endswith(f".{domain}")


def _by_walk(name: str, records_at: Records) -> Discovered:
    """RFC 9989 sections 4.10 to 4.10.2. Several records at one name are all discarded."""
    met: list[tuple[str, str]] = []
    for target in targets(name):
        found = records_at(target)
        if found is None:
            own = next((record for at, record in met if at == name), "")
            return Discovered(name, None, name if own else None, own)
        if len(found) == 1:
            met.append((target, found[0]))
            if _psd(found[0]) in ("y", "n"):
                break
    organization = _organization(name, met)
    preferred = (name, organization, *(at for at, record in met if _psd(record) == "y"))
    at = next((one for one in preferred if one in dict(met)), "")
    return Discovered(name, organization, at, dict(met).get(at, ""))


def _organization(name: str, met: list[tuple[str, str]]) -> str:
    """Section 4.10.2, from the records met on the way, those at the longest names first."""
    for at, record in met:
        if _psd(record) == "n":
            return at
        if _psd(record) == "y" and at != name:
            return ".".join(name.split(".")[-at.count(".") - 2 :])
    return met[-1][0] if met else name


def _psd(record: str) -> str:
    return tags(record).get("psd", "u").lower()


def _by_list(name: str, records_at: Records) -> Discovered:
    """RFC 7489 section 6.6.3: the name's own record, else that of its organizational domain; of several, none."""
    organization = organizational_domain(name)
    for at in dict.fromkeys((name, organization)):
        found = records_at(at)
        if found is None:
            return Discovered(name, organization, None)
        if found:
            alone = len(found) == 1
            return Discovered(name, organization, at if alone else "", found[0] if alone else "")
    return Discovered(name, organization, "")
