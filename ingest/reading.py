"""A message in, what it says out: pure, so that a worker process or a test can run it unchanged."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from ingest.errors import MalformedReport, UnsafeArchive
from ingest.inflated import Inflated
from ingest.inputs import mbox
from ingest.inputs.base import Message
from ingest.message import REPORT_TYPE, Budget, Document, documents, is_mail, is_outlook, packing
from ingest.mime import HEADER_LIMIT
from ingest.outcome import Opinion, Reason
from ingest.reports import dsn, failure, mending, tls
from ingest.reports.aggregate import AggregateReport, parse, parse_pieces
from ingest.reports.dsn import DeliveryNotice
from ingest.reports.failure import FailureReport
from ingest.reports.redaction import REDACTED, Redaction
from ingest.reports.tls import TlsReport
from ingest.reports.words import Repair, clean
from ingest.second_opinion import AGGREGATE, ASKED, FAILURE, TLS, Ask, ask, nobody
from ingest.settings import UnpackLimits
from ingest.sniff import NO_REPORT, OUTLOOK, Kind, claims, described, kind
from ingest.sniff_mail import described_mail, mail_kind
from ingest.unpack import unpack

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P", AggregateReport, TlsReport)
D = TypeVar("D", bytes, Inflated)

log = logging.getLogger(__name__)

ARCHIVE = "archive"
"""Where a repair stood that was made before the document was parsed; the document alone does not tell of it."""


@dataclass(frozen=True, slots=True)
class ReadReport(Generic[R]):
    """A parsed report with the document it was parsed from: XML, JSON, or the whole mail where that is the report.

    A large one stays packed, as `content`. `deflated` is the one stream (RFC 1951) that it came in, or b"".
    """

    report: R
    content: bytes | Inflated
    deflated: bytes = b""

    @property
    def document(self) -> bytes:
        """All of it, in memory."""
        return bytes(self.content)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that was refused: `reason` is an outcome.Reason, `name` the part's or member's name.

    `opinion` is what another parser says of it, where one was asked.
    """

    reason: str
    sentence: str
    name: str = ""
    opinion: Opinion | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one message says. Neither reports nor refusals: it is not a report."""

    reports: list[ReadReport[AggregateReport]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    sentence: str = ""  # what it is instead, where it is no report
    tls_reports: list[ReadReport[TlsReport]] = field(default_factory=list)
    failure_reports: list[ReadReport[FailureReport]] = field(default_factory=list)
    notices: list[ReadReport[DeliveryNotice]] = field(default_factory=list)

    @property
    def is_report(self) -> bool:
        """Whether anything in it is, or claims to be, a report of any kind."""
        return bool(self.reports or self.tls_reports or self.failure_reports or self.notices or self.refusals)

    @property
    def size(self) -> int:
        """Bytes of all documents that reports were read from."""
        lists = (self.reports, self.tls_reports, self.failure_reports, self.notices)
        return sum(len(one.content) for found in lists for one in found)


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is kept of personal data, in failure reports and in bounces."""

    failures: Redaction = REDACTED
    bounces: Redaction = REDACTED


PRIVATE = Privacy()
"""What holds unless somebody asks for more."""


def read(message: Message, limits: UnpackLimits, privacy: Privacy = PRIVATE, second: Ask = ask) -> Reading:
    """Read one message: walk it, unpack it, and parse every report in it, of whatever kind.

    Never raises for what a message holds. A report that cannot be read becomes a Refusal and does not
    keep others in the same message from being read. `second` is asked about those alone.
    """
    if message.fault:
        return Reading(refusals=[Refusal(Reason.UNREADABLE, message.fault)])
    if len(message.raw) < message.size:
        sentence = f"It has {message.size} bytes, more than the {limits.message_bytes} that are read."
        return Reading(refusals=[Refusal(Reason.TOO_LARGE, sentence)])
    reading = Reading()
    terms = _Terms(privacy, second, Budget(limits))
    others: dict[str, None] = {}
    name = message.origin.replace("\\", "/").rpartition("/")[2]
    for document in _unpacked(reading, Document(name, "", message.raw), terms, limits.depth):
        if not _parse_into(reading, document, terms):
            others[described(document)] = None
            if (packing(document) or is_outlook(document)) and (claims(document) or _announces(message, document)):
                what = f"What seems to be a report is {described(document)}."
                fault = MalformedReport(Reason.BROKEN_ARCHIVE, what, _PACKED_AS if packing(document) else _SAVE_AS)
                reading.refusals.append(_refusal(fault, document.name))
    return reading if reading.is_report else Reading(sentence=_sentence(message, list(others)))


