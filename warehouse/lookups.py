"""What DNS answered on the way to DMARC records: kept with its times, so that a look without DNS has it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from warehouse import dns
from warehouse.answers import Answers
from warehouse.answers import keep as keep_answers
from warehouse.connect import Connection
from warehouse.instants import naive

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 86_400  # seconds for which an answer counts as fresh, whatever its TTL says
DEFAULT = 300  # seconds, where DNS names no TTL
KEPT = 20  # records of one answer


def _columns() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - whoever only reads need not load it

    return pa.schema([
        *((name, pa.string()) for name in ("name", "rdtype")),
        ("name_exists", pa.bool_()),
        ("records", pa.list_(pa.string())),
        *((name, pa.timestamp("us")) for name in ("first_seen_at", "last_seen_at", "fresh_until")),
    ])  # fmt: skip


ANSWERS = Answers("dmarc_lookup", "current_dmarc_lookup", _columns, asked=2)

Question = tuple[str, str]


class Told(dns.Told, Protocol):
    """An answer of DNS, of which `values` are the DMARC records alone."""

    @property
    def exists(self) -> bool: ...  # noqa: D102
    @property
    def ttl(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Lookup:
    """An answer as it is kept; instants in naive UTC. `first_seen_at` is since when it is the same."""

    exists: bool
    records: tuple[str, ...]
    first_seen_at: datetime
    last_seen_at: datetime
    fresh_until: datetime


def lookup(answer: Told, now: datetime) -> Lookup:
    """An answer that was given now, as it is kept."""
    at, seconds = naive(now), DEFAULT if answer.ttl is None else answer.ttl
    until = at + timedelta(seconds=min(seconds, MOST))
    return Lookup(answer.exists, tuple(sorted(answer.values)[:KEPT]), at, at, until)


def keep(connection: Connection, answers: Iterable[Told], now: datetime) -> int:
    """Keep answers; how many differ from what was known."""
    kept = {(one.name, one.rdtype): lookup(one, now) for one in answers}
    rows = [
        (*question, one.exists, list(one.records), one.first_seen_at, one.last_seen_at, one.fresh_until)
        for question, one in kept.items()
    ]
    return keep_answers(connection, ANSWERS, rows)


def known(connection: Connection, questions: Iterable[Question]) -> Mapping[Question, Lookup]:
    """The latest answers to these questions, as far as there are any."""
    asked = list(dict.fromkeys(questions))
    rows = connection.execute(
        """
        SELECT name, rdtype, name_exists, records, first_seen_at, last_seen_at, fresh_until
        FROM current_dmarc_lookup
             JOIN (SELECT unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS rdtype) USING (name, rdtype)
        """,
        [[name for name, _ in asked], [rdtype for _, rdtype in asked]],
    ).fetchall()
    return {
        (name, rdtype): Lookup(exists, tuple(records), first, last, until)
        for name, rdtype, exists, records, first, last, until in rows
    }


def news(connection: Connection) -> tuple[int, datetime | None]:
    """How many answers are kept, and when the newest was given: the same while nothing was asked."""
    row = connection.execute("SELECT count(*), max(last_seen_at) FROM dmarc_lookup").fetchone()
    return (int(row[0]), row[1]) if row else (0, None)
