"""What a receiver makes of a message: alignment, disposition, reason (RFC 7489 sections 3.1, 6.6)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from benchmarks.worlds.mail import Mail, Signature
from benchmarks.worlds.organisation import Policy, organizational
from benchmarks.worlds.reporters import Reporter


class Row(NamedTuple):
    """A record as its reporter writes it; None where it leaves an element out."""

    source_ip: str
    disposition: str
    dkim: str
    spf: str
    reason: tuple[str, str]
    envelope_to: str | None
    envelope_from: str | None
    header_from: str
    signatures: tuple[Signature, ...]
    spf_domain: str
    spf_scope: str | None
    spf_result: str

    @property
    def aligned(self) -> bool:
        """Whether DMARC passed."""
        return "pass" in (self.dkim, self.spf)


def aligned(header_from: str, domain: str, mode: str) -> bool:
    """Whether an authenticated domain counts for the domain in From (RFC 7489 section 3.1)."""
    return header_from == domain if mode == "s" else organizational(header_from) == organizational(domain)


@lru_cache(maxsize=200_000)
def judged(mail: Mail, policy: Policy, reporter: Reporter, below: bool) -> Row:
    """The record for a message, its source left empty. `below`: From is a subdomain of the record's domain."""
    dkim = any(s.result == "pass" and aligned(mail.header_from, s.domain, policy.adkim) for s in mail.signatures)
    # An SPF result for the name in HELO counts where there was no sender to check (RFC 7208 section 2.4).
    spf = mail.spf_result == "pass" and aligned(mail.header_from, mail.spf_domain, policy.aspf)
    asked = "none" if dkim or spf else policy.sp if below else policy.p
    shown = mail.signatures if "every signature" in reporter.shows else _first(mail)
    if "selector" not in reporter.shows:
        shown = tuple(signature._replace(selector="") for signature in shown)
    return Row(
        source_ip="",
        disposition=asked,
        dkim="pass" if dkim else "fail",
        spf="pass" if spf else "fail",
        reason=("", ""),
        envelope_to=None,
        envelope_from=mail.envelope_from if "envelope_from" in reporter.shows else None,
        header_from=mail.header_from,
        signatures=shown,
        spf_domain=mail.spf_domain,
        spf_scope=mail.spf_scope if "scope" in reporter.shows else None,
        spf_result=mail.spf_result,
    )


def _first(mail: Mail) -> tuple[Signature, ...]:
    """The one signature that a reporter tells of who tells of one: the one that counts, where there is one."""
    best = [s for s in mail.signatures if s.result == "pass" and aligned(mail.header_from, s.domain, "r")]
    return (*best, *mail.signatures)[:1]