class _Terms(NamedTuple):
    """What a message is read under."""

    privacy: Privacy
    second: Ask
    budget: Budget


class _Refused(NamedTuple):
    """Where the refusal of a document goes, and what another parser, if any, is asked to read it as."""

    refusals: list[Refusal]
    name: str
    second: Ask = nobody
    form: bytes = b""


def _read_notice(reading: Reading, raw: bytes, terms: _Terms) -> bool:
    """Read a mail, or a multipart/report in one, that as a whole is a failure report or a bounce; False: it is none."""
    try:
        found = mail_kind(raw)
    except Exception as fault:  # noqa: BLE001  as _refusal says
        reading.refusals.append(_refusal(fault, ""))
        return False
    if found is Kind.FAILURE:
        refused = _Refused(reading.refusals, "", terms.second, FAILURE)
        _append(reading.failure_reports, lambda mail: failure.parse(mail, terms.privacy.failures), raw, refused)
    elif found is Kind.DSN:
        refused = _Refused(reading.refusals, "")
        _append(reading.notices, lambda mail: dsn.parse(mail, terms.privacy.bounces), raw, refused)
    return found is not Kind.NONE


def _unpacked(reading: Reading, whole: Document, terms: _Terms, depth: int) -> Iterator[Document]:
    """The documents in a mail or file, and in the mails that an archive in it holds."""
    # What a notice returns is not addressed to us, however it is packed.
    if is_mail(whole.data, whole.name) and _read_notice(reading, whole.data, terms):
        return
    found = documents(whole.data, whole.name, terms.budget)
    for document in _until_refused(found, reading.refusals, whole.name):
        for inner in _until_refused(unpack(document, terms.budget), reading.refusals, document.name):
            if inner is document or not _is_packed_mail(inner):
                yield inner
            elif depth:
                for mail in _until_refused(_mails(inner.data, terms.budget), reading.refusals, inner.name):
                    yield from _unpacked(reading, Document(inner.name, "", mail), terms, depth - 1)
            else:
                deep = f"It holds mails in archives, more than {terms.budget.limits.depth} deep."
                fault = UnsafeArchive(Reason.NESTED_TOO_DEEP, deep)
                reading.refusals.append(_refusal(fault, inner.name))


def _mails(raw: bytes, budget: Budget) -> Iterator[bytes]:
    """The mails of an mbox file, or the one mail that it is."""
    if not mbox.FROM_LINE.match(raw):
        yield raw
        return
    for message in mbox.messages(b"", io.BytesIO(raw), "", len(raw)):
        budget.part()
        yield message.raw


def _is_packed_mail(document: Document) -> bool:
    """Whether what an archive held is a mail: as it is called, or where it is nothing else."""
    if not is_mail(document.head, document.name):
        return False
    return document.name.lower().endswith(".eml") or kind(document) is Kind.NONE


def _parse_into(reading: Reading, document: Document, terms: _Terms) -> bool:
    """Parse a document into the list of its kind; False where it does not claim to be a report."""
    if document.content_type == REPORT_TYPE:
        return _read_notice(reading, document.data, terms)
    name = document.name
    match kind(document):
        case Kind.AGGREGATE:
            refused = _Refused(reading.refusals, name, terms.second, AGGREGATE)
            if not _read_packed(reading, document, refused):
                _read_joined(reading, document, refused)
        case Kind.TLS:
            refused = _Refused(reading.refusals, name, terms.second, TLS)
            _append(reading.tls_reports, _repairing(tls.parse, document), document.data, refused)
        case Kind.FAILURE:
            parse_fields = partial(failure.parse_fields, redaction=terms.privacy.failures)
            _append(reading.failure_reports, parse_fields, document.data, _Refused(reading.refusals, name))
        case Kind.DSN:
            parse_status = partial(dsn.parse_status, redaction=terms.privacy.bounces)
            _append(reading.notices, parse_status, document.data, _Refused(reading.refusals, name))
        case _:
            return False
    return True


def _read_packed(reading: Reading, document: Document, refused: _Refused) -> bool:
    """Read a large aggregate report as it is inflated; False where that cannot be, so all of it has to be looked at."""
    content = document.content
    if isinstance(content, bytes):
        return False
    try:
        report = parse_pieces(document.head, content.pieces())
    except Exception:  # noqa: BLE001  what is wrong, and whether it can be put right, is said of the whole
        return False
    _append(reading.reports, _repairing(lambda _: report, document), content, refused, document.deflated)
    return True


