"""A report that turns out to be genuine: its grade is raised, or it takes the place of one in doubt."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from ingest.attestation import Doubt
from warehouse import deltas, documents, journal, rollup
from warehouse.aside import Replaced, put_aside
from warehouse.connect import Connection
from warehouse.rows import Staged
from warehouse.save import RAISED, SUPERSEDED, Identify, Saved, chosen, put


def renew(connection: Connection, staged: Staged, saved: Saved, now: datetime, identify: Identify) -> None:
    """Do what `save` found to be due, in the same transaction."""
    if RAISED in saved.status:
        _raise(connection, chosen(staged, saved, RAISED).reports)
    if SUPERSEDED in saved.status:
        keyed = chosen(staged, saved, SUPERSEDED)
        reports = keyed.reports
        told = reports.select(["report_key", "document_hash", "attestation", "attested_by", "origin"]).to_pylist()
        gone = [_put_aside(connection, new, now) for new in told]
        put(connection, keyed, identify)
        documents.forget(connection, gone, "aggregate_report")
        connection.register("put", reports.select(["report_key"]))
        rollup.melt(connection, "SELECT report_key FROM put")
        connection.unregister("put")


def raise_to(connection: Connection, report_key: int, other: int) -> None:
    """Give a stored report the better grade of another one, which is the same."""
    sql = """
        SELECT ?::BIGINT AS report_key, attestation, attested_by, attestation_status
        FROM aggregate_report WHERE report_key = ?
    """
    _raise(connection, connection.execute(sql, [report_key, other]).to_arrow_table())


def _raise(connection: Connection, reports: pa.Table) -> None:
    """Give stored reports the better grade of the same report that came again. `reports` has report_key."""
    connection.register("vouched", reports.select(["report_key", "attestation", "attested_by", "attestation_status"]))
    # Only what was in doubt stands otherwise in the records and the rollup.
    connection.execute(
        """
        CREATE TEMP TABLE cleared AS
        SELECT report_key FROM aggregate_report WHERE doubt <> '' AND report_key IN (SELECT report_key FROM vouched)
        """
    )
    if connection.execute("SELECT 1 FROM cleared LIMIT 1").fetchone():
        cleared = deltas.STORED.format(reports="SELECT report_key FROM cleared")
        deltas.take_away(connection, cleared)
        connection.execute(
            "UPDATE aggregate_record SET doubt = '' WHERE report_key IN (SELECT report_key FROM cleared)"
        )
        deltas.add_stored(connection, cleared)
        rollup.melt(connection, "SELECT report_key FROM cleared")
    connection.execute(
        f"""
        UPDATE aggregate_report r
        SET attestation = v.attestation, attested_by = v.attested_by, attestation_status = v.attestation_status,
            doubt = '{Doubt.NONE}'
        FROM vouched v WHERE r.report_key = v.report_key;
        DROP TABLE cleared;
        """
    )
    connection.unregister("vouched")


def _put_aside(connection: Connection, new: dict[str, str], now: datetime) -> str:
    """Keep what a stored report says, by what it is replaced being known; the hash of its document."""
    key = int(new["report_key"])
    row = connection.execute(
        """
        SELECT document_hash, attestation, attested_by, origin, received_at
        FROM aggregate_report WHERE report_key = ?
        """,
        [key],
    ).fetchone()
    assert row is not None
    before, grade, attested_by, origin, received_at = row
    sentence = (
        f"Report {key} was stored from this and nobody vouched for it; one with other content under the same id "
        "and period is signed by its reporter and took its place."
    )
    stood: journal.State = {"document_hash": before, "attestation": grade, "attested_by": attested_by, "origin": origin}
    stands: journal.State = {name: new[name] for name in stood}
    put_aside(connection, Replaced(f"Report {key}", before, origin, received_at), sentence, stood, stands, now)
    return str(before)
