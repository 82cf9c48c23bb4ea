"""The daily rollup: kept up by what is added and taken away, so that its upkeep follows the batch alone.

Rows of one key add up over batches; `compact` melts them together when they have doubled.
"""

from __future__ import annotations

from warehouse.connect import Connection

COLUMNS = (
    "day, domain, header_from, source_key, reporter, disposition, dkim_aligned, spf_aligned, overridden, estimated, "
    "doubt"
)

DAILY = """
    SELECT r.day + i::INTEGER AS day, r.domain, r.header_from, a.source_key, r.reporter, r.disposition,
           r.dkim_aligned, r.spf_aligned, len(r.reasons) > 0 AS overridden, r.days > 1 AS estimated, r.doubt,
           sum(r.messages // r.days + (i < r.messages % r.days)::BIGINT)::BIGINT AS messages
    FROM {records} r JOIN address a USING (source_ip), unnest(range(r.days)) AS spread(i)
    GROUP BY ALL ORDER BY domain, day
"""
"""What some records add. A spread report puts its remainder on its first days, so that sums hold."""

STORED = """
    (SELECT c.*, r.days FROM aggregate_record c JOIN aggregate_report r USING (report_key)
     WHERE report_key IN ({reports}))
"""
"""Stored records as `DAILY` wants them: aggregate_record's columns, and days."""

COMPACT_AT = 500_000


def add(connection: Connection, records: str) -> None:
    """Add what a relation of records (aggregate_record's columns and days) brings."""
    connection.execute(f"INSERT INTO daily BY NAME {DAILY.format(records=records)}")


def take_away(connection: Connection, records: str) -> None:
    """Take away what a relation of records brought, by rows of negative counts."""
    rows = DAILY.format(records=records)
    connection.execute(f"INSERT INTO daily BY NAME SELECT * REPLACE (-messages AS messages) FROM ({rows})")


def melt(connection: Connection, reports: str) -> None:
    """Melt the days of some reports (a query for their keys), so that no row of nothing is left there."""
    connection.execute(
        f"""
        CREATE TEMP TABLE touched AS
        SELECT DISTINCT r.domain, r.day + i::INTEGER AS day
        FROM aggregate_report r, unnest(range(r.days)) AS spread(i) WHERE r.report_key IN ({reports});
        CREATE TEMP TABLE melted AS
        SELECT * REPLACE (sum(messages)::BIGINT AS messages) FROM daily SEMI JOIN touched USING (domain, day)
        GROUP BY ALL HAVING sum(messages) <> 0;
        DELETE FROM daily WHERE (domain, day) IN (SELECT (domain, day) FROM touched);
        INSERT INTO daily BY NAME SELECT * FROM melted ORDER BY domain, day;
        DROP TABLE melted;
        DROP TABLE touched;
        """
    )


def compact_if_due(connection: Connection) -> bool:
    """Melt the rollup when it has grown to twice its last size; the cost is spread over that growth."""
    row = connection.execute("SELECT (SELECT count(*) FROM daily), rows FROM rollup_size").fetchone()
    if row is None or row[0] < 2 * row[1] + COMPACT_AT:
        return False
    compact(connection)
    return True


def compact(connection: Connection) -> None:
    """One row for each key, in the order that charts read: by domain and day."""
    connection.execute(
        """
        CREATE TEMP TABLE melted AS
        SELECT * REPLACE (sum(messages)::BIGINT AS messages) FROM daily GROUP BY ALL HAVING sum(messages) <> 0;
        DELETE FROM daily;
        INSERT INTO daily BY NAME SELECT * FROM melted ORDER BY domain, day;
        DROP TABLE melted;
        UPDATE rollup_size SET rows = (SELECT count(*) FROM daily);
        """
    )
