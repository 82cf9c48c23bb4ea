"""What mail of single addresses passed by: what binds an address to a service is looked for in it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from warehouse.connect import Connection
from warehouse.dns import lately
from warehouse.reads import frame
from warehouse.scope import Scope

LATELY = 92  # days before the newest report whose mail binds


def senders(connection: Connection, scope: Scope, limit: int) -> list[str]:
    """Addresses of sources of which any mail passed SPF lately, those with most mail first."""
    where, values = scope.where()
    late = lately(connection, scope, LATELY)
    rows = connection.execute(
        f"""
        WITH passing AS (
            SELECT DISTINCT source_key FROM envelope_month
            WHERE {where} AND day >= DATE '{late.replace(day=1)}' AND result = 'pass'
        )
        SELECT source_ip FROM address_day SEMI JOIN passing USING (source_key) WHERE {where} AND day >= DATE '{late}'
        GROUP BY source_ip ORDER BY sum(messages) DESC, source_ip LIMIT {limit}
        """,
        [*values, *values],
    ).fetchall()
    return [ip for (ip,) in rows]


def passing_paths(connection: Connection, scope: Scope, source_ips: Sequence[str]) -> pl.DataFrame:
    """Each of some addresses and domain that SPF passed for (spf_domain): messages. Reads `aggregate_record`."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT source_ip, lower(coalesce(spf[1].domain, envelope_from)) AS spf_domain,
               sum(messages)::BIGINT AS messages
        FROM aggregate_record
        WHERE {where} AND day >= DATE '{lately(connection, scope, LATELY)}' AND spf[1].result = 'pass'
          AND source_ip IN (SELECT unnest(?::VARCHAR[])) AND coalesce(spf[1].domain, envelope_from) IS NOT NULL
        GROUP BY ALL ORDER BY ALL
        """,
        [*values, list(source_ips)],
    )


def passing_keys(connection: Connection, scope: Scope, source_ips: Sequence[str]) -> pl.DataFrame:
    """Each of some addresses, its source_key and signature that passed (signing_domain, selector): messages.

    Reads `aggregate_record`.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT source_ip, source_key, lower(d.domain) AS signing_domain, lower(d.selector) AS selector,
               sum(messages)::BIGINT AS messages
        FROM (
            SELECT source_ip, messages, unnest(dkim) AS d FROM aggregate_record
            WHERE {where} AND day >= DATE '{lately(connection, scope, LATELY)}'
              AND source_ip IN (SELECT unnest(?::VARCHAR[]))
        ) JOIN address USING (source_ip)
        WHERE d.result = 'pass' AND d.selector <> '' GROUP BY ALL ORDER BY ALL
        """,
        [*values, list(source_ips)],
    )


def key_homes(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each signature that passed lately (signing_domain, selector) and source_key: messages."""
    where, values = scope.where()
    first = lately(connection, scope, LATELY).replace(day=1)
    return frame(
        connection,
        f"""
        SELECT lower(signing_domain) AS signing_domain, lower(selector) AS selector, source_key,
               sum(messages)::BIGINT AS messages
        FROM signature_month
        WHERE {where} AND day >= DATE '{first}' AND result = 'pass' AND selector <> ''
        GROUP BY ALL ORDER BY ALL
        """,
        values,
    )
