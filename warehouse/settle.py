"""How a batch of messages ends: rows, quarantine, cursors and notes, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingest.inputs.base import Message
from ingest.outcome import Duplicate, NotAReport, Outcome, Quarantined, Reason, Stored
from ingest.reading import Reading
from warehouse import attested, cursors, deliveries, failures, marks, quarantine, tls
from warehouse.connect import Connection, insert
from warehouse.instants import utc
from warehouse.once import Ended
from warehouse.portion import Portion
from warehouse.rows import table
from warehouse.save import CONFLICT, NEW, RAISED, SUPERSEDED, Saved, save
from warehouse.terms import Terms

MESSAGE = pa.schema(
    [
        ("run_key", pa.int64()),
        ("origin", pa.string()),
        ("size", pa.int64()),
        ("received_at", pa.timestamp("us")),
        ("seen_at", pa.timestamp("us")),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("sentence", pa.string()),
        ("reports", pa.int32()),
    ]
)
OUTCOMES = {Stored: "stored", Duplicate: "duplicate", Quarantined: "quarantined", NotAReport: "not_a_report"}


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of each message, in order, and how much of each kind is new."""

    outcomes: list[Outcome]
    records: int
    messages: int
    tls_reports: int = 0
    failure_reports: int = 0
    notices: int = 0


def settle(connection: Connection, portion: Portion, terms: Terms) -> Settled:
    """Save what was read, in the caller's transaction. Every message ends in exactly one outcome."""
    tables, read = portion.staged, list(zip(portion.messages, portion.readings, strict=True))
    saved = save(connection, tables, terms.run_key, terms.now, terms.identify)
    _keep_documents(connection, portion, saved)
    attested.renew(connection, tables, saved, terms.now, terms.identify)
    marks.change(connection, _changed(tables.reports, saved))
    others = _Others(
        tls.save(connection, [(m, item) for m, r in read for item in r.tls_reports], terms),
        failures.save(connection, [(m, item) for m, r in read for item in r.failure_reports], terms),
        deliveries.save(connection, [(m, item) for m, r in read for item in r.notices], terms),
    )
    aggregate = list(map(Ended, saved.status, saved.report_key))
    outcomes = _outcomes(portion, aggregate, others)
    _note(connection, portion.messages, outcomes, terms)
    fresh = tables.reports.filter(pa.array([status == NEW for status in saved.status], pa.bool_()))
    return Settled(
        outcomes,
        *(int(pc.sum(fresh.column(name)).as_py() or 0) for name in ("records", "messages")),
        *(sum(ended.status == NEW for ended in kind) for kind in others),
    )


def _changed(reports: pa.Table, saved: Saved) -> Iterator[str]:
    """The domains about which anything is stored now that was not before. What takes another's place is about its."""
    for domain, status in zip(reports.column("domain").to_pylist(), saved.status, strict=True):
        if status in (NEW, RAISED, SUPERSEDED):
            yield domain


def _keep_documents(connection: Connection, portion: Portion, saved: Saved) -> None:
    """Keep the documents of new reports, each once."""
    new = zip(portion.documents.column("document_hash").to_pylist(), count(), saved.status, strict=False)
    first = {name: at for name, at, status in new if status in (NEW, SUPERSEDED)}
    if first:
        insert(connection, "raw_document", portion.documents.take(pa.array(first.values(), pa.int64())))


class _Others(NamedTuple):
    """What became of the reports of the other kinds, in the order they were read."""

    tls: list[Ended]
    failures: list[Ended]
    notices: list[Ended]


def _outcomes(portion: Portion, aggregate: list[Ended], others: _Others) -> list[Outcome]:
    kinds = [iter(kind) for kind in (aggregate, *others)]
    outcomes = []
    for reading, reports in zip(portion.readings, portion.counts, strict=True):
        counts = reports, len(reading.tls_reports), len(reading.failure_reports), len(reading.notices)
        ended = [one for kind, number in zip(kinds, counts, strict=True) for one in islice(kind, number)]
        outcomes.append(_outcome(reading, reports, ended))
    return outcomes


def _outcome(reading: Reading, reports: int, ended: Sequence[Ended]) -> Outcome:
    status = [one.status for one in ended]
    new = status.count(NEW)
    if reading.refusals:
        refusal = reading.refusals[0]
        return Quarantined(Reason(refusal.reason), refusal.sentence, new, refusal.opinion)
    if CONFLICT in status:
        at = status.index(CONFLICT)
        what = f"{'Report' if at < reports else 'TLS report'} {ended[at].key}"
        sentence = f"{what} was stored before under the same id and period, with other content; that one stays."
        return Quarantined(Reason.CONFLICT, sentence, new)
    if new or SUPERSEDED in status:
        return Stored(new, len(status) - new)
    return Duplicate(len(status)) if status else NotAReport(reading.sentence or "Nothing in it is a report.")


def _note(connection: Connection, messages: Sequence[Message], outcomes: Sequence[Outcome], terms: Terms) -> None:
    rows = []
    for message, outcome in zip(messages, outcomes, strict=True):
        if isinstance(outcome, Quarantined):
            quarantine.keep(connection, message, outcome, terms.now)
        rows.append(_message_row(message, outcome, terms))
    insert(connection, "message", table(MESSAGE, rows))
    cursors.advance(connection, messages, terms.now)


def _message_row(message: Message, outcome: Outcome, terms: Terms) -> tuple[object, ...]:
    return (
        terms.run_key,
        message.origin,
        message.size,
        utc(message.received_at),
        terms.now,
        OUTCOMES[type(outcome)],
        outcome.reason.value if isinstance(outcome, Quarantined) else None,
        outcome.sentence if isinstance(outcome, Quarantined | NotAReport) else None,
        outcome.reports if isinstance(outcome, Stored | Quarantined) else 0,
    )
