"""What must hold whatever the bytes are. Each claim raises Broken where it does not."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

from ingest.errors import MalformedReport
from ingest.inputs.base import Message
from ingest.message import Budget, documents
from ingest.outcome import Reason
from ingest.reading import Reading, read
from ingest.reports.aggregate import AggregateReport, parse
from ingest.second_opinion import Ask, ask, nobody
from ingest.settings import UnpackLimits
from ingest.sniff import kind
from ingest.unpack import unpack
from tests.fuzz import counting
from tests.fuzz.cold import Cold, answer
from tests.ingest.writer import write

LIMITS = UnpackLimits()
COUNT_LIMIT = 2**43
TEXT_LIMIT = 2**16  # characters of any text that leaves the reader
_TREE_ALONE = 70_000  # blanks that make any document one that is read in pieces


class Broken(Exception):
    """A claim that does not hold: its name, and what was found."""

    def __init__(self, claim: str, found: object = "") -> None:
        super().__init__(f"{claim}: {str(found)[:2000]}")
        self.claim = claim


@dataclass(frozen=True, slots=True)
class Looked:
    """What reading gave, and what it was like: the same signature for what behaves alike."""

    reading: Reading
    signature: frozenset[str]


def check(raw: bytes, document: bytes, form: str, cold: Cold | None) -> Looked:
    """All claims about one message. `document` is what was packed into it, of a form that `seeds` names.

    What takes another process, `cold` and parsedmarc, is asked where `cold` is given.
    """
    hops(raw)
    found = _read(raw)
    again = _read(raw, ask if cold else nobody)
    if replace(again, refusals=[replace(one, opinion=None) for one in again.refusals]) != found:
        raise Broken("deterministic", "the second reading differs")
    for one in again.refusals:
        if one.opinion is not None and not one.opinion.sentence.isprintable():
            raise Broken("texts are inert", one.opinion)
    ends_somewhere(found)
    inert(found)
    for item in found.reports:
        of_aggregate(item.report, item.document)
    for tls in found.tls_reports:
        most = counting.sessions(tls.document)
        said = tls.report.total_successful_session_count + tls.report.total_failure_session_count
        if most is not None and said > most:
            raise Broken("invents no sessions", f"{said} > {most}")
    for name in {"xml": ("aggregate",), "json": ("tls",)}.get(form, ()):
        alike_without_memory(name, document, cold)
    return Looked(found, frozenset(_signature(found)))


# -- reading ---------------------------------------------------------------------------------------


class _Heard(logging.Handler):
    """Keeps the traceback that the reader logs before it calls something unexpected."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.told = logging.Formatter().format(record)


_heard = _Heard()
logging.getLogger("ingest").addHandler(_heard)
logging.getLogger("ingest").propagate = False


def _read(raw: bytes, second: Ask = nobody) -> Reading:
    _heard.told = ""
    try:
        found = read(Message(raw, "fuzz", len(raw)), LIMITS, second=second)
    except Exception as fault:
        raise Broken("never raises", repr(fault)) from fault
    if Reason.UNEXPECTED in {one.reason for one in found.refusals}:
        raise Broken("nothing is unexpected", _heard.told)
    return found


def hops(raw: bytes) -> None:
    """The hops one by one raise nothing but refusals."""
    budget = Budget(LIMITS)
    try:
        for document in documents(raw, "fuzz", budget):
            for unpacked in unpack(document, budget):
                kind(unpacked)
    except MalformedReport:
        pass
    except Exception as fault:
        raise Broken("hops raise refusals alone", repr(fault)) from fault


def ends_somewhere(found: Reading) -> None:
    """It is a report, refused, or said to be none: one of them, with known reasons and a sentence."""
    if found.is_report == bool(found.sentence):
        raise Broken("ends in one way", (found.is_report, found.sentence))
    for one in found.refusals:
        if one.reason not in set(Reason) or not one.sentence:
            raise Broken("refusals have a reason and a sentence", one)


# -- texts -----------------------------------------------------------------------------------------


