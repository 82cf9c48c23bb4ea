"""The warehouse as it was known at an instant: without the reports and decisions that came later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from warehouse import deltas, findings, rollup
from warehouse.backup import backup
from warehouse.connect import Connection, Warehouse
from warehouse.errors import WarehouseError
from warehouse.scope import Scope

# What came later, by table: the column that holds when.
LATER = {"aggregate_report": "stored_at", "source_decision": "decided_at", "quarantine": "first_seen_at"}
LATER |= {"journal": "written_at", "dns_answer": "first_seen_at", "dmarc_lookup": "first_seen_at"}
LATER |= {"blocklist_answer": "first_seen_at"}
NEWER = "SELECT report_key FROM aggregate_report WHERE stored_at > '{at}'"


@contextmanager
def known_at(warehouse: Warehouse, at: datetime | None) -> Iterator[Warehouse]:
    """The warehouse at an instant (naive UTC); itself where nothing came later, else a copy that goes afterwards.

    What was learnt of addresses, and what a later version reads in the same documents, stays as it is now.
    Raises WarehouseError where the records of what would have to go were pruned.
    """
    with warehouse.reading() as connection:
        same = at is None or not _later(connection, at)
    if same or at is None:
        yield warehouse
        return
    with TemporaryDirectory(prefix="whosends-") as folder:
        copy = Warehouse(Path(folder) / "known.duckdb", warehouse.settings)
        backup(warehouse, copy.path)
        with copy.writing() as connection:
            _take_back(connection, at)
        yield copy


def began(connection: Connection) -> datetime | None:
    """When the first report was stored (naive UTC): of before, nothing was known. None where there is no report."""
    row = connection.execute("SELECT min(stored_at) FROM aggregate_report").fetchone()
    return row[0] if row else None


def restated(connection: Connection, scope: Scope, then: datetime) -> tuple[int, int, int]:
    """Messages of a scope by the reports stored up to an instant, and by all of them; how many came later."""
    where, values = scope.where()
    row = connection.execute(
        f"""
        SELECT coalesce(sum(messages) FILTER (stored_at <= ?), 0)::BIGINT, coalesce(sum(messages), 0)::BIGINT,
               count(*) FILTER (stored_at > ?)
        FROM aggregate_report WHERE {where}
        """,
        [then, then, *values],
    ).fetchone()
    return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)


def _later(connection: Connection, at: datetime) -> bool:
    asked = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {column} > ?)" for table, column in LATER.items())
    row = connection.execute(f"SELECT {asked}", [at] * len(LATER)).fetchone()
    return bool(row and row[0])


def _take_back(connection: Connection, at: datetime) -> None:
    pruned = connection.execute(
        "SELECT count(*) FROM aggregate_report WHERE stored_at > ? AND pruned_at IS NOT NULL", [at]
    ).fetchone()
    if pruned and pruned[0]:
        raise WarehouseError(
            f"{pruned[0]:,} reports came after {at} and lost their records since: their mail cannot be left out.",
            "Ask as of a later instant, or restore a backup of that time.",
        )
    reports = NEWER.format(at=at.isoformat(sep=" "))
    connection.execute(
        f"""
        CREATE TEMP TABLE changed AS SELECT DISTINCT domain, day + i::INTEGER AS day
        FROM aggregate_report, unnest(range(days)) AS spread(i) WHERE report_key IN ({reports})
        """
    )
    deltas.take_away(connection, deltas.STORED.format(reports=reports))
    rollup.melt_days(connection, "FROM changed")
    connection.execute(f"DELETE FROM aggregate_record WHERE report_key IN ({reports}); DROP TABLE changed")
    findings.rewind(connection, at)
    for table, column in LATER.items():
        connection.execute(f"DELETE FROM {table} WHERE {column} > ?", [at])
