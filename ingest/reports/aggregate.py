"""Aggregate reports: RFC 7489 appendix C and RFC 9990 section 3.1, as frozen data.

Names are the RFC's, except `count`, which is `messages` everywhere in this project. `record` is read in
ingest/reports/record.py, values are made plain in words.py, bytes become XML in mending.py and markup.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lxml import etree

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import markup, mending, words
from ingest.reports.policy import PolicyPublished, read_policy
from ingest.reports.record import AggregateRecord, RecordReader
from ingest.reports.shape import DkimAuthResult, OverrideReason, SpfAuthResult, leaf_text, leaves
from ingest.reports.words import Repair

__all__ = [
    "PARSER_VERSION",
    "AggregateRecord",
    "AggregateReport",
    "DkimAuthResult",
    "OverrideReason",
    "PolicyPublished",
    "Repair",
    "ReportMetadata",
    "SpfAuthResult",
    "parse",
]

PARSER_VERSION = 1
"""Raised when the same bytes may parse to other values; `whosends reparse` finds older ones by it."""

RECORD_LIMIT = 500_000
"""Most records of one report; the largest senders' daily reports have about a hundred thousand."""

ERROR_LIMIT = 100
"""Most `error` elements that are kept."""

SPAN_LIMIT = timedelta(days=366)


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


def parse(document: bytes) -> AggregateReport:
    """Read one report from its XML, as it was unpacked.

    Every repair that could matter is noted in `repairs`. Raises MalformedReport, with a Reason and a
    sentence, wherever going on would mean to guess: no network, no clock, the same result each time.
    """
    data, encoding = mending.utf8(document)
    repairs = [(encoding, "not UTF-8, or declared otherwise")] if encoding else []
    try:
        return _ReportReader(repairs).read(data)
    except etree.XMLSyntaxError as fault:
        if markup.refusal(fault).reason == Reason.XML_FORBIDDEN:
            raise markup.refusal(fault) from None
    data, mendings = mending.mended(data)
    try:
        return _ReportReader(repairs + mendings).read(data)
    except etree.XMLSyntaxError as fault:
        raise markup.refusal(fault) from None


