"""A message in, what it says out: pure, so that a worker process or a test can run it unchanged."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from ingest.errors import MalformedReport
from ingest.inputs.base import Message
from ingest.message import Budget, Document, documents, is_mail
from ingest.mime import HEADER_LIMIT
from ingest.outcome import Reason
from ingest.reports import mending
from ingest.reports.aggregate import AggregateReport, parse
from ingest.settings import UnpackLimits
from ingest.sniff import NO_REPORT, Kind, described, kind
from ingest.unpack import unpack

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A parsed report together with the document it was parsed from (unpacked XML bytes)."""

    report: AggregateReport
    document: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that was refused: `reason` is an outcome.Reason, `name` the part's or member's name."""

    reason: str
    sentence: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one message says. Neither reports nor refusals: it is not a report."""

    reports: list[ReadReport] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    sentence: str = ""  # what it is instead, where it is no report


def read(message: Message, limits: UnpackLimits) -> Reading:
    """Read one message: walk it, unpack it, and parse every aggregate report in it.

    Never raises for what a message holds. A report that cannot be read becomes a Refusal and does not
    keep others in the same message from being read.
    """
    if message.fault:
        return Reading(refusals=[Refusal(Reason.UNREADABLE, message.fault)])
    if len(message.raw) < message.size:
        sentence = f"It has {message.size} bytes, more than the {limits.message_bytes} that are read."
        return Reading(refusals=[Refusal(Reason.TOO_LARGE, sentence)])
    reading = Reading()
    others: dict[str, None] = {}
    for document in _unpacked(message, Budget(limits), reading.refusals):
        found = kind(document)
        if found is Kind.AGGREGATE:
            _parse_into(reading, document)
        else:
            others[_OTHER_KINDS.get(found) or described(document)] = None
    if reading.reports or reading.refusals:
        return reading
    return Reading(sentence=_sentence(message, list(others)))


def _unpacked(message: Message, budget: Budget, refusals: list[Refusal]) -> Iterator[Document]:
    name = message.origin.replace("\\", "/").rpartition("/")[2]
    for document in _until_refused(documents(message.raw, name, budget), refusals, name):
        yield from _until_refused(unpack(document, budget), refusals, document.name)


def _parse_into(reading: Reading, document: Document) -> None:
    for part in mending.split(document.data):
        # The same report as text and as attachment is one report.
        if any(part == known.document for known in reading.reports):
            continue
        for report in _until_refused(map(parse, (part,)), reading.refusals, document.name):
            reading.reports.append(ReadReport(report, part))


def _until_refused(found: Iterator[T], refusals: list[Refusal], name: str) -> Iterator[T]:
    """Pass on what `found` yields; where it raises, note the refusal and end."""
    while True:
        try:
            item = next(found)
        except StopIteration:
            return
        except MalformedReport as refused:
            refusals.append(Refusal(refused.reason, str(refused), name))
            return
        except Exception as fault:
            # The last resort, MemoryError and RecursionError included: a stranger's mail must not stop
            # the run. Its bytes go to quarantine and wait for the fix.
            log.warning("message.unexpected name=%r", name, exc_info=True)
            sentence = f"Reading it failed in a way that nobody foresaw ({type(fault).__name__}); its bytes are kept."
            refusals.append(Refusal(Reason.UNEXPECTED, sentence, name))
            return
        yield item


# RFC 7489 section 7.2.1.1, RFC 9990 section 4.1.1.
_REPORT_SUBJECT = re.compile(rb"^Subject:\s*Report[ -]Domain:", re.IGNORECASE | re.MULTILINE)
_OTHER_KINDS = {
    Kind.TLS: "an SMTP TLS report",
    Kind.FAILURE: "a failure report",
    Kind.DSN: "a delivery status notification",
}


def _sentence(message: Message, others: list[str]) -> str:
    """What a message is that holds no aggregate report."""
    if not message.raw.strip():
        return "It is empty."
    reports = [other for other in others if other in _OTHER_KINDS.values()]
    if reports:
        return f"It is {' and '.join(reports)}, not an aggregate report."
    kinds = [other for other in others if other != NO_REPORT][:3]
    if not is_mail(message.raw, message.origin):
        return f"It is {', '.join(kinds) or NO_REPORT}."
    if _REPORT_SUBJECT.search(message.raw, 0, HEADER_LIMIT):
        return "Its subject announces a report, but none is attached."
    return f"It is a mail without a report ({', '.join(kinds)})." if kinds else "It is a mail without a report."
