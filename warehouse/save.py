"""Reports into tables, each once: the work of one transaction, at a cost that follows the batch alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from warehouse import rollup
from warehouse.connect import Connection
from warehouse.rows import ADDRESS, Address, Staged, table

Identify = Callable[[Sequence[str]], Sequence[Address]]
"""Addresses that were never seen before → what is known of them offline, and their source."""

NEW, DUPLICATE, CONFLICT = "new", "duplicate", "conflict"


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of each report, by its report_index: NEW, DUPLICATE or CONFLICT; and its key."""

    status: list[str]
    report_key: list[int]


def save(connection: Connection, staged: Staged, run_key: int, now: datetime, identify: Identify) -> Saved:
    """Insert what is new, in the caller's transaction.

    The same identity with the same content is a duplicate; with other content it is a conflict, and
    the first one stays. For both, `report_key` is the key of the report that was stored before.
    """
    saved = _decide(connection, staged)
    fresh = [index for index, status in enumerate(saved.status) if status == NEW]
    if fresh:
        keys = pa.array(saved.report_key, pa.int64())
        chosen = pa.array([status == NEW for status in saved.status])
        reports = _keyed(staged.reports, keys, chosen)
        records = _keyed(staged.records, keys, chosen)
        _insert_reports(connection, reports, run_key, now)
        _insert_records(connection, records, identify)
    return saved


def replace(connection: Connection, staged: Staged, keys: Sequence[int], identify: Identify) -> None:
    """Put new values in the place of stored reports: `keys` are theirs, in the order of `staged`."""
    column, everything = pa.array(keys, pa.int64()), pa.array([True] * len(keys))
    records = _keyed(staged.records, column, everything)
    connection.register("again", _keyed(staged.reports, column, everything))
    rollup.take_away(connection, rollup.STORED.format(reports="SELECT report_key FROM again"))
    connection.execute(
        """
        CREATE TEMP TABLE replacement AS
        SELECT again.*, r.run_key, r.stored_at FROM again JOIN aggregate_report r USING (report_key);
        DELETE FROM aggregate_report WHERE report_key IN (SELECT report_key FROM again);
        DELETE FROM aggregate_record WHERE report_key IN (SELECT report_key FROM again);
        INSERT INTO aggregate_report BY NAME SELECT * FROM replacement;
        DROP TABLE replacement;
        """
    )
    connection.unregister("again")
    _insert_records(connection, records, identify)


def add_addresses(connection: Connection, records: str, identify: Identify) -> None:
    """Identify the addresses of the relation named `records` that were never seen before."""
    unknown = connection.execute(
        f"SELECT DISTINCT source_ip FROM {records} ANTI JOIN address USING (source_ip) ORDER BY source_ip"
    ).fetchall()
    if unknown:
        insert(connection, "address", table(ADDRESS, identify([ip for (ip,) in unknown])))


def insert(connection: Connection, name: str, rows: pa.Table) -> None:
    """Append rows to a table of ours by column name."""
    connection.register("incoming", rows)
    connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")
    connection.unregister("incoming")


def _decide(connection: Connection, staged: Staged) -> Saved:
    identities = staged.reports.column("identity_hash").to_pylist()
    contents = staged.reports.column("content_hash").to_pylist()
    known = _known(connection, staged.reports)
    keys = iter(_next_keys(connection, len(set(identities) - known.keys())))
    status, report_key = [], []
    for index, identity in enumerate(identities):
        if identity in known:
            key, content = known[identity]
            status.append(DUPLICATE if content == contents[index] else CONFLICT)
        else:
            key = next(keys)
            known[identity] = (key, contents[index])
            status.append(NEW)
        report_key.append(key)
    return Saved(status, report_key)


def _next_keys(connection: Connection, count: int) -> list[int]:
    rows = connection.execute("SELECT nextval('report_key_seq') FROM range(?)", [count]).fetchall()
    return [key for (key,) in rows]


def _known(connection: Connection, reports: pa.Table) -> dict[str, tuple[int, str]]:
    """The reports of this batch that are stored already: identity → key and content.

    The same bytes count as the same content, though an older parser may have hashed them otherwise.
    Identities hold the begin, so only that span of the table is looked at, however large it is.
    """
    if not reports.num_rows:
        return {}
    span = pc.min_max(reports.column("begin_at")).as_py()
    connection.register("staged_report", reports.select(["identity_hash", "content_hash", "document_hash"]))
    rows = connection.execute(
        """
        SELECT k.identity_hash, k.report_key,
               CASE WHEN k.document_hash = s.document_hash THEN s.content_hash ELSE k.content_hash END
        FROM aggregate_report k JOIN staged_report s USING (identity_hash)
        WHERE k.begin_at BETWEEN ? AND ?
        """,
        [span["min"], span["max"]],
    ).fetchall()
    connection.unregister("staged_report")
    return {identity: (key, content) for identity, key, content in rows}


def _keyed(rows: pa.Table, keys: pa.Array, chosen: pa.Array) -> pa.Table:
    """The rows of chosen reports, with report_key in the place of report_index."""
    rows = rows.filter(pc.take(chosen, rows.column("report_index")))
    return rows.set_column(0, "report_key", pc.take(keys, rows.column("report_index")))


def _insert_reports(connection: Connection, reports: pa.Table, run_key: int, now: datetime) -> None:
    count = reports.num_rows
    reports = reports.append_column("run_key", pa.array([run_key] * count, pa.int64()))
    insert(
        connection,
        "aggregate_report",
        reports.append_column("stored_at", pa.array([now] * count, pa.timestamp("us"))),
    )


def _insert_records(connection: Connection, records: pa.Table, identify: Identify) -> None:
    connection.register("fresh_record", records)
    add_addresses(connection, "fresh_record", identify)
    connection.execute("INSERT INTO aggregate_record BY NAME SELECT * EXCLUDE (days) FROM fresh_record")
    rollup.add(connection, "fresh_record")
    connection.unregister("fresh_record")
