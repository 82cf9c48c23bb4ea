"""What a ledger of evidence was counted from: the rows of one source as one domain, summed over their days."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from warehouse.blocklists import CURRENT
from warehouse.connect import Connection
from warehouse.reads import frame
from warehouse.reads_sources import months
from warehouse.scope import Scope


class _Summed(NamedTuple):
    """By what a rollup's rows are summed, and what it is called where it has months as well."""

    by: tuple[str, ...]
    by_months: str = ""
    sums: tuple[str, ...] = ("messages",)


_ROLLUPS: Final = {
    "source_day": _Summed(("reporter",), sums=("messages", "aligned")),
    "daily": _Summed(("reporter", "header_from", "disposition", "dkim_aligned", "spf_aligned")),
    "signature_month": _Summed(("signing_domain", "selector", "result"), "signature"),
    "envelope_month": _Summed(("spf_domain", "result"), "envelope"),
    "reason_day": _Summed(("type", "comment")),
}
_OF_ADDRESSES: Final = {
    "address": "SELECT source_ip, ptr, ptr_confirmed, asn, as_name, service_type, bound_by FROM address "
    "WHERE source_key = ? ORDER BY source_ip",
    "blocklist_answer": f"SELECT source_ip, zone, codes, last_seen_at FROM {CURRENT} "
    "SEMI JOIN (SELECT source_ip FROM address WHERE source_key = ?) USING (source_ip) ORDER BY source_ip, zone",
}


def counted_rows(connection: Connection, table: str, source_key: str, scope: Scope, most: int) -> pl.DataFrame:
    """At most `most` rows behind what a ledger says of a source, the largest first; of any other table none.

    Of a rollup: what its rows are told apart by, messages, first_day and last_day (of a month: its first) over the
    scope's days and domains. Of `address` and `blocklist_answer`: the source's addresses. Of `dns_answer`: what the
    scope's domains hold, whoever it is about.
    """
    if table == "dns_answer":
        where = "domain IN (SELECT unnest(?::VARCHAR[]))"
        sql = f"SELECT name, rdtype, records, last_seen_at FROM current_dns WHERE {where} ORDER BY name, rdtype LIMIT ?"
        return frame(connection, sql, [list(scope.domains), most])
    if of_addresses := _OF_ADDRESSES.get(table):
        return frame(connection, f"{of_addresses} LIMIT ?", [source_key, most])
    if table not in _ROLLUPS:
        return pl.DataFrame()
    by, by_months, sums = _ROLLUPS[table]
    names, columns = ", ".join(by), ", ".join(("day", "source_key", *by, *sums))
    if by_months:
        told, values = months(scope, by_months, columns)
    else:
        where, values = scope.where()
        told = f"(SELECT {columns} FROM {table} WHERE {where})"
    summed = ", ".join(f"sum({one})::BIGINT AS {one}" for one in sums)
    return frame(
        connection,
        f"""
        SELECT {names}, {summed}, min(day) AS first_day, max(day) AS last_day
        FROM {told} WHERE source_key = ? GROUP BY {names} ORDER BY messages DESC, {names} LIMIT ?
        """,
        [*values, source_key, most],
    )
