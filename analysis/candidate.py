"""A DMARC record that somebody thinks of publishing (RFC 9989 section 4.7), and what it asks for each name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from analysis.policy import POLICIES
from ingest.discovery import tags as forgiving
from ingest.errors import UsageError

TAG = re.compile(r"([a-z]+)\s*=\s*([\x21-\x3a\x3c-\x7e](?:[\x20-\x3a\x3c-\x7e]*[\x21-\x3a\x3c-\x7e])?)", re.IGNORECASE)
VALUES: dict[str, tuple[str, ...]] = {
    "p": POLICIES, "sp": POLICIES, "np": POLICIES,
    "adkim": ("r", "s"), "aspf": ("r", "s"), "t": ("y", "n"), "psd": ("y", "n", "u"),
}  # fmt: skip
# What other tags say does not change what is blocked; they are kept as they are.
KEPT = ("rua", "ruf", "fo", "psd", "rf", "ri")
ORDER = ("v", "p", "sp", "np", "adkim", "aspf", "t", *KEPT)
LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a record asks: p for the domain, sp for names below it, np for those that do not exist.

    `testing` is t=y. `kept` are the other tags, in their order. `dkim_alone`: only DKIM counts.
    `without_include`: the SPF include whose senders lose SPF, "" for none.
    """

    p: str
    sp: str | None = None
    np: str | None = None
    adkim: str = "r"
    aspf: str = "r"
    testing: bool = False
    kept: tuple[tuple[str, str], ...] = field(default=())
    dkim_alone: bool = False
    without_include: str = ""

    def asks(self, *, below: bool, exists: bool = True) -> str:
        """The policy for the domain itself, for a name below it, or for one that does not exist."""
        if not below:
            return self.p
        below_it = self.sp or self.p
        return below_it if exists else self.np or below_it

    @property
    def record(self) -> str:
        """The record, ready to publish at _dmarc."""
        tags = {"v": "DMARC1", "p": self.p, "sp": self.sp, "np": self.np}
        tags |= {"adkim": "s" if self.adkim == "s" else None, "aspf": "s" if self.aspf == "s" else None}
        tags |= {"t": "y" if self.testing else None, **dict(self.kept)}
        return "; ".join(f"{name}={value}" for name, value in tags.items() if value)


def parse(text: str) -> Candidate:
    """The candidate that a record says; `v=DMARC1` may be left out. Raises UsageError, with what to write instead."""
    tags = _tags(text)
    if tags.pop("v", "DMARC1") != "DMARC1":
        raise UsageError("A DMARC record begins with v=DMARC1, in capitals.", "Write v=DMARC1, or leave v out.")
    if tags.pop("pct", "100") != "100":
        raise UsageError(
            "RFC 9989 has no pct any more, and receivers that follow it apply the policy to all mail.",
            "Leave pct out; t=y asks those receivers for the next weaker policy instead.",
        )
    for name, value in tags.items():
        if name in VALUES and value.lower() not in VALUES[name]:
            raise UsageError(f"{name}={value!r} is not a value of {name}.", f"It is one of {', '.join(VALUES[name])}.")
    said = {name: value.lower() for name, value in tags.items() if name in VALUES}
    if "p" not in said:
        raise UsageError("The record has no p.", "Say p=none, p=quarantine or p=reject.")
    return Candidate(
        p=said["p"],
        sp=said.get("sp"),
        np=said.get("np"),
        adkim=said.get("adkim", "r"),
        aspf=said.get("aspf", "r"),
        testing=said.get("t") == "y",
        kept=tuple((name, tags[name]) for name in KEPT if name in tags),
    )


def read(record: str) -> Candidate:
    """What receivers make of a record as it stands in DNS (RFC 9989 section 4.10.1); it need not be in order.

    One without a valid p, or with an sp or np that is none, asks for nothing. Tags that nobody knows are ignored.
    """
    said = {name: value.lower() for name, value in forgiving(record).items()}
    p, sp, np = (said.get(name) for name in ("p", "sp", "np"))
    if p is None or any(one is not None and one not in POLICIES for one in (p, sp, np)):
        return Candidate("none")
    strict = {mode: "s" if said.get(mode) == "s" else "r" for mode in ("adkim", "aspf")}
    return Candidate(p, sp, np, strict["adkim"], strict["aspf"], testing=said.get("t") == "y")


def _tags(text: str) -> dict[str, str]:
    if len(text) > LONGEST:
        raise UsageError("This is too long for a DMARC record.", f"At most {LONGEST} characters are read.")
    tags: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        match = TAG.fullmatch(part)
        if not match:
            raise UsageError(f"{part[:60]!r} is not a tag of a DMARC record.", "Write tags like 'p=reject; sp=none'.")
        name = match[1].lower()
        if name not in (*ORDER, "pct"):
            raise UsageError(f"DMARC has no tag {name[:20]!r}.", f"Known are {', '.join(ORDER)}.")
        if name in tags:
            raise UsageError(f"The record has {name} twice.", "Say each tag once.")
        if name == "v" and tags:
            raise UsageError("v=DMARC1 stands first in a DMARC record.", "Begin with it, or leave it out.")
        tags[name] = match[2]
    return tags