def inert(found: Reading) -> None:
    """No text that leaves the reader holds what a terminal, a log or a screen acts upon."""
    said = [found.sentence, *(one.sentence for one in found.refusals), *(one.name for one in found.refusals)]
    for items in (found.reports, found.tls_reports, found.failure_reports, found.notices):
        said += [text for item in items for text in _texts(item.report)]
    for text in said:
        if not text.isprintable() or len(text) > TEXT_LIMIT:
            raise Broken("texts are inert", repr(text[:300]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _texts(one)
    elif is_dataclass(value):
        for name in value.__dataclass_fields__:
            yield from _texts(getattr(value, name))


# -- aggregate reports -----------------------------------------------------------------------------


def of_aggregate(report: AggregateReport, document: bytes) -> None:
    """Its numbers are the document's, and it is the same however it is read."""
    if report.messages != sum(one.messages for one in report.records) or report.messages > COUNT_LIMIT:
        raise Broken("sums", report.messages)
    if any(not 0 < one.messages <= COUNT_LIMIT for one in report.records):
        raise Broken("counts are positive", [one.messages for one in report.records][:10])
    counted = counting.exact(document)
    if counted is not None and counted != report.messages:
        raise Broken("counts what expat counts", f"{report.messages}, not {counted}")
    if counted is None and report.messages > (most := counting.most(document)):
        raise Broken("invents no messages", f"{report.messages} > {most}")
    in_pieces(report, document)
    comes_back(report)


def in_pieces(report: AggregateReport, document: bytes) -> None:
    """Blanks between records make it long, and change nothing else."""
    end = document.find(b"</record>")
    if end < 0 or b"<!" in document or document.count(b"</record>") > 100 or len(document) > 65_536:
        return
    padded = document[: end + 9] + b" " * _TREE_ALONE + document[end + 9 :]
    found = answer("aggregate", padded)
    # What is told of a repair may hold a number of bytes.
    if not isinstance(found, AggregateReport) or _plain(found) != _plain(report):
        raise Broken("long and short are read alike", found)


def _plain(report: AggregateReport) -> AggregateReport:
    # That of the archive was made before the document was parsed.
    repairs = (repair._replace(what="") for repair in report.repairs if repair.where != "archive")
    return replace(report, repairs=tuple(repairs))


def comes_back(report: AggregateReport) -> None:
    """What was read, written by the letter of the standard, is read as the same."""
    before = values(report)
    if not report.records or not report.report_metadata.report_id:
        return
    try:
        after = values(parse(write(before, report.schema)))
    except MalformedReport as refused:
        raise Broken("what was read can be written and read", refused) from None
    if before != after:
        raise Broken("what was read comes back", _difference(before, after))


def values(report: AggregateReport) -> dict[str, Any]:
    """A parsed report in the terms of tests.ingest.writer."""
    metadata = asdict(report.report_metadata)
    metadata["begin"] = int(metadata.pop("begin_at").timestamp())
    metadata["end"] = int(metadata.pop("end_at").timestamp())
    records = [one._asdict() for one in report.records]
    return {
        "metadata": metadata,
        "policy": asdict(report.policy_published),
        "records": records,
        "version": report.version,
    }


def _difference(before: Any, after: Any, where: str = "") -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in before if before[key] != after.get(key)]
        return "; ".join(_difference(before[key], after.get(key), f"{where}.{key}") for key in keys[:3])
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return _difference(dict(enumerate(before)), dict(enumerate(after)), where)
    return f"{where} {before!r} → {after!r}"


def alike_without_memory(name: str, document: bytes, cold: Cold | None) -> None:
    """A parser that has read thousands of documents says what one says that has read none."""
    if cold is None:
        return
    warm, fresh = answer(name, document), cold.answer(name, document)
    if warm != fresh:
        raise Broken("memory changes nothing", f"warm {str(warm)[:900]} cold {str(fresh)[:900]}")


def _signature(found: Reading) -> Iterator[str]:
    yield from (f"refused {one.reason} {re.sub('[^A-Za-z ]', '', one.sentence)[:40]}" for one in found.refusals)
    for kind_, items in (
        ("a", found.reports),
        ("t", found.tls_reports),
        ("f", found.failure_reports),
        ("n", found.notices),
    ):
        for item in items:
            yield kind_
            yield from (f"{kind_} {repair.code} {repair.where[:30]}" for repair in item.report.repairs)
    yield found.sentence[:30]
