"""How a batch of messages ends: rows, quarantine, cursors and notes, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

import pyarrow as pa

from ingest.attestation import NOT_CHECKED, Attestation
from ingest.inputs.base import Message
from ingest.outcome import Duplicate, NotAReport, Outcome, Quarantined, Reason, Stored
from ingest.reading import Reading
from warehouse import attested, cursors, deliveries, documents, failures, quarantine, tls
from warehouse.connect import Connection, insert
from warehouse.instants import utc
from warehouse.once import Ended
from warehouse.rows import Arrived, document_hash, staged, table
from warehouse.save import CONFLICT, NEW, SUPERSEDED, save
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


def settle(
    connection: Connection,
    read: Sequence[tuple[Message, Reading]],
    terms: Terms,
    vouched: Sequence[Sequence[Attestation]] = (),
) -> Settled:
    """Save what was read, in the caller's transaction. Every message ends in exactly one outcome.

    `vouched` tells for each message, and for each of its aggregate reports, who vouches for it; empty
    where nobody asked.
    """
    arrived, texts = [], []
    attestations = chain.from_iterable(vouched)
    for message, reading in read:
        for item in reading.reports:
            identity = document_hash(item.document)
            attestation = next(attestations, NOT_CHECKED)
            arrived.append(Arrived(item.report, identity, message.origin, message.received_at, attestation))
            texts.append((identity, item.document))
    tables = staged(arrived)
    saved = save(connection, tables, terms.run_key, terms.now, terms.identify)
    fresh = [index for index, status in enumerate(saved.status) if status == NEW]
    if terms.keep_documents:
        told = [text for text, status in zip(texts, saved.status, strict=True) if status in (NEW, SUPERSEDED)]
        documents.keep(connection, dict(told).items())
    attested.renew(connection, tables, saved, terms.now, terms.identify)
    others = _Others(
        tls.save(connection, [(m, item) for m, r in read for item in r.tls_reports], terms),
        failures.save(connection, [(m, item) for m, r in read for item in r.failure_reports], terms),
        deliveries.save(connection, [(m, item) for m, r in read for item in r.notices], terms),
    )
    aggregate = list(map(Ended, saved.status, saved.report_key))
    outcomes = _outcomes(read, aggregate, others)
    _note(connection, read, outcomes, terms)
    return Settled(
        outcomes,
        sum(len(arrived[index].report.records) for index in fresh),
        sum(arrived[index].report.messages for index in fresh),
        *(sum(ended.status == NEW for ended in kind) for kind in others),
    )


class _Others(NamedTuple):
    """What became of the reports of the other kinds, in the order they were read."""

    tls: list[Ended]
    failures: list[Ended]
    notices: list[Ended]


def _outcomes(read: Sequence[tuple[Message, Reading]], aggregate: list[Ended], others: _Others) -> list[Outcome]:
    kinds = [iter(kind) for kind in (aggregate, *others)]
    outcomes = []
    for _, reading in read:
        found = reading.reports, reading.tls_reports, reading.failure_reports, reading.notices
        counts = [len(reports) for reports in found]
        ended = [one for kind, count in zip(kinds, counts, strict=True) for one in islice(kind, count)]
        outcomes.append(_outcome(reading, ended))
    return outcomes


def _outcome(reading: Reading, ended: Sequence[Ended]) -> Outcome:
    status = [one.status for one in ended]
    new = status.count(NEW)
    if reading.refusals:
        refusal = reading.refusals[0]
        return Quarantined(Reason(refusal.reason), refusal.sentence, new, refusal.opinion)
    if CONFLICT in status:
        at = status.index(CONFLICT)
        what = f"{'Report' if at < len(reading.reports) else 'TLS report'} {ended[at].key}"
        sentence = f"{what} was stored before under the same id and period, with other content; that one stays."
        return Quarantined(Reason.CONFLICT, sentence, new)
    if new or SUPERSEDED in status:
        return Stored(new, len(status) - new)
    return Duplicate(len(status)) if status else NotAReport(reading.sentence or "Nothing in it is a report.")


def _note(
    connection: Connection, read: Sequence[tuple[Message, Reading]], outcomes: Sequence[Outcome], terms: Terms
) -> None:
    rows = []
    for (message, _), outcome in zip(read, outcomes, strict=True):
        if isinstance(outcome, Quarantined):
            quarantine.keep(connection, message, outcome, terms.now)
        rows.append(_message_row(message, outcome, terms))
    insert(connection, "message", table(MESSAGE, rows))
    cursors.advance(connection, [message for message, _ in read], terms.now)


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
