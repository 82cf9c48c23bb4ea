"""Aggregate reports: RFC 7489 appendix C and RFC 9990 section 3.1, as frozen data.

Names are the RFC's, except `count`, which is `messages` everywhere in this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

PARSER_VERSION = 1
"""Raised when the same bytes may parse to other values; `whosends reparse` finds older ones by it."""


class DkimAuthResult(NamedTuple):
    """`auth_results/dkim`: what DKIM said of one signature, whether aligned or not."""

    domain: str
    selector: str | None
    result: str


class SpfAuthResult(NamedTuple):
    """`auth_results/spf`: what SPF said of the envelope or HELO domain, whether aligned or not."""

    domain: str
    scope: str | None
    result: str


class OverrideReason(NamedTuple):
    """`policy_evaluated/reason`: why the receiver did not do what the policy asked."""

    type: str
    comment: str | None


class Repair(NamedTuple):
    """Something that was put right while reading: `code`, `what` was found, `where` it stood."""

    code: str
    what: str
    where: str


class AggregateRecord(NamedTuple):
    """One `record`: a source address, a number of messages, and how they fared.

    `dkim_aligned` and `spf_aligned` are `policy_evaluated/dkim|spf` == pass; None where the report
    does not say. Domains are lower case without a trailing dot, A-labels kept as they are.
    """

    source_ip: str
    messages: int
    disposition: str
    dkim_aligned: bool | None
    spf_aligned: bool | None
    reasons: tuple[OverrideReason, ...]
    header_from: str
    envelope_from: str | None
    envelope_to: str | None
    dkim: tuple[DkimAuthResult, ...]
    spf: tuple[SpfAuthResult, ...]


@dataclass(frozen=True, slots=True)
class ReportMetadata:
    """`report_metadata`. `begin_at` and `end_at` are UTC instants, end exclusive or 1 s before it."""

    org_name: str
    email: str
    extra_contact_info: str | None
    report_id: str
    begin_at: datetime
    end_at: datetime
    errors: tuple[str, ...] = ()
    generator: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyPublished:
    """`policy_published`; None where the report leaves an element out (defaults are not filled in)."""

    domain: str
    p: str | None
    sp: str | None = None
    np: str | None = None
    adkim: str | None = None
    aspf: str | None = None
    pct: int | None = None
    fo: str | None = None
    testing: str | None = None
    discovery_method: str | None = None


@dataclass(frozen=True, slots=True)
class AggregateReport:
    """One `feedback` document. `schema` is '7489' or '9990', `version` the element's text."""

    report_metadata: ReportMetadata
    policy_published: PolicyPublished
    records: list[AggregateRecord]
    schema: str
    version: str | None = None
    repairs: tuple[Repair, ...] = ()

    @property
    def messages(self) -> int:
        """The sum of all records' counts."""
        return sum(record.messages for record in self.records)
