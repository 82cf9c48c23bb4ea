"""What people decide about sources: rows are only added, each with its entry in the journal."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime

from warehouse import journal
from warehouse.connect import Connection
from warehouse.errors import DecisionRefused
from warehouse.instants import naive

DECISIONS = ("approved", "forwarder", "spoof", "retired")
UNDECIDED = "undecided"
EXPECTS = ("dkim", "spf", "both")
CADENCES = ("daily", "weekly", "monthly", "quarterly")


@dataclass(frozen=True, slots=True)
class SourceDecision:
    """A decision about one source of one domain; `until` is its last day, None for no end.

    `expects` is what its mail shall align by (one of EXPECTS), `cadence` how often it sends (one of CADENCES).
    """

    domain: str
    source_key: str
    decision: str
    decided_by: str
    owner: str | None = None
    note: str | None = None
    until: date | None = None
    expects: str | None = None
    cadence: str | None = None


FIELDS = tuple(one.name for one in fields(SourceDecision))
STATE = ("decision", "owner", "note", "until", "expects", "cadence")


@dataclass(frozen=True, slots=True)
class Change:
    """What counted before and after; None where nothing did."""

    domain: str
    source_key: str
    before: journal.State | None
    after: journal.State | None


def decide(connection: Connection, decision: SourceDecision, now: datetime, origin: str | None = None) -> Change:
    """Record a decision, at an aware instant, in the caller's transaction.

    `origin` says which file it was declared in; only such a decision may come before the source's first mail.
    Raises DecisionRefused for a source that neither a report nor a decision names, or a word that is none.
    """
    for word, known, name in (
        (decision.decision, DECISIONS, "decision"),
        (decision.expects, EXPECTS, "mechanism"),
        (decision.cadence, CADENCES, "cadence"),
    ):
        if word is not None and word not in known:
            raise DecisionRefused(f"There is no {name} {word!r}.", f"Use one of {', '.join(known)}.")
    known_source = connection.execute(
        "SELECT 1 FROM daily WHERE domain = ? AND source_key = ? LIMIT 1", [decision.domain, decision.source_key]
    ).fetchone()
    before = state(connection, decision.domain, decision.source_key)
    if not known_source and before is None and origin is None:
        raise DecisionRefused(
            f"No report names a source {decision.source_key!r} for {decision.domain!r}.",
            "'whosends sources' lists the keys.",
        )
    _insert(connection, decision, naive(now))
    action = "source.decide" if origin is None else "source.import"
    return _journalled(connection, decision, now, before, action, origin)


def kept(connection: Connection, decision: SourceDecision) -> SourceDecision:
    """The decision with the owner and the expectations that counted before, where it says nothing of them.

    Empty text says that there shall be none.
    """
    known = state(connection, decision.domain, decision.source_key) or {}

    def over(name: str, value: str | None) -> str | None:
        return known.get(name) if value is None else value or None

    return replace(
        decision,
        owner=over("owner", decision.owner),
        expects=over("expects", decision.expects),
        cadence=over("cadence", decision.cadence),
    )


def undo(connection: Connection, domain: str, source_key: str, actor: str, now: datetime) -> Change:
    """Take the decision that counts back: the one before it, if any, counts again."""
    before = state(connection, domain, source_key)
    if not _take_back(connection, domain, source_key, actor, now):
        raise DecisionRefused(f"There is no decision about {source_key!r} for {domain!r} to take back.")
    said = SourceDecision(domain, source_key, UNDECIDED, actor)
    return _journalled(connection, said, now, before, "source.undo", None)


def withdraw(connection: Connection, said: SourceDecision, now: datetime, origin: str) -> Change:
    """Take all decisions about a source back, so that none counts."""
    before = state(connection, said.domain, said.source_key)
    while _take_back(connection, said.domain, said.source_key, said.decided_by, now):
        pass
    return _journalled(connection, said, now, before, "source.import", origin)


def state(connection: Connection, domain: str, source_key: str) -> journal.State | None:
    """The decision that counts, as the journal writes it."""
    row = connection.execute(
        f"SELECT {', '.join(STATE)} FROM current_decision WHERE domain = ? AND source_key = ?", [domain, source_key]
    ).fetchone()
    if row is None:
        return None
    return {name: None if value is None else str(value) for name, value in zip(STATE, row, strict=True)}


def _insert(connection: Connection, decision: SourceDecision, now: datetime, undoes: int | None = None) -> None:
    values = [getattr(decision, name) for name in FIELDS]
    connection.execute(
        f"""
        INSERT INTO source_decision (decision_key, {", ".join(FIELDS)}, decided_at, undoes)
        VALUES (nextval('decision_key_seq'), {", ".join("?" * len(FIELDS))}, ?, ?)
        """,
        [*values, now, undoes],
    )


def _take_back(connection: Connection, domain: str, source_key: str, actor: str, now: datetime) -> bool:
    """Take the decision that counts back. False where there is none."""
    current = connection.execute(
        "SELECT decision_key FROM current_decision WHERE domain = ? AND source_key = ?", [domain, source_key]
    ).fetchone()
    if current is not None:
        _insert(connection, SourceDecision(domain, source_key, UNDECIDED, actor), naive(now), undoes=current[0])
    return current is not None


def _journalled(
    connection: Connection,
    said: SourceDecision,
    now: datetime,
    before: journal.State | None,
    action: str,
    origin: str | None,
) -> Change:
    after = state(connection, said.domain, said.source_key)
    noted = {**(after or {"decision": None}), "origin": origin} if origin else after
    entry = journal.Entry(naive(now), said.decided_by, action, f"{said.domain} {said.source_key}", before, noted)
    journal.append(connection, entry)
    return Change(said.domain, said.source_key, before, after)