JOINED_LIMIT = 5_000
"""Most reports that are read of one document, as where somebody joined a folder's files."""


def _read_joined(reading: Reading, document: Document, refused: _Refused) -> None:
    """Read the one report of a document, or each of those that are joined in it."""
    data = document.data
    parts = mending.split(data)
    if len(parts) > JOINED_LIMIT:
        fault = MalformedReport(Reason.TOO_MANY_PARTS, f"It is made of more than {JOINED_LIMIT} joined reports.")
        refused.refusals.append(_refusal(fault, refused.name))
        return
    for part in parts:
        # One of several in a document is no stream by itself.
        deflated = document.deflated if part is data else b""
        _append(reading.reports, _repairing(parse, document), part, refused, deflated)


def _repairing(parse: Callable[[D], P], document: Document) -> Callable[[D], P]:
    """What reads a report, and adds what was put right before it was parsed."""
    if not document.repair:
        return parse
    repair = Repair(document.repair, "its checksum is cut off", ARCHIVE)

    def parse_repaired(data: D) -> P:
        report: P = parse(data)
        return replace(report, repairs=(*report.repairs, repair))

    return parse_repaired


OPINIONS = 3
"""Refused documents of one message about which another parser is asked: each question may take seconds."""


def _append(
    known: list[ReadReport[R]], parse: Callable[[D], R], document: D, refused: _Refused, deflated: bytes = b""
) -> None:
    # The same report as text and as attachment is one report.
    if any(document == one.content for one in known):
        return
    try:
        known.append(ReadReport(parse(document), document, deflated))
    except Exception as fault:  # noqa: BLE001  as _refusal says
        refusal = _refusal(fault, refused.name)
        if refused.form and refusal.reason in ASKED and len(refused.refusals) < OPINIONS:
            refusal = replace(refusal, opinion=refused.second(refused.form, bytes(document)))
        refused.refusals.append(refusal)


def _until_refused(found: Iterator[T], refusals: list[Refusal], name: str) -> Iterator[T]:
    """Pass on what `found` yields; where it raises, note the refusal and end."""
    while True:
        try:
            item = next(found)
        except StopIteration:
            return
        except Exception as fault:  # noqa: BLE001  as _refusal says
            refusals.append(_refusal(fault, name))
            return
        yield item


def _refusal(fault: Exception, name: str) -> Refusal:
    """Why a document, or what is left of a message, is refused. Called where the fault is handled.

    The last resort is for whatever nobody foresaw, MemoryError and RecursionError included: a stranger's mail must
    not stop the run. Its bytes go to quarantine and wait for the fix.
    """
    name = clean(name)[0]
    if isinstance(fault, MalformedReport):
        # Some sentences quote the parser, which quotes the document.
        return Refusal(fault.reason, clean(str(fault))[0], name)
    log.warning("message.unexpected name=%r", name, exc_info=True)
    sentence = f"Reading it failed in a way that nobody foresaw ({type(fault).__name__}); its bytes are kept."
    return Refusal(Reason.UNEXPECTED, sentence, name)


# RFC 7489 section 7.2.1.1, RFC 9990 section 4.1.1.
_REPORT_SUBJECT = re.compile(rb"^Subject:\s*Report[ -]Domain:", re.IGNORECASE | re.MULTILINE)


_PACKED_AS = "Reports come as gzip or zip (RFC 9990 section 4.1.1): see what packed it again on the way."


# What Outlook writes is UTF-16.
_REPORT_SUBJECT_16 = re.compile(re.sub("(.)", r"\1\\x00", "Report Domain:").encode(), re.IGNORECASE)
_SAVE_AS = "Save it from Outlook as .eml, or have the mailbox itself read with 'whosends poll'."


def _announces(message: Message, document: Document | None = None) -> bool:
    if document is not None and is_outlook(document) and _REPORT_SUBJECT_16.search(document.data):
        return True
    return _REPORT_SUBJECT.search(message.raw, 0, HEADER_LIMIT) is not None


def _sentence(message: Message, others: list[str]) -> str:
    """What a message is that holds no report."""
    if not message.raw.strip():
        return "It is empty."
    kinds = [other for other in others if other != NO_REPORT][:3]
    if not is_mail(message.raw, message.origin):
        return f"It is {', '.join(kinds) or NO_REPORT}.{f' {_SAVE_AS}' if OUTLOOK in kinds else ''}"
    if _announces(message):
        return "Its subject announces a report, but none is attached."
    if instead := described_mail(message.raw):
        return f"It is {instead}."
    return f"It is a mail without a report ({', '.join(kinds)})." if kinds else "It is a mail without a report."
