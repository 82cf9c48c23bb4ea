"""What people decide about sources: rows are only added, each with its entry in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from warehouse import journal
from warehouse.connect import Connection
from warehouse.errors import DecisionRefused
from warehouse.rows import naive

DECISIONS = ("approved", "forwarder", "spoof", "retired")
UNDECIDED = "undecided"
FIELDS = ("domain", "source_key", "decision", "decided_by", "owner", "note", "until")


@dataclass(frozen=True, slots=True)
class SourceDecision:
    """A decision about one source of one domain; `until` is its last day, None for no end."""

    domain: str
    source_key: str
    decision: str
    decided_by: str
    owner: str | None = None
    note: str | None = None
    until: date | None = None


def decide(connection: Connection, decision: SourceDecision, now: datetime) -> None:
    """Record a decision, at an aware instant, in the caller's transaction.

    Raises DecisionRefused for a source that no report names, or a word that is no decision.
    """
    if decision.decision not in DECISIONS:
        raise DecisionRefused(f"There is no decision {decision.decision!r}.", f"Use one of {', '.join(DECISIONS)}.")
    known = connection.execute(
        "SELECT 1 FROM daily WHERE domain = ? AND source_key = ? LIMIT 1", [decision.domain, decision.source_key]
    ).fetchone()
    if not known:
        raise DecisionRefused(
            f"No report names a source {decision.source_key!r} for {decision.domain!r}.",
            "'whosends sources' lists the keys.",
        )
    _record(connection, decision, naive(now))


def undo(connection: Connection, domain: str, source_key: str, actor: str, now: datetime) -> None:
    """Take the decision that counts back: the one before it, if any, counts again."""
    current = _current(connection, domain, source_key)
    if current is None:
        raise DecisionRefused(f"There is no decision about {source_key!r} for {domain!r} to take back.")
    _record(connection, SourceDecision(domain, source_key, UNDECIDED, actor), naive(now), undoes=current[0])


def _record(connection: Connection, decision: SourceDecision, now: datetime, undoes: int | None = None) -> None:
    before = _state(connection, decision)
    values = [getattr(decision, name) for name in FIELDS]
    connection.execute(
        f"""
        INSERT INTO source_decision (decision_key, {", ".join(FIELDS)}, decided_at, undoes)
        VALUES (nextval('decision_key_seq'), ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [*values, now, undoes],
    )
    subject = f"{decision.domain} {decision.source_key}"
    action = "source.decide" if undoes is None else "source.undo"
    entry = journal.Entry(now, decision.decided_by, action, subject, before, _state(connection, decision))
    journal.append(connection, entry)


def _current(connection: Connection, domain: str, source_key: str) -> tuple[int, str, str, str, date] | None:
    return connection.execute(
        """
        SELECT decision_key, decision, owner, note, until FROM current_decision
        WHERE domain = ? AND source_key = ?
        """,
        [domain, source_key],
    ).fetchone()


def _state(connection: Connection, decision: SourceDecision) -> journal.State | None:
    row = _current(connection, decision.domain, decision.source_key)
    if row is None:
        return None
    values = zip(("decision", "owner", "note", "until"), row[1:], strict=True)
    return {name: None if value is None else str(value) for name, value in values}
