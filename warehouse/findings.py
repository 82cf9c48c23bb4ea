"""What becomes of each finding: one record a cause, its state, and who changed it (in the journal)."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from warehouse import journal
from warehouse.connect import Connection
from warehouse.errors import FindingRefused

STATES = ("open", "fixed", "verified", "closed")
# What the journal tells of a change; the rest of a record is what reports say at the moment.
JOURNALED = ("state", "owner", "note", "snoozed_until", "fixed_on", "reason")


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One cause. `found` says whether it was there when somebody looked last.

    `state` is open, fixed (somebody says so), verified (reports show it) or closed, since `changed_on` and for
    `reason`. `owner` is who it was given to, `source_owner` the owner of its source. `fixed_on` is the last
    day that may still show the fault. `worst` is its severity when it was closed.
    """

    finding_key: str
    kind: str
    code: str
    domain: str
    source_key: str | None
    severity: str
    impact: float
    messages: int
    since: date
    title: str
    why: str
    fix: str
    page: str
    source_owner: str | None
    state: str
    reason: str
    opened_on: date
    changed_on: date
    last_found_on: date
    found: bool
    owner: str | None = None
    note: str | None = None
    snoozed_until: date | None = None
    fixed_on: date | None = None
    worst: str | None = None
    reopened: int = 0

    def snoozed(self, today: date) -> bool:
        """Whether nobody wants to hear of it yet."""
        return self.snoozed_until is not None and self.snoozed_until >= today


NAMES = tuple(one.name for one in fields(FindingRecord))


@dataclass(frozen=True, slots=True)
class Move:
    """A change of one record: what it is afterwards, and the journal's word for it; '' for news of no note."""

    action: str
    record: FindingRecord


def every(connection: Connection) -> dict[str, FindingRecord]:
    """All records by their keys."""
    rows = connection.execute(f"SELECT {', '.join(NAMES)} FROM finding ORDER BY finding_key").fetchall()
    return {row[0]: FindingRecord(*row) for row in rows}


def named(connection: Connection, text: str) -> FindingRecord:
    """The record with this key, or the only one whose key begins so. Raises FindingRefused."""
    wanted = text.strip().lower()
    records = every(connection)
    found = [key for key in records if key == wanted] or [key for key in records if wanted and key.startswith(wanted)]
    if len(found) == 1:
        return records[found[0]]
    if found:
        raise FindingRefused(f"{len(found)} findings begin with {text!r}.", f"Among them: {', '.join(found[:5])}.")
    raise FindingRefused(f"There is no finding {text!r}.", "'whosends findings' lists them with their ids.")


def keep(connection: Connection, move: Move, actor: str, now: datetime) -> None:
    """Write a record, and what changed in it into the journal, in the caller's transaction. `now` is naive UTC."""
    record = move.record
    before = exactly(connection, record.finding_key)
    connection.execute("DELETE FROM finding WHERE finding_key = ?", [record.finding_key])
    marks = ", ".join("?" for _ in NAMES)
    connection.execute(f"INSERT INTO finding ({', '.join(NAMES)}) VALUES ({marks})", list(astuple(record)))
    if move.action:
        entry = journal.Entry(now, actor, move.action, record.finding_key, _state(before), _state(record))
        journal.append(connection, entry)


def exactly(connection: Connection, key: str) -> FindingRecord | None:
    """The record with exactly this key."""
    row = connection.execute(f"SELECT {', '.join(NAMES)} FROM finding WHERE finding_key = ?", [key]).fetchone()
    return FindingRecord(*row) if row else None


def change(connection: Connection, key: str, action: str, actor: str, now: datetime, **values: Any) -> FindingRecord:
    """What a person changes: owner, note, snoozed_until or state. `action` is the journal's word."""
    record = named(connection, key)
    if "state" in values:
        if record.state == values["state"]:
            raise FindingRefused(f"{record.finding_key} is {record.state} already.")
        values |= {"changed_on": now.date(), "worst": record.severity}
    changed = replace(record, **values)
    keep(connection, Move(action, changed), actor, now)
    return changed


def _state(record: FindingRecord | None) -> journal.State | None:
    if record is None:
        return None
    values = {name: getattr(record, name) for name in JOURNALED}
    return {name: None if value is None else str(value) for name, value in values.items()}


def untold(connection: Connection) -> list[str]:
    """The keys of records that are not as the journal last told of them: its end was cut off, or they were changed."""
    rows = connection.execute(
        "SELECT subject, arg_max(after, entry_key)::VARCHAR FROM journal WHERE action LIKE 'finding.%' GROUP BY subject"
    ).fetchall()
    told = {key: json.loads(after) for key, after in rows if after}
    return [key for key, record in every(connection).items() if told.get(key) != _state(record)]


def rewind(connection: Connection, at: datetime) -> None:
    """Put every record into the state that the journal tells of at an instant; what was not told of yet goes."""
    rows = connection.execute(
        """
        SELECT subject, arg_max(after, entry_key)::VARCHAR, max(written_at)::DATE FROM journal
        WHERE action LIKE 'finding.%' AND written_at <= ? GROUP BY subject
        """,
        [at],
    ).fetchall()
    told = {key: (json.loads(after), on) for key, after, on in rows}
    for key in every(connection):
        if key not in told:
            connection.execute("DELETE FROM finding WHERE finding_key = ?", [key])
            continue
        after, on = told[key]
        columns = ", ".join(f"{name} = ?" for name in JOURNALED)
        values = [after.get(name) for name in JOURNALED]
        connection.execute(f"UPDATE finding SET {columns}, changed_on = ? WHERE finding_key = ?", [*values, on, key])


def owners(connection: Connection) -> dict[str, set[str]]:
    """Everybody whom a finding or a decision about a source names as an owner, and the domains that it is about."""
    rows = connection.execute(
        """
        SELECT owner, domain FROM finding UNION SELECT source_owner, domain FROM finding
        UNION SELECT owner, domain FROM source_decision
        """
    ).fetchall()
    found = dict[str, set[str]]()
    for owner, domain in rows:
        if owner:
            found.setdefault(owner, set()).add(domain)
    return found
