"""The organisation: its domains, what they publish, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from publicsuffixlist import PublicSuffixList

WORDS = (  # noqa: SIM905 -- a list of so many words is no easier to read
    "alder amber anchor atlas birch bridge brook canyon cedar chalk cliff cobalt copper coral crane delta drift ember "
    "falcon fern fjord flint forge garnet glade grove harbor hazel heron indigo iron jasper juniper kestrel lark "
    "linden lumen maple marsh meadow mesa mistral nimbus north oak onyx opal orchid osprey pebble pine quartz quill "
    "raven reef ridge river rowan saffron sage shale slate sparrow spruce stone summit tern thistle tide timber umber "
    "vale velvet willow wren zephyr"
).split()
TRADES = ("group", "labs", "bank", "clinic", "school", "shop", "works", "media", "travel", "foods", "tools", "legal")
SUFFIXES = ("example", "test", "invalid")
SUBDOMAINS = ("news", "mail", "shop", "support", "app", "info", "hr", "alumni", "jobs", "billing")

_SUFFIXES = PublicSuffixList()


@lru_cache(maxsize=100_000)
def organizational(domain: str) -> str:
    """The organizational domain (RFC 7489 section 3.2)."""
    return _SUFFIXES.privatesuffix(domain) or domain


@dataclass(frozen=True, slots=True)
class Policy:
    """What a DMARC record says."""

    p: str
    sp: str
    adkim: str
    aspf: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain with a DMARC record.

    `policies` are the records in their order, each with the day from which it holds. `elsewhere` is how the SPF
    record judges an address that it does not name; "permerror" where it needs too many lookups (RFC 7208 section
    4.6.4), "none" where there is no record. `weight` is its share of the mail, 0 where it sends none.
    """

    name: str
    weight: float
    policies: tuple[tuple[int, Policy], ...]
    elsewhere: str
    subdomains: tuple[str, ...]
    parent: str = ""

    def policy(self, day: int) -> Policy:
        """The record that holds on a day."""
        return [policy for since, policy in self.policies if since <= day][-1]


@dataclass(frozen=True, slots=True)
class Organisation:
    """All domains of one owner. `size` is its mail on a working day, in messages."""

    name: str
    size: float
    domains: tuple[Domain, ...]

    @property
    def senders(self) -> tuple[Domain, ...]:
        """The domains that mail is sent from."""
        return tuple(domain for domain in self.domains if domain.weight)

    def governing(self, header_from: str) -> Domain:
        """The domain whose record is found for a message (RFC 7489 section 6.6.3)."""
        exact = next((domain for domain in self.domains if domain.name == header_from), None)
        return exact or next(domain for domain in self.domains if domain.name == organizational(header_from))

    def elsewhere(self, name: str) -> str | None:
        """How the SPF of one of our names judges a stranger; None for the names of others."""
        return next((d.elsewhere for d in self.domains if d.name == organizational(name)), None)


def organisation(rng: np.random.Generator, days: int) -> Organisation:
    """An organisation with one to six domains."""
    stem = f"{rng.choice(WORDS)}{rng.choice(WORDS)}"
    domains: list[Domain] = []
    for number in range(int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05]))):
        name = f"{stem}{'-' + str(rng.choice(TRADES)) if number else ''}.{rng.choice(SUFFIXES)}"
        if name in {domain.name for domain in domains}:
            continue
        parked = number > 0 and rng.random() < 0.2
        domain = _domain(name, rng, days, parked, 1.0 if number == 0 else float(rng.uniform(0.02, 0.4)))
        domains.append(domain)
        if domain.subdomains and rng.random() < 0.15:
            domains.append(_child(domain, rng, days))
    return Organisation(stem, float(10 ** rng.uniform(1.5, 4.3)), tuple(domains))


def _domain(name: str, rng: np.random.Generator, days: int, parked: bool, weight: float) -> Domain:
    if parked:
        policy = Policy("reject", "reject", "r", "r")
        return Domain(name, 0.0, ((0, policy),), "fail", ())
    elsewhere = str(rng.choice(["softfail", "fail", "neutral", "permerror", "none"], p=[0.6, 0.25, 0.05, 0.05, 0.05]))
    chosen = rng.choice(SUBDOMAINS, size=int(rng.integers(1, 5)), replace=False)
    return Domain(name, weight, _policies(rng, days), elsewhere, tuple(f"{label}.{name}" for label in chosen))


def _child(parent: Domain, rng: np.random.Generator, days: int) -> Domain:
    """A subdomain with a record of its own; what is sent from it is drawn with its parent's mail."""
    return Domain(parent.subdomains[0], 0.0, _policies(rng, days), parent.elsewhere, (), parent.name)


def _policies(rng: np.random.Generator, days: int) -> tuple[tuple[int, Policy], ...]:
    words = ("none", "quarantine", "reject")
    first = int(rng.choice(3, p=[0.6, 0.2, 0.2]))
    adkim, aspf = ("s" if rng.random() < 0.05 else "r" for _ in range(2))
    steps = [(0, first)]
    if first < 2 and rng.random() < 0.3:
        steps.append((int(rng.integers(days // 4, days)), first + 1))
    lax = rng.random() < 0.1
    return tuple((day, Policy(words[p], words[0] if lax else words[p], adkim, aspf)) for day, p in steps)
