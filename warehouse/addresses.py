"""What is known of source addresses: kept with its date, and renewed when DNS has more to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from warehouse import deltas, rollup
from warehouse.address import Address
from warehouse.connect import Connection, insert
from warehouse.decisions import SourceDecision, decide
from warehouse.instants import naive
from warehouse.reads import frame
from warehouse.rows import ADDRESS, table


def to_ask(connection: Connection, now: datetime, days: int, limit: int = 10_000) -> list[str]:
    """Addresses whose name was never asked, or longer than `days` ago; those with most mail lately first."""
    rows = connection.execute(
        """
        SELECT source_ip FROM address LEFT JOIN (
            SELECT source_ip, sum(messages) AS messages FROM address_day
            WHERE day >= (SELECT max(day) FROM address_day) - 30 GROUP BY source_ip
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


def renew(connection: Connection, addresses: Sequence[Address], now: datetime) -> int:
    """Put new knowledge in the place of the old, and move the rollup of those whose source changed.

    What a person decided about a source goes along to where its addresses went. Returns how many
    addresses changed their source.
    """
    connection.register("renewed", table(ADDRESS, addresses))
    connection.execute(
        """
        CREATE TEMP TABLE moved AS
        SELECT source_ip, old.source_key AS old_key, renewed.source_key AS new_key
        FROM renewed JOIN address old USING (source_ip) WHERE renewed.source_key <> old.source_key
        """
    )
    deltas.take_away(connection, MOVED)
    connection.execute("DELETE FROM address WHERE source_ip IN (SELECT source_ip FROM renewed)")
    connection.unregister("renewed")
    insert(connection, "address", table(ADDRESS, addresses))
    deltas.add_stored(connection, MOVED)
    rollup.melt_days(
        connection, f"SELECT DISTINCT domain, day + i::INTEGER AS day FROM {MOVED}, unnest(range(days)) t(i)"
    )
    _take_decisions_along(connection, now)
    row = connection.execute("SELECT count(*) FROM moved").fetchone()
    connection.execute("DROP TABLE moved")
    return int(row[0]) if row else 0


def _take_decisions_along(connection: Connection, now: datetime) -> None:
    rows = connection.execute(
        """
        SELECT DISTINCT d.domain, m.new_key, d.decision, d.owner, d.note, d.until, d.expects, d.cadence
        FROM moved m JOIN current_decision d ON d.source_key = m.old_key
        SEMI JOIN daily ON daily.domain = d.domain AND daily.source_key = m.new_key
        ANTI JOIN current_decision newer ON newer.domain = d.domain AND newer.source_key = m.new_key
        ORDER BY ALL
        """
    ).fetchall()
    for domain, key, word, *terms in rows:
        decide(connection, SourceDecision(domain, key, word, "whosends", *terms), now)


MOVED = """
    (SELECT c.*, r.days FROM aggregate_record c JOIN aggregate_report r USING (report_key)
     WHERE c.source_ip IN (SELECT source_ip FROM moved))
"""
