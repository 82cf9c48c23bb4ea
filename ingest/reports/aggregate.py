"""Aggregate reports: RFC 7489 appendix C and RFC 9990 section 3.1, as frozen data.

Names are the RFC's, except `count`, which is `messages` everywhere in this project. `record` is read in
ingest/reports/record.py, values are made plain in words.py, bytes become XML in mending.py and markup.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lxml import etree

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import markup, mending, words
from ingest.reports.frame import FramePlan, Metadata, frames
from ingest.reports.policy import PolicyPublished, read_policy
from ingest.reports.record import RECORD_LIMIT, AggregateRecord, RecordReader, Records
from ingest.reports.shape import DkimAuthResult, OverrideReason, SpfAuthResult
from ingest.reports.words import Repair

__all__ = [
    "PARSER_VERSION",
    "AggregateRecord",
    "AggregateReport",
    "DkimAuthResult",
    "OverrideReason",
    "PolicyPublished",
    "Records",
    "Repair",
    "ReportMetadata",
    "SpfAuthResult",
    "parse",
    "parse_pieces",
]

PARSER_VERSION = 1
"""Raised when the same bytes may parse to other values; `whosends reparse` finds older ones by it."""

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
    records: Records
    schema: str
    version: str | None = None
    repairs: tuple[Repair, ...] = ()

    @property
    def messages(self) -> int:
        """The sum of all records' counts."""
        return self.records.messages


def parse(document: bytes) -> AggregateReport:
    """Read one report from its XML, as it was unpacked.

    Every repair that could matter is noted in `repairs`. Raises MalformedReport, with a Reason and a
    sentence, wherever going on would mean to guess: no network, no clock, the same result each time.
    """
    data, encoding = mending.utf8(document)
    mending.refuse_doctype(data)
    repairs = [(encoding, "not UTF-8, or declared otherwise")] if encoding else []
    try:
        return _ReportReader(repairs).read_cut((data,))
    except (etree.XMLSyntaxError, MalformedReport):
        pass  # What is wrong, and whether it can be put right, is for the parser to say, with all before it.
    data, shouted = mending.unshouted(data)
    repairs += [(shouted, "elements in capitals")] if shouted else []
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


def parse_pieces(head: bytes, pieces: Iterable[bytes]) -> AggregateReport:
    """Read one report as its bytes arrive, cut anywhere: what `parse` would read of them all. `head` is how they begin.

    Raises MalformedReport, etree.XMLSyntaxError or UnicodeDecodeError where it takes the whole document to tell, damage
    included.
    """
    return _ReportReader([]).read_cut(mending.plain(head, pieces))


def _refuse_endless(records: int, span: timedelta) -> None:
    """Each record counts on every day of the period: a few kilobytes could ask for a year of each of thousands."""
    days = round(span / timedelta(days=1))
    if records * days > RECORD_LIMIT:
        raise MalformedReport(
            Reason.DATE_INVALID,
            f"It claims to cover {days} days with {records} records: "
            f"counted on each day, they are more than {RECORD_LIMIT}.",
        )


class _ReportReader:
    def __init__(self, repairs: list[tuple[str, str]]) -> None:
        self.notes = words.Notes()
        for code, what in repairs:
            self.notes.add(code, what, "document")
        self.reader = RecordReader(self.notes)

    def read(self, data: bytes) -> AggregateReport:
        """Read a document by way of the XML parser."""
        plan, texts = frames.read(markup.walk(data, self.reader.read))
        return self.report(plan, texts)

    def read_cut(self, pieces: Iterable[bytes]) -> AggregateReport:
        """Read a document by cutting out its records. Raises MalformedReport where it is not what it seemed."""
        plan, texts = frames.read(markup.cut(pieces, self.reader.read))
        if plan.tag != "feedback" or plan.records != 1:
            raise MalformedReport(Reason.XML_BROKEN, "It has records where reports have none.")
        return self.report(plan, texts)

    def report(self, plan: FramePlan, texts: list[str]) -> AggregateReport:
        for name in plan.repeated:
            self.notes.add("repeated", "the first one counts", name)
        found, records = plan.metadata(texts), self.reader.records()
        metadata = self.metadata(found, [texts[place] for place in plan.errors])
        _refuse_endless(len(records), metadata.end_at - metadata.begin_at)
        policy = self.policy(plan.policy(texts), records)
        self.name(records, policy.domain)
        if not records:
            self.notes.add("no_records", "", "record")
        only_9990 = metadata.generator or policy.testing or policy.discovery_method
        return AggregateReport(
            report_metadata=metadata,
            policy_published=policy,
            records=records,
            # By namespace, or by an element that only RFC 9990 knows where the namespace was forgotten.
            schema="9990" if plan.namespaced_9990 or only_9990 else "7489",
            version=words.clean(found.version)[0] or None,
            repairs=self.notes.repairs(),
        )

    def name(self, records: Records, domain: str) -> None:
        """RFC 9990 section 3.1.1.9 requires header_from; the policy was looked up for it or above it."""
        for place, shape in enumerate(records.shapes):
            if not shape.header_from:
                records.shapes[place] = shape._replace(header_from=domain)
                self.notes.add("header_from_missing", domain, "identifiers/header_from")

    # -- report_metadata ------------------------------------------------------------------------

    def metadata(self, found: Metadata, errors: list[str]) -> ReportMetadata:
        email, org_name = self.text(found.email, "email") or "", self.text(found.org_name, "org_name")
        if not org_name:
            org_name = words.domain(email)[0]
            self.notes.add("org_name_missing", org_name, "report_metadata/org_name")
        report_id = self.text(found.report_id, "report_id")
        if not report_id:
            self.notes.add("report_id_missing", "", "report_metadata/report_id")
        begin_at, end_at = self.period(found)
        return ReportMetadata(
            org_name=org_name,
            email=email,
            extra_contact_info=self.text(found.extra_contact_info, "extra_contact_info"),
            report_id=report_id or "",
            begin_at=begin_at,
            end_at=end_at,
            errors=tuple(text for raw in errors if (text := self.text(raw, "error")))[:ERROR_LIMIT],
            generator=self.text(found.generator, "generator"),
        )

    def text(self, raw: str, name: str) -> str | None:
        text, repair = words.clean(raw)
        if repair:
            self.notes.add(repair, text, f"report_metadata/{name}")
        return text or None

    def period(self, found: Metadata) -> tuple[datetime, datetime]:
        begin_at, end_at = self.instant(found.begin, "begin"), self.instant(found.end, "end")
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

    def instant(self, raw: str, name: str) -> datetime:
        if not raw:
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

    def policy(self, texts: tuple[str, ...], records: Records) -> PolicyPublished:
        policy, notes = read_policy(texts)
        for note in notes:
            self.notes.add(*note)
        return policy if policy.domain else replace(policy, domain=self.unanimous_header_from(records))

    def unanimous_header_from(self, records: Records) -> str:
        names = {shape.header_from for shape in records.shapes}
        if len(names) != 1 or "" in names:
            raise MalformedReport(
                Reason.FIELD_MISSING, "It does not say which domain it is about: policy_published has no domain."
            )
        (name,) = names
        self.notes.add("policy_domain_missing", name, "policy_published/domain")
        return name
