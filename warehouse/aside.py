"""A stored report that another one takes the place of: what it says goes to quarantine, so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingest.inputs.base import Message
from ingest.outcome import Quarantined, Reason
from warehouse import documents, journal, quarantine
from warehouse.connect import Connection

ACTOR = "whosends"


@dataclass(frozen=True, slots=True)
class Replaced:
    """The report: what it is called ("Report 7"), its document's hash, where that came from and when (naive UTC)."""

    name: str
    document_hash: str
    origin: str
    received_at: datetime | None


def put_aside(
    connection: Connection, one: Replaced, sentence: str, stood: journal.State, stands: journal.State, now: datetime
) -> None:
    """Keep its document in quarantine, and note in the journal what stood there and what stands there now.

    The document is there still: whoever takes the report away forgets it then. `now` is naive UTC.
    """
    document = documents.of(connection, one.document_hash) or b""
    message = Message(document, one.origin, len(document), one.received_at)
    quarantine.keep(connection, message, Quarantined(Reason.CONFLICT, sentence), now)
    journal.append(connection, journal.Entry(now, ACTOR, "report.replace", one.name.lower(), stood, stands))
