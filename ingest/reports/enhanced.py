"""Enhanced mail system status codes: RFC 3463 section 3, with what the IANA registry (RFC 5248) holds beside it."""

from __future__ import annotations

import re
from typing import NamedTuple

CLASSES = {2: "success", 4: "transient", 5: "permanent"}
"""RFC 3463 section 2 and 3.1: the first number."""

SUBJECTS = {
    0: "other",
    1: "address",
    2: "mailbox",
    3: "mail system",
    4: "network",
    5: "protocol",
    6: "content",
    7: "security or policy",
}
"""RFC 3463 section 3.2: the second number."""

# The third number, after the second: RFC 3463 sections 3.2 to 3.8; 7.27 RFC 7505; 6.7 to 6.9 RFC 6531;
# 7.8 to 7.13 RFC 4954, 5248; 7.17 to 7.19 RFC 7293; 7.20 to 7.26 RFC 7372; 7.29 RFC 8617; 7.30 RFC 8689.
# Not here: 1.10, null MX in the registry (RFC 7505), which Exchange says of any recipient that it does not find.
_MEANINGS = {
    "1.1": "bad destination mailbox address",
    "1.2": "bad destination system address",
    "1.3": "bad destination mailbox address syntax",
    "1.4": "destination mailbox address ambiguous",
    "1.5": "destination address valid",
    "1.6": "destination mailbox has moved",
    "1.7": "bad sender's mailbox address syntax",
    "1.8": "bad sender's system address",
    "1.9": "message relayed to a mailer without notices",
    "2.1": "mailbox disabled",
    "2.2": "mailbox full",
    "2.3": "message longer than the mailbox takes",
    "2.4": "mailing list expansion problem",
    "3.1": "mail system full",
    "3.2": "system not accepting messages",
    "3.3": "system lacks a selected feature",
    "3.4": "message too big for the system",
    "3.5": "system incorrectly configured",
    "4.1": "no answer from host",
    "4.2": "bad connection",
    "4.3": "directory server failure",
    "4.4": "unable to route",
    "4.5": "mail system congestion",
    "4.6": "routing loop detected",
    "4.7": "delivery time expired",
    "5.1": "invalid command",
    "5.2": "syntax error",
    "5.3": "too many recipients",
    "5.4": "invalid command arguments",
    "5.5": "wrong protocol version",
    "6.1": "media not supported",
    "6.2": "conversion required and prohibited",
    "6.3": "conversion required but not supported",
    "6.4": "conversion with loss performed",
    "6.5": "conversion failed",
    "6.7": "non-ASCII addresses not permitted",
    "6.9": "UTF-8 header cannot be transferred",
    "7.1": "delivery not authorized, message refused",
    "7.2": "mailing list expansion prohibited",
    "7.3": "security conversion required but not possible",
    "7.4": "security features not supported",
    "7.5": "cryptographic failure",
    "7.6": "cryptographic algorithm not supported",
    "7.7": "message integrity failure",
    "7.8": "authentication credentials invalid",
    "7.9": "authentication mechanism too weak",
    "7.10": "encryption needed",
    "7.11": "encryption required for the authentication mechanism",
    "7.13": "user account disabled",
    "7.17": "mailbox owner has changed",
    "7.18": "domain owner has changed",
    "7.20": "no passing DKIM signature",
    "7.21": "no acceptable DKIM signature",
    "7.22": "no valid DKIM signature of the author's domain",
    "7.23": "SPF validation failed",
    "7.24": "SPF validation error",
    "7.25": "reverse DNS validation failed",
    "7.26": "multiple authentication checks failed",
    "7.27": "sender's domain takes no mail (null MX)",
    "7.28": "mail flood detected",
    "7.29": "ARC validation failed",
    "7.30": "REQUIRETLS not possible",
}

# Not within a longer number: 4.3.2.1 is an address, and 4.97.1 a version (there is no subject 97).
_CODE = re.compile(r"(?<![\w.])([245])\.([0-7])\.([0-9]{1,3})(?![0-9])(?!\.[0-9])")
_REPLY = re.compile(r"(?<![\w.:\[-])([245][0-5][0-9])(?=[ -]|\Z)")


class EnhancedCode(NamedTuple):
    """x.y.z of RFC 3463: class, subject, detail."""

    class_number: int
    subject_number: int
    detail: int

    def __str__(self) -> str:
        return f"{self.class_number}.{self.subject_number}.{self.detail}"

    @property
    def class_name(self) -> str:
        """The RFC's word for its class: success, transient or permanent."""
        return CLASSES[self.class_number]

    @property
    def subject_name(self) -> str:
        """What it is about."""
        return SUBJECTS[self.subject_number]

    @property
    def meaning(self) -> str:
        """What the registry calls it; empty where it holds nothing, as for the codes of single providers."""
        return _MEANINGS.get(f"{self.subject_number}.{self.detail}", "")

    @property
    def is_specific(self) -> bool:
        """Whether it says more than its class: not x.0.0."""
        return bool(self.subject_number or self.detail)


def find(text: str) -> EnhancedCode | None:
    """The first code in a text that is specific, else the first."""
    codes = [EnhancedCode(int(m[1]), int(m[2]), int(m[3])) for m in _CODE.finditer(text)]
    return next((code for code in codes if code.is_specific), codes[0] if codes else None)


def reply_code(text: str) -> int | None:
    """The first SMTP reply code (RFC 5321 section 4.2) in a text."""
    found = _REPLY.search(text)
    return int(found[1]) if found else None
