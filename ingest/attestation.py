"""Who vouches for a report: the DKIM signatures of its mail (RFC 6376) against the reporter's own domains.

RFC 9990 section 4 asks for report mails that pass DMARC. Anybody can send a well-formed report, so a
report counts as its reporter's where a domain of the reporter's signed the mail. Pure: what was found
of the signatures comes from `ingest.probes.signature`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ingest.alignment import organizational_domain

if TYPE_CHECKING:
    # Whoever asks what a stored report is worth need not load what parses one.
    from ingest.reports.aggregate import AggregateReport, ReportMetadata

LONG_AGO = timedelta(days=7)
"""Selectors are changed every few months and their keys withdrawn days later: an old mail's key may be gone."""


class Grade(StrEnum):
    """How well a report is vouched for, the best first."""

    VERIFIED = "verified"  # signed by a domain of the reporter's
    UNATTESTED = "unattested"  # no mail at hand, or nobody asked: nothing against it
    UNVERIFIED = "unverified"  # no valid signature
    MISMATCH = "mismatch"  # validly signed, and only by domains that are not the reporter's


class Doubt(StrEnum):
    """What speaks against a report's being genuine; what the rollup tells apart."""

    NONE = ""
    MISMATCH = "mismatch"
    UNVERIFIED = "unverified"
    UNPROVABLE = "unprovable"  # unverified for a reason that honest mail has too: no answer, or a key long withdrawn


class SignatureStatus(StrEnum):
    """How the verification of one signature ended."""

    VALID = "valid"
    TEMPERROR = "temperror"  # the key could not be asked for (RFC 8601 section 2.7.1)
    NO_KEY = "no key"
    REVOKED = "revoked key"  # an empty p= (RFC 6376 section 3.6.1)
    EXPIRED = "expired"  # x= was over when the mail came (section 3.5)
    BODY = "body changed"
    INVALID = "invalid"
    PARTIAL = "covers a part of the body only"  # l= (section 8.2): anything may stand after it
    TESTING = "testing key"  # t=y: not to be told from unsigned mail (section 3.6.1)
    WEAK = "too weak"  # rsa-sha1, or a key below 1024 bits (RFC 8301)
    UNSUPPORTED = "unknown algorithm"
    MALFORMED = "malformed"


# The first that a signature of the reporter's own ended with is told: what time or luck explains goes before.
_TELLING = (SignatureStatus.TEMPERROR, SignatureStatus.EXPIRED, SignatureStatus.NO_KEY, SignatureStatus.REVOKED)
_WITHDRAWN = frozenset({SignatureStatus.NO_KEY, SignatureStatus.REVOKED})


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a mail: the domain (d=) and selector (s=) that it names, and how it fared."""

    domain: str
    selector: str
    status: SignatureStatus


@dataclass(frozen=True, slots=True)
class Attestation:
    """How well one report is vouched for.

    `domain` and `selector` are of the signature that decided, "" where there is none. `status` is one
    of our own words, never a sender's.
    """

    grade: Grade
    domain: str = ""
    selector: str = ""
    status: str = ""
    doubt: Doubt = Doubt.NONE


NOT_CHECKED = Attestation(Grade.UNATTESTED, status="not checked")
NO_MAIL = Attestation(Grade.UNATTESTED, status="no mail")

_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def domains_of(reporter: ReportMetadata) -> frozenset[str]:
    """The organizational domains that are a reporter's: of its address, and of its name where that is a domain."""
    names = (reporter.email.rpartition("@")[2], reporter.org_name)
    bare = (name.strip(" \t<>").rstrip(".").lower() for name in names)
    return frozenset(organizational_domain(name) for name in bare if len(name) < 254 and _NAME.fullmatch(name))


@dataclass(frozen=True, slots=True)
class Parties:
    """Whose signatures mean what for one report: organizational domains.

    `own` are the reporter's. `ours` is whose policy was applied: where the report passed through a list or
    gateway of the receiver's own, that signed it anew, and says nothing about who wrote it.
    """

    own: frozenset[str]
    ours: str

    @classmethod
    def of(cls, report: AggregateReport) -> Parties:
        """The parties of a report."""
        return cls(domains_of(report.report_metadata), organizational_domain(report.policy_published.domain))


def graded(
    signatures: Sequence[Signature], parties: Parties, received_at: datetime | None, now: datetime
) -> Attestation:
    """What the signatures of a mail say for a report in it.

    `received_at` is when the mailbox received the mail, which its sender cannot choose.
    """
    own = parties.own
    mine = [each for each in signatures if is_own(each.domain, own)]
    valid = [each for each in signatures if each.status is SignatureStatus.VALID]
    best = next((each for each in valid if each in mine), None)
    if best:
        return Attestation(Grade.VERIFIED, best.domain, best.selector, best.status)
    told = min(mine, key=_told_first, default=None)
    excused = told is not None and _is_excused(told.status, received_at, now)
    others = [each for each in valid if organizational_domain(each.domain) != parties.ours]
    if others and not excused:
        other = others[0]
        return Attestation(Grade.MISMATCH, other.domain, other.selector, "another domain's", Doubt.MISMATCH)
    doubt = Doubt.UNPROVABLE if excused else Doubt.UNVERIFIED
    if told:
        return Attestation(Grade.UNVERIFIED, told.domain, told.selector, told.status, doubt)
    first = next((each for each in signatures if each.status is not SignatureStatus.VALID), None)
    return Attestation(Grade.UNVERIFIED, status=first.status if first else "no signature", doubt=doubt)


def is_own(domain: str, own: frozenset[str]) -> bool:
    """Whether a signing domain is one of the reporter's."""
    return bool(domain) and organizational_domain(domain) in own


def _told_first(signature: Signature) -> int:
    return _TELLING.index(signature.status) if signature.status in _TELLING else len(_TELLING)


def _is_excused(status: SignatureStatus, received_at: datetime | None, now: datetime) -> bool:
    """Whether honest mail ends so too. A key that is gone excuses only a mail that came long ago."""
    if status is SignatureStatus.TEMPERROR:
        return True
    return status in _WITHDRAWN and received_at is not None and now - received_at > LONG_AGO
