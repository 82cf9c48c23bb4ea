"""SMTP TLS reports: RFC 8460 section 4.4, as frozen data.

Names are the RFC's with underscores for its hyphens; of the two instants, `begin_at` and `end_at`, the RFC's
`start-datetime` and `end-datetime`. Tolerant of the shape (a list of one that is no list, a missing list, other
separators in names), strict about numbers: a count that is no count refuses the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import plainjson, words
from ingest.reports.plainjson import Object, Value
from ingest.reports.words import Repair

__all__ = ["PARSER_VERSION", "TlsFailure", "TlsPolicy", "TlsReport", "parse"]

PARSER_VERSION = 1
"""Raised when the same bytes may parse to other values."""

LIST_LIMIT = 200
"""Most lines of a policy and names of hosts that are kept."""

SPAN_LIMIT = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """One of `failure-details`: sessions that failed in the same way. None where it was left out."""

    result_type: str
    failed_session_count: int
    sending_mta_ip: str | None = None
    receiving_mx_hostname: str | None = None
    receiving_mx_helo: str | None = None
    receiving_ip: str | None = None
    additional_information: str | None = None
    failure_reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """One of `policies` with its summary: which policy was applied, and how sessions went under it."""

    policy_type: str
    policy_domain: str
    total_successful_session_count: int
    total_failure_session_count: int
    policy_string: tuple[str, ...] = ()
    mx_host: tuple[str, ...] = ()
    failure_details: tuple[TlsFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsReport:
    """One report of one sender's mail servers, usually about one UTC day and one domain."""

    organization_name: str
    contact_info: str | None
    report_id: str
    begin_at: datetime
    end_at: datetime
    policies: tuple[TlsPolicy, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def total_successful_session_count(self) -> int:
        """The sum over its policies."""
        return sum(policy.total_successful_session_count for policy in self.policies)

    @property
    def total_failure_session_count(self) -> int:
        """The sum over its policies."""
        return sum(policy.total_failure_session_count for policy in self.policies)


def parse(document: bytes) -> TlsReport:
    """Read one report from its JSON, as it was unpacked. Raises nothing but MalformedReport."""
    notes = words.Notes()
    found = plainjson.read(document, notes)
    # RFC 8460 section 4.4 wants one object; a list of one is seen.
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
        notes.add("list", "the report stands in a list", "document")
    if not isinstance(found, dict):
        raise MalformedReport(Reason.JSON_BROKEN, "It is JSON, but no report: a report is one object.")
    return _Reader(notes).report(found)


class _Reader:
    def __init__(self, notes: words.Notes) -> None:
        self.notes = notes

    def report(self, found: Object) -> TlsReport:
        contact_info = self.text(found, "contact-info")
        name = self.text(found, "organization-name")
        if not name:
            name = words.domain(contact_info or "")[0]
            self.notes.add("organization_name_missing", name, "organization-name")
        report_id = self.text(found, "report-id")
        if not report_id:
            self.notes.add("report_id_missing", "", "report-id")
        begin_at, end_at = self.period(found)
        policies = tuple(self.policy(item) for item in self.objects(found, "policies"))
        if not policies:
            self.notes.add("no_policies", "", "policies")
        sessions = sum(p.total_successful_session_count + p.total_failure_session_count for p in policies)
        failed = sum(one.failed_session_count for policy in policies for one in policy.failure_details)
        if max(sessions, failed) > words.COUNT_LIMIT:
            raise MalformedReport(Reason.NUMBER_INVALID, "Its counts add up to more sessions than there are in a day.")
        return TlsReport(
            organization_name=name,
            contact_info=contact_info,
            report_id=report_id or "",
            begin_at=begin_at,
            end_at=end_at,
            policies=policies,
            repairs=self.notes.repairs(),
        )

    # -- the period -----------------------------------------------------------------------------

    def period(self, found: Object) -> tuple[datetime, datetime]:
        inner = found.get("date-range")
        held = inner if isinstance(inner, dict) else found
        begin_at, end_at = (self.instant(held, name) for name in ("start-datetime", "end-datetime"))
        if begin_at > end_at:
            raise MalformedReport(Reason.DATE_INVALID, f"Its period ends before it begins: {begin_at} to {end_at}.")
        if end_at - begin_at > SPAN_LIMIT:
            raise MalformedReport(Reason.DATE_INVALID, f"It claims to cover more than a year: {begin_at} to {end_at}.")
        return begin_at, end_at

    def instant(self, held: Object, name: str) -> datetime:
        raw = held.get(name)
        if raw is None or isinstance(raw, dict | list):
            raise MalformedReport(
                Reason.FIELD_MISSING, f"It does not say which days it is about: date-range has no {name}."
            )
        try:
            moment, repair = words.instant(str(raw)[:100])
        except ValueError:
            shown = words.clean(str(raw))[0][:60]
            raise MalformedReport(Reason.DATE_INVALID, f"Its period cannot be read: {name} is {shown!r}.") from None
        # RFC 8460 section 4.4 wants RFC 3339 text, so here the number is the odd form.
        if repair != "date_format":
            self.notes.add("date_format", str(raw), name)
        return moment

    # -- policies -------------------------------------------------------------------------------

    def policy(self, found: Object) -> TlsPolicy:
        inner = found.get("policy")
        policy = inner if isinstance(inner, dict) else found
        summary = found.get("summary")
        if not isinstance(summary, dict):
            raise MalformedReport(
                Reason.FIELD_MISSING, "It does not say how many sessions there were: a policy has no summary."
            )
        kind = words.word(self.text(policy, "policy-type"))[0]
        if not kind:
            self.notes.add("policy_type_missing", "", "policy-type")
        raw = self.text(policy, "policy-domain") or ""
        domain, repair = words.domain(raw)
        self.notes.add(repair if domain else "policy_domain_missing", raw, "policy-domain")
        return TlsPolicy(
            policy_type=kind,
            policy_domain=domain,
            total_successful_session_count=self.count(summary, "total-successful-session-count"),
            total_failure_session_count=self.count(summary, "total-failure-session-count"),
            policy_string=self.texts(policy, "policy-string"),
            # RFC 8460 calls it mx-host in section 4.4, mx-host-pattern in its drafts.
            mx_host=self.texts(policy, "mx-host") or self.texts(policy, "mx-host-pattern"),
            failure_details=tuple(self.failure(item) for item in self.objects(found, "failure-details")),
        )

    def failure(self, found: Object) -> TlsFailure:
        return TlsFailure(
            result_type=words.word(self.text(found, "result-type"))[0],
            failed_session_count=self.count(found, "failed-session-count"),
            sending_mta_ip=self.address(found, "sending-mta-ip"),
            receiving_mx_hostname=self.host(found, "receiving-mx-hostname"),
            receiving_mx_helo=self.host(found, "receiving-mx-helo"),
            receiving_ip=self.address(found, "receiving-ip"),
            # Section 4.4 says additional-information, the drafts additional-info-uri.
            additional_information=self.text(found, "additional-information")
            or self.text(found, "additional-info-uri"),
            failure_reason_code=self.text(found, "failure-reason-code") or self.text(found, "failure-error-code"),
        )

    # -- values ---------------------------------------------------------------------------------

    def objects(self, held: Object, name: str) -> Iterator[Object]:
        """What should be a list of objects; one object alone is a list of one, null and nothing an empty one."""
        found = held.get(name)
        if isinstance(found, dict):
            self.notes.add("list", "one object", name)
            found = [found]
        if found is None or found == "":
            return
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise MalformedReport(Reason.JSON_BROKEN, f"Its {name} are no list of objects.")
        yield from (item for item in found if isinstance(item, dict))

    def texts(self, held: Object, name: str) -> tuple[str, ...]:
        """A list of texts; one text alone is a list of one (RFC 8460's own appendix B writes mx-host so)."""
        found: Value = held.get(name)
        items = found if isinstance(found, list) else [found]
        texts = [self.cleaned(str(item), name) for item in items if isinstance(item, str | bool)]
        if len(texts) > LIST_LIMIT:
            self.notes.add("list_cut", f"{len(texts)} items", name)
        return tuple(text for text in texts if text)[:LIST_LIMIT]

    def text(self, held: Object, name: str) -> str | None:
        found = held.get(name)
        return self.cleaned(found, name) if isinstance(found, str) else None

    def cleaned(self, raw: str, name: str) -> str | None:
        text, repair = words.clean(raw)
        self.notes.add(repair, text, name)
        return text or None

    def address(self, held: Object, name: str) -> str | None:
        raw = self.text(held, name)
        if raw is None:
            return None
        try:
            address, repair = words.address(raw)
        except ValueError:
            self.notes.add("address", raw, name)
            return raw
        self.notes.add("address" if repair else "", raw, name)
        return address

    def host(self, held: Object, name: str) -> str | None:
        raw = self.text(held, name)
        return raw.lower().rstrip(".") or None if raw else None

    def count(self, held: Object, name: str) -> int:
        raw = held.get(name)
        if raw is None:
            raise MalformedReport(Reason.FIELD_MISSING, f"It does not say how many sessions there were: no {name}.")
        text = str(raw)[:100] if isinstance(raw, str) and not isinstance(raw, bool) else ""
        try:
            number, repair = words.count(plainjson.whole(text))
        except ValueError:
            shown = words.clean(text or type(raw).__name__)[0][:60]
            raise MalformedReport(Reason.NUMBER_INVALID, f"A count cannot be one: {name} is {shown!r}.") from None
        plain = isinstance(raw, plainjson.Number) and plainjson.whole(text) == text
        self.notes.add(repair or ("" if plain else "count_format"), text, name)
        return number
