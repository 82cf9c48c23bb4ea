"""What is known of source addresses: kept with its date, and renewed when DNS has more to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from warehouse import rollup
from warehouse.connect import Connection
from warehouse.reads import frame
from warehouse.rows import ADDRESS, Address, naive, table
from warehouse.save import insert


def to_ask(connection: Connection, now: datetime, days: int, limit: int = 10_000) -> list[str]:
    """Addresses whose name was never asked, or longer than `days` ago; those with most mail lately first."""
    rows = connection.execute(
        """
        SELECT source_ip FROM address LEFT JOIN (
            SELECT source_ip, sum(messages) AS messages FROM aggregate_record
            WHERE day >= (SELECT max(day) FROM aggregate_record) - 30 GROUP BY source_ip
        ) USING (source_ip)
        WHERE ptr_at IS NULL OR ptr_at < ?
        ORDER BY messages DESC NULLS LAST, source_ip LIMIT ?
        """,
        [naive(now) - timedelta(days=days), limit],
    ).fetchall()
    return [ip for (ip,) in rows]


def known(connection: Connection, source_ips: Sequence[str]) -> pl.DataFrame:
    """What is stored of some addresses: table `address` as it is."""
    sql = "SELECT * FROM address WHERE source_ip IN (SELECT unnest(?::VARCHAR[])) ORDER BY source_ip"
    return frame(connection, sql, [list(source_ips)])


def renew(connection: Connection, addresses: Sequence[Address]) -> int:
    """Put new knowledge in the place of the old, and move the rollup of those whose source changed.

    Returns how many changed their source.
    """
    connection.register("renewed", table(ADDRESS, addresses))
    connection.execute(
        """
        CREATE TEMP TABLE moved AS
        SELECT source_ip FROM renewed JOIN address old USING (source_ip) WHERE renewed.source_key <> old.source_key
        """
    )
    rollup.take_away(connection, MOVED)
    connection.execute("DELETE FROM address WHERE source_ip IN (SELECT source_ip FROM renewed)")
    connection.unregister("renewed")
    insert(connection, "address", table(ADDRESS, addresses))
    rollup.add(connection, MOVED)
    row = connection.execute("SELECT count(*) FROM moved").fetchone()
    connection.execute("DROP TABLE moved")
    count = int(row[0]) if row else 0
    if count:
        rollup.compact(connection)
    return count


MOVED = """
    (SELECT c.*, r.days FROM aggregate_record c JOIN aggregate_report r USING (report_key)
     WHERE c.source_ip IN (SELECT source_ip FROM moved))
"""
