"""What a receiver sees of a message: the words that all processes share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple

Path = Literal["direct", "forwarded", "list"]


class Signature(NamedTuple):
    """One DKIM signature, with what verifying it said."""

    domain: str
    selector: str
    result: str


class Spf(NamedTuple):
    """The SPF check: the domain it was made for, whether of MAIL FROM or HELO, and what it said."""

    domain: str
    scope: str
    result: str


class Seen(NamedTuple):
    """All that a receiver knows of a message. `source` is the truth, which no receiver knows."""

    source: str
    domain: str
    source_ip: str
    header_from: str
    envelope_from: str
    dkim: tuple[Signature, ...]
    spf: Spf
    path: Path = "direct"
    sealed: bool = False


class Sighting(NamedTuple):
    """So many equal messages, seen by one reporter on one day."""

    reporter: str
    day: date
    seen: Seen
    messages: int


Traffic = dict[tuple[str, date], Counter[Seen]]


def add(traffic: Traffic, sightings: Iterable[Sighting]) -> None:
    """Count sightings in."""
    for reporter, day, seen, messages in sightings:
        if messages:
            traffic.setdefault((reporter, day), Counter())[seen] += messages


def organizational(name: str) -> str:
    """The organizational domain: two labels, which is right for every name that occurs here."""
    return ".".join(name.rsplit(".", 2)[-2:])


def aligned(seen_domain: str, header_from: str) -> bool:
    """Relaxed alignment."""
    return organizational(seen_domain) == organizational(header_from)
