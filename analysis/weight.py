"""How much does a domain matter? A primary domain outranks a subdomain with little mail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import sqrt

from ingest.alignment import organizational_domain

SUBDOMAIN = 0.5  # what a subdomain weighs beside an organizational domain with the same mail
LEAST = 0.01  # a domain without mail still weighs something: its findings stay on the list
MINOR = 0.1  # weight below which a finding is a step less urgent: a hundredth of the largest domain's mail


def weights(messages: Mapping[str, int], primary: Collection[str] = ()) -> dict[str, float]:
    """The weight of each domain, above 0 and up to 1, from its messages.

    Those named as `primary` weigh 1. Where none of them is here, it is the organizational domain with the
    most mail. The others weigh the square root of their mail beside the largest: a domain with a hundredth of
    the mail is not a hundredth as important.
    """
    first = {domain for domain in messages if domain in set(primary)} or _largest(messages)
    most = max(messages.values(), default=0)
    return {domain: 1.0 if domain in first else _beside(domain, count, most) for domain, count in messages.items()}


def _largest(messages: Mapping[str, int]) -> set[str]:
    whole = [domain for domain in messages if domain == organizational_domain(domain)] or list(messages)
    return set(sorted(whole, key=lambda domain: (-messages[domain], domain))[:1])


def _beside(domain: str, count: int, most: int) -> float:
    depth = 1.0 if domain == organizational_domain(domain) else SUBDOMAIN
    return max(depth * sqrt(count / most) if most else 0.0, LEAST)
