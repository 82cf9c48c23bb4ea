"""What is known of source addresses: kept with its date, and renewed when DNS has more to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from warehouse import marks, regroup
from warehouse.address import Address
from warehouse.connect import Connection
from warehouse.instants import naive
from warehouse.reads import frame
from warehouse.rows import ADDRESS, table


def to_ask(connection: Connection, now: datetime, days: int, limit: int = 10_000) -> list[str]:
    """Addresses whose name was never asked, or longer than `days` ago; those with most mail lately first."""
    rows = connection.execute(
        """
        SELECT source_ip FROM address LEFT JOIN (
            SELECT source_ip, sum(messages) AS messages FROM address_day
            WHERE day >= (SELECT max(day) FROM address_day WHERE day <= $today) - 30 GROUP BY source_ip
        ) USING (source_ip)
        WHERE ptr_at IS NULL OR ptr_at < $before
        ORDER BY messages DESC NULLS LAST, source_ip LIMIT $most
        """,
        {"today": naive(now).date(), "before": naive(now) - timedelta(days=days), "most": limit},
    ).fetchall()
    return [ip for (ip,) in rows]


def known(connection: Connection, source_ips: Sequence[str]) -> pl.DataFrame:
    """What is stored of some addresses: table `address` as it is."""
    sql = "SELECT * FROM address WHERE source_ip IN (SELECT unnest(?::VARCHAR[])) ORDER BY source_ip"
    return frame(connection, sql, [list(source_ips)])


def every(connection: Connection) -> list[str]:
    """All addresses."""
    return [ip for (ip,) in connection.execute("SELECT source_ip FROM address ORDER BY source_ip").fetchall()]


def identified_with(connection: Connection) -> str | None:
    """With which rules and databases all addresses were grouped last; None where nobody noted it."""
    row = connection.execute("SELECT arg_max(version, applied_at) FROM identification").fetchone()
    return str(row[0]) if row and row[0] is not None else None


def note_identified(connection: Connection, version: str, now: datetime) -> None:
    """Note with which rules and databases all addresses are grouped now."""
    connection.execute("INSERT INTO identification VALUES (?, ?)", [version, naive(now)])


def renew(connection: Connection, addresses: Sequence[Address], now: datetime, cause: str = "names") -> int:
    """Put new knowledge in the place of the old, and move what was counted of those whose source changed.

    What a person decided about a source goes along to where its addresses went, and what a person put back stays
    there. `cause` is one of regroup.CAUSES. Returns how many addresses changed their source. What is kept about domains
    without mail from an address of which anything new is known stays good (`warehouse.marks`).
    """
    stay = regroup.pinned(connection, [one.source_ip for one in addresses])
    rows = [_staying(one, stay.get(one.source_ip)) for one in addresses]
    connection.register("renewed", table(ADDRESS, rows))
    # When a name was asked for tells nothing of whose mail it is.
    told = ", ".join(name for name in ADDRESS.names if name != "ptr_at")
    connection.execute(
        f"CREATE TEMP TABLE told_otherwise AS SELECT {told} FROM renewed EXCEPT SELECT {told} FROM address"
    )
    moved = regroup.move(connection, "renewed", now, regroup.Cause(cause))
    marks.change_addresses(connection, "SELECT source_ip FROM told_otherwise")
    connection.execute("DROP TABLE told_otherwise")
    connection.unregister("renewed")
    return moved


def _staying(address: Address, at: tuple[str, str | None, str | None] | None) -> Address:
    if at is None:
        return address
    key, service, kind = at
    carrier = address.carrier if key == address.source_key else None
    return address._replace(source_key=key, service=service, service_type=kind, carrier=carrier)