class _ReportReader:
    def __init__(self, repairs: list[tuple[str, str]]) -> None:
        self.notes = words.Notes()
        for code, what in repairs:
            self.notes.add(code, what, "document")
        self.records: list[AggregateRecord] = []
        self.messages = 0
        self.unnamed: list[int] = []  # places in `records` that have no header_from
        self.record_reader = RecordReader(self.notes)

    def read(self, data: bytes) -> AggregateReport:
        feedback = markup.walk(data, self.take)
        sections = _sections(feedback)
        for name in ("report_metadata", "policy_published"):
            if len(sections.get(name, ())) > 1:
                self.notes.add("repeated", "the first one counts", name)
        # Flat, as in early drafts: what should stand in a section stands beside the records.
        metadata = self.metadata(sections.get("report_metadata", [feedback])[0])
        policy = self.policy(sections.get("policy_published", [feedback])[0])
        self.name_records(policy.domain)
        if not self.records:
            self.notes.add("no_records", "", "record")
        version = words.clean(leaf_text(sections["version"][0]))[0] if "version" in sections else ""
        return AggregateReport(
            report_metadata=metadata,
            policy_published=policy,
            records=self.records,
            schema=_schema(feedback, metadata, policy),
            version=version or None,
            repairs=self.notes.repairs(),
        )

    # -- records --------------------------------------------------------------------------------

    def take(self, element: markup.Element) -> None:
        record = self.record_reader.read(element)
        if record is None:
            return
        if not record.header_from:
            self.unnamed.append(len(self.records))
        self.records.append(record)
        self.messages += record.messages
        if len(self.records) > RECORD_LIMIT:
            raise MalformedReport(Reason.XML_FORBIDDEN, f"It has more than {RECORD_LIMIT} records.")
        if self.messages > words.COUNT_LIMIT:
            raise MalformedReport(
                Reason.NUMBER_INVALID, "Its counts add up to more messages than all mail servers send in a day."
            )

    def name_records(self, domain: str) -> None:
        """RFC 9990 section 3.1.1.9 requires header_from; the policy was looked up for it or above it."""
        for place in self.unnamed:
            self.records[place] = self.records[place]._replace(header_from=domain)
            self.notes.add("header_from_missing", domain, "identifiers/header_from")

    # -- report_metadata ------------------------------------------------------------------------

    def metadata(self, element: markup.Element) -> ReportMetadata:
        values = leaves(element)
        where = "report_metadata"
        email = self.text(values, "email", where) or ""
        org_name = self.text(values, "org_name", where)
        if not org_name:
            org_name = words.domain(email)[0]
            self.notes.add("org_name_missing", org_name, f"{where}/org_name")
        report_id = self.text(values, "report_id", where)
        if not report_id:
            self.notes.add("report_id_missing", "", f"{where}/report_id")
        begin_at, end_at = self.period(element)
        return ReportMetadata(
            org_name=org_name,
            email=email,
            extra_contact_info=self.text(values, "extra_contact_info", where),
            report_id=report_id or "",
            begin_at=begin_at,
            end_at=end_at,
            errors=self.errors(element),
            generator=self.text(values, "generator", where),
        )

    def errors(self, element: markup.Element) -> tuple[str, ...]:
        found: list[str] = []
        for error in element.iterchildren("{*}error"):
            text, repair = words.clean(leaf_text(error))
            self.notes.add(repair, text, "report_metadata/error")
            if text and len(found) < ERROR_LIMIT:
                found.append(text)
        return tuple(found)

    def text(self, values: dict[str, str], name: str, where: str) -> str | None:
        text, repair = words.clean(values.get(name))
        if repair:
            self.notes.add(repair, text, f"{where}/{name}")
        return text or None

    def period(self, metadata: markup.Element) -> tuple[datetime, datetime]:
        found = metadata.find("{*}date_range")
        values = leaves(metadata if found is None else found)
        begin_at = self.instant(values, "begin")
        end_at = self.instant(values, "end")
        if begin_at > end_at:
            # Whole days the wrong way round are a swap; anything else is no period.
            days, rest = divmod((begin_at - end_at).total_seconds(), 86_400)
            if days > 31 or 1 < rest < 86_399:
                raise MalformedReport(Reason.DATE_INVALID, f"Its period ends before it begins: {begin_at} to {end_at}.")
            begin_at, end_at = end_at, begin_at
            self.notes.add("period_swapped", f"{end_at} to {begin_at}", "report_metadata/date_range")
        if end_at - begin_at > SPAN_LIMIT:
            raise MalformedReport(Reason.DATE_INVALID, f"It claims to cover more than a year: {begin_at} to {end_at}.")
        return begin_at, end_at

    def instant(self, values: dict[str, str], name: str) -> datetime:
        raw = values.get(name)
        if raw is None:
            raise MalformedReport(
                Reason.FIELD_MISSING, f"It does not say which days it is about: date_range has no {name}."
            )
        try:
            moment, repair = words.instant(raw[:100])
        except ValueError:
            raise MalformedReport(
                Reason.DATE_INVALID,
                f"Its period cannot be read: {name} is {words.clean(raw)[0][:60]!r}.",
            ) from None
        if repair:
            self.notes.add(repair, raw, f"report_metadata/date_range/{name}")
        return moment

    # -- policy_published -----------------------------------------------------------------------

    def policy(self, element: markup.Element) -> PolicyPublished:
        policy, notes = read_policy(element)
        for note in notes:
            self.notes.add(*note)
        return policy if policy.domain else replace(policy, domain=self.unanimous_header_from())

    def unanimous_header_from(self) -> str:
        names = {record.header_from for record in self.records}
        if len(names) != 1 or "" in names:
            raise MalformedReport(
                Reason.FIELD_MISSING, "It does not say which domain it is about: policy_published has no domain."
            )
        (name,) = names
        self.notes.add("policy_domain_missing", name, "policy_published/domain")
        return name


def _sections(feedback: markup.Element) -> dict[str, list[markup.Element]]:
    sections: dict[str, list[markup.Element]] = {}
    for child in feedback:
        sections.setdefault(markup.local(child.tag), []).append(child)
    return sections


def _schema(feedback: markup.Element, metadata: ReportMetadata, policy: PolicyPublished) -> str:
    """By namespace, or by an element that only RFC 9990 knows where the namespace was forgotten."""
    only_9990 = metadata.generator or policy.testing or policy.discovery_method
    return "9990" if "dmarc-2.0" in feedback.tag or only_9990 else "7489"
