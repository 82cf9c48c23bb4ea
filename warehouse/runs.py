"""The log of runs: what each ingest and poll saw, and that the numbers add up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from warehouse.connect import Connection

if TYPE_CHECKING:
    from warehouse.load import LoadSummary

COUNTS = (
    "seen", "stored", "duplicates", "quarantined", "not_reports",
    "reports", "tls_reports", "failure_reports", "notices", "records", "messages",
)  # fmt: skip


def begin(connection: Connection, name: str, now: datetime) -> int:
    """Note that a run begins; its key."""
    zeros = ", ".join("0" for _ in COUNTS)
    row = connection.execute(
        f"""
        INSERT INTO load_run (run_key, input, started_at, ended_at, {", ".join(COUNTS)})
        VALUES (nextval('run_key_seq'), ?, ?, ?, {zeros}) RETURNING run_key
        """,
        [name, now, now],
    ).fetchone()
    return int(row[0]) if row else 0


def note(connection: Connection, run_key: int, summary: LoadSummary, now: datetime) -> None:
    """Note how far a run has come: in the transaction of each batch, so that it holds after a crash."""
    assignments = ", ".join(f"{name} = ?" for name in COUNTS)
    values = [getattr(summary, name) for name in COUNTS]
    connection.execute(
        f"UPDATE load_run SET ended_at = ?, {assignments} WHERE run_key = ?",
        [now, *values, run_key],
    )
