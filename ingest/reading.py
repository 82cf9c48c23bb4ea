"""A message in, what it says out: pure, so that a worker process or a test can run it unchanged."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from ingest.errors import MalformedReport
from ingest.inflated import Inflated
from ingest.inputs.base import Message
from ingest.message import REPORT_TYPE, Budget, Document, documents, is_mail, packing
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
from ingest.sniff import NO_REPORT, Kind, claims, described, kind
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
    # What a notice returns is not addressed to us, however it is packed.
    terms = _Terms(privacy, second)
    if is_mail(message.raw, message.origin) and _read_notice(reading, message.raw, terms):
        return reading
    others: dict[str, None] = {}
    for document in _unpacked(message, Budget(limits), reading.refusals):
        if not _parse_into(reading, document, terms):
            others[described(document)] = None
            if packing(document) and (claims(document) or _announces(message)):
                what = f"What seems to be a report is {described(document)}."
                fault = MalformedReport(Reason.BROKEN_ARCHIVE, what, _PACKED_AS)
                reading.refusals.append(_refusal(fault, document.name))
    return reading if reading.is_report else Reading(sentence=_sentence(message, list(others)))


class _Terms(NamedTuple):
    """What a message is read under."""

    privacy: Privacy
    second: Ask


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


def _unpacked(message: Message, budget: Budget, refusals: list[Refusal]) -> Iterator[Document]:
    name = message.origin.replace("\\", "/").rpartition("/")[2]
    for document in _until_refused(documents(message.raw, name, budget), refusals, name):
        yield from _until_refused(unpack(document, budget), refusals, document.name)


def _parse_into(reading: Reading, document: Document, terms: _Terms) -> bool:
    """Parse a document into the list of its kind; False where it does not claim to be a report."""
    if document.content_type == REPORT_TYPE:
        return _read_notice(reading, document.data, terms)
    name = document.name
    match kind(document):
        case Kind.AGGREGATE:
            refused = _Refused(reading.refusals, name, terms.second, AGGREGATE)
            if not _read_packed(reading, document, refused):
                data = document.data
                for part in mending.split(data):
                    # One of several in a document is no stream by itself.
                    deflated = document.deflated if part is data else b""
                    _append(reading.reports, _repairing(parse, document), part, refused, deflated)
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


def _repairing(parse: Callable[[D], P], document: Document) -> Callable[[D], P]:
    """What reads a report, and adds what was put right before it was parsed."""
    if not document.repair:
        return parse
    repair = Repair(document.repair, "its checksum is cut off", ARCHIVE)

    def parse_repaired(data: D) -> P:
        report: P = parse(data)
        return replace(report, repairs=(*report.repairs, repair))

    return parse_repaired


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
        if refused.form and refusal.reason in ASKED:
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


def _announces(message: Message) -> bool:
    return _REPORT_SUBJECT.search(message.raw, 0, HEADER_LIMIT) is not None


def _sentence(message: Message, others: list[str]) -> str:
    """What a message is that holds no report."""
    if not message.raw.strip():
        return "It is empty."
    kinds = [other for other in others if other != NO_REPORT][:3]
    if not is_mail(message.raw, message.origin):
        return f"It is {', '.join(kinds) or NO_REPORT}."
    if _announces(message):
        return "Its subject announces a report, but none is attached."
    if instead := described_mail(message.raw):
        return f"It is {instead}."
    return f"It is a mail without a report ({', '.join(kinds)})." if kinds else "It is a mail without a report."
