"""Sources merged, split and renamed: the move itself, what is noted of it, decisions that go along, and undo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from warehouse import decisions, deltas, journal, rollup
from warehouse.connect import Connection
from warehouse.decisions import SourceDecision
from warehouse.errors import DecisionRefused
from warehouse.instants import naive
from warehouse.reads import frame
from warehouse.rollup import ROLLUPS
from warehouse.save import next_keys

OURSELVES = "whosends"
CAUSES = ("names", "records", "upgrade", "undo")


class Cause(NamedTuple):
    """Why addresses change their source, who wanted it, and which change it takes back."""

    word: str
    actor: str = OURSELVES
    undoes: int | None = None


# The records of the addresses in temporary table `moved`.
MOVED = """
    (SELECT c.*, r.days FROM aggregate_record c JOIN aggregate_report r USING (report_key)
     WHERE c.source_ip IN (SELECT source_ip FROM moved))
"""


def move(connection: Connection, renewed: str, now: datetime, cause: Cause) -> int:
    """Put the rows of relation `renewed` (table address's columns) in the place of the old; how many changed source.

    Rollups move with them, decisions go along, and what an address that was known before changed is noted.
    """
    connection.execute(
        f"""
        CREATE TEMP TABLE moved AS
        SELECT source_ip, old.source_key AS old_key, n.source_key AS new_key, old.ptr_at IS NOT NULL AS known,
               old.service AS old_service, old.service_type AS old_service_type,
               n.service AS new_service, n.service_type AS new_service_type,
               n.source_key IN (SELECT source_key FROM address) AS there
        FROM {renewed} n JOIN address old USING (source_ip) WHERE n.source_key <> old.source_key
        """
    )
    deltas.take_away(connection, MOVED)
    _take_what_is_pruned_along(connection)
    connection.execute(f"DELETE FROM address WHERE source_ip IN (SELECT source_ip FROM {renewed})")
    connection.execute(f"INSERT INTO address BY NAME SELECT * FROM {renewed}")
    deltas.add_stored(connection, MOVED)
    rollup.melt_days(
        connection, f"SELECT DISTINCT domain, day + i::INTEGER AS day FROM {MOVED}, unnest(range(days)) t(i)"
    )
    conflicts = {} if cause.undoes else _take_decisions_along(connection, now)
    _note(connection, now, cause, conflicts)
    row = connection.execute("SELECT count(*) FROM moved").fetchone()
    connection.execute("DROP TABLE moved")
    return int(row[0]) if row else 0


def _take_what_is_pruned_along(connection: Connection) -> None:
    """Give sources that go as a whole to one other the days that no records tell of any more.

    All that records tell of is taken away from them by now. What is left of a source that is split stays with it:
    rollups do not say which address did what.
    """
    connection.execute(
        """
        CREATE TEMP TABLE whole AS SELECT old_key, any_value(new_key) AS new_key FROM moved
        WHERE old_key NOT IN (SELECT source_key FROM address ANTI JOIN moved USING (source_ip))
        GROUP BY old_key HAVING count(DISTINCT new_key) = 1;
        DELETE FROM whole WHERE old_key NOT IN (
            SELECT source_key FROM source_month WHERE source_key IN (SELECT old_key FROM whole)
            GROUP BY source_key HAVING sum(messages) <> 0
        );
        """
    )
    if connection.execute("SELECT 1 FROM whole LIMIT 1").fetchone():
        names = [one.name for one in ROLLUPS if "source_key" in one.keys]
        for name in [*names, *(one.months for one in ROLLUPS if one.monthly)]:
            connection.execute(f"UPDATE {name} SET source_key = new_key FROM whole WHERE source_key = old_key")
    connection.execute("DROP TABLE whole")


def history(connection: Connection, source_key: str | None = None) -> pl.DataFrame:
    """The changes that a source took part in, or all, the newest first: source_regroup's columns, and undone_by.

    `undone_by` is the change that took it back, null where none did.
    """
    return frame(
        connection,
        """
        SELECT g.*, u.regroup_key AS undone_by
        FROM source_regroup g LEFT JOIN source_regroup u ON u.undoes = g.regroup_key
        WHERE ? IS NULL OR ? IN (g.old_key, g.new_key) ORDER BY g.regroup_key DESC
        """,
        [source_key, source_key],
    )


def undo(connection: Connection, regroup_key: int, actor: str, now: datetime) -> int:
    """Take a change back, in the caller's transaction: its addresses return, and stay whatever is learnt of them.

    A decision that went along is taken back with it. Taking back an undo lets the addresses go again.
    Returns how many returned. Raises DecisionRefused where there is no such change, or nothing left of it.
    """
    found = connection.execute(
        "SELECT old_key, new_key, cause, regrouped_at FROM source_regroup WHERE regroup_key = ?", [regroup_key]
    ).fetchone()
    if not found:
        raise DecisionRefused(f"There is no regrouping {regroup_key}.", "'whosends sources history' lists them.")
    old_key, new_key, word, at = found
    if connection.execute("SELECT 1 FROM source_regroup WHERE undoes = ?", [regroup_key]).fetchone():
        raise DecisionRefused(f"Regrouping {regroup_key} was taken back before.")
    connection.execute(
        """
        CREATE TEMP TABLE going_back AS
        SELECT a.* REPLACE (? AS source_key, g.old_service AS service, g.old_service_type AS service_type,
                            NULL::VARCHAR AS carrier)
        FROM address a JOIN source_regroup_address g USING (source_ip)
        WHERE g.regroup_key = ? AND a.source_key = ?
        """,
        [old_key, regroup_key, new_key],
    )
    if not connection.execute("SELECT 1 FROM going_back LIMIT 1").fetchone():
        connection.execute("DROP TABLE going_back")
        raise DecisionRefused(f"None of its addresses belongs to {new_key!r} any more, so nothing can return.")
    connection.execute("DELETE FROM address_pin WHERE source_ip IN (SELECT source_ip FROM going_back)")
    if word != "undo":
        connection.execute("INSERT INTO address_pin SELECT source_ip, ? FROM going_back", [regroup_key])
    moved = move(connection, "going_back", now, Cause("undo", actor, regroup_key))
    connection.execute("DROP TABLE going_back")
    _take_decisions_back(connection, new_key, at, actor, now)
    entry = journal.Entry(
        naive(now), actor, "source.regroup", str(regroup_key), {"source_key": new_key}, {"source_key": old_key}
    )
    journal.append(connection, entry)
    return moved


def pinned(connection: Connection, source_ips: Sequence[str]) -> dict[str, tuple[str, str | None, str | None]]:
    """Of some addresses, those that a person put back: source_key, service and service_type, which stay."""
    rows = connection.execute(
        """
        SELECT source_ip, source_key, service, service_type FROM address SEMI JOIN address_pin USING (source_ip)
        WHERE source_ip IN (SELECT unnest(?::VARCHAR[]))
        """,
        [list(source_ips)],
    )
    return {ip: (key, service, kind) for ip, key, service, kind in rows.fetchall()}


def _take_decisions_along(connection: Connection, now: datetime) -> dict[tuple[str, str], list[str]]:
    """What was decided about the old sources holds for the new, where nothing else is decided there.

    Where decisions differ none is taken; returns the domains of those, by old and new key.
    """
    rows = connection.execute(
        """
        SELECT DISTINCT d.domain, m.old_key, m.new_key, d.decided_at, d.decision, d.owner, d.note, d.until, d.expects,
               d.cadence, newer.decision
        FROM (SELECT DISTINCT old_key, new_key FROM moved) m JOIN current_decision d ON d.source_key = m.old_key
        SEMI JOIN daily ON daily.domain = d.domain AND daily.source_key = m.new_key
        LEFT JOIN current_decision newer ON newer.domain = d.domain AND newer.source_key = m.new_key
        ORDER BY ALL
        """
    ).fetchall()
    conflicts: dict[tuple[str, str], list[str]] = {}
    groups: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    for row in rows:
        groups.setdefault((row[0], row[2]), []).append(row)
    for (domain, new_key), told in groups.items():
        words = {row[4] for row in told} | {row[10] for row in told if row[10] is not None}
        if len(words) > 1:
            for row in told:
                conflicts.setdefault((str(row[1]), new_key), []).append(domain)
        elif told[0][10] is None:
            # The latest of those that agree brings its owner, its end and what it expects.
            word, owner, note, until, expects, cadence = max(told, key=lambda row: (str(row[3]), str(row[1])))[4:10]
            made = SourceDecision(domain, new_key, str(word), OURSELVES, owner, note, until, expects, cadence)  # type: ignore[arg-type]
            decisions.decide(connection, made, now)
    return conflicts


def _take_decisions_back(connection: Connection, key: str, at: datetime, actor: str, now: datetime) -> None:
    rows = connection.execute(
        """
        SELECT domain FROM current_decision WHERE source_key = ? AND decided_by = ? AND decided_at = ? ORDER BY domain
        """,
        [key, OURSELVES, at],
    ).fetchall()
    for (domain,) in rows:
        decisions.undo(connection, domain, key, actor, now)


def _note(connection: Connection, now: datetime, cause: Cause, conflicts: dict[tuple[str, str], list[str]]) -> None:
    """Note what became of addresses that had a name; an address that gets its first is no regrouping."""
    counts = connection.execute(
        """
        WITH sent AS (
            SELECT source_ip, sum(messages) AS messages FROM address_day
            WHERE source_ip IN (SELECT source_ip FROM moved) GROUP BY source_ip
        )
        SELECT old_key, new_key, bool_or(there), count(*), coalesce(sum(messages), 0)::BIGINT,
               bool_or(known) OR old_key IN (SELECT source_key FROM current_decision),
               old_key IN (SELECT source_key FROM address), count(*) OVER (PARTITION BY new_key)
        FROM moved LEFT JOIN sent USING (source_ip) GROUP BY old_key, new_key ORDER BY old_key, new_key
        """
    ).fetchall()
    told = [row for row in counts if row[5] or cause.word in ("upgrade", "undo")]
    for key, row in zip(next_keys(connection, "regroup_key_seq", len(told)), told, strict=True):
        old_key, new_key, there, addresses, messages, _, left, others = row
        kind = KINDS[bool(left), bool(there) or others > 1]
        conflict = " ".join(conflicts.get((old_key, new_key), ())) or None
        connection.execute(
            "INSERT INTO source_regroup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [key, naive(now), cause.word, cause.actor, kind, old_key, new_key, addresses, messages, conflict,
             cause.undoes],
        )  # fmt: skip
        connection.execute(
            """
            INSERT INTO source_regroup_address
            SELECT ?, source_ip, old_service, old_service_type, new_service, new_service_type FROM moved
            WHERE old_key = ? AND new_key = ?
            """,
            [key, old_key, new_key],
        )


# Whether the old source still has addresses, and whether the new one had some → what happened.
KINDS = {
    (False, False): "renamed",
    (False, True): "merged",
    (True, False): "split",
    (True, True): "moved",
}
