"""What declarations and decisions ask of the warehouse: which sources a person means, and how those sent."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from warehouse.connect import Connection
from warehouse.reads import SUMS, frame
from warehouse.scope import Scope


def domains_of(connection: Connection, source_key: str) -> list[str]:
    """The domains that a source sends as, or that it was declared for, by name."""
    rows = connection.execute(
        """
        SELECT domain FROM daily WHERE source_key = $key
        UNION SELECT domain FROM current_decision WHERE source_key = $key ORDER BY ALL
        """,
        {"key": source_key},
    )
    return [domain for (domain,) in rows.fetchall()]


def called(connection: Connection, text: str, scope: Scope) -> pl.DataFrame:
    """The sources of the scope with an address, a service or an operator that is called so, whatever its case.

    Columns: source_key, service, as_name, messages; the largest first.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        WITH named AS (
            SELECT source_key, min(service) AS service, min(as_name) AS as_name FROM address
            WHERE lower(?) IN (source_ip, lower(service), lower(as_name), lower(as_domain)) GROUP BY source_key
        )
        SELECT source_key, service, as_name, sum(messages)::BIGINT AS messages
        FROM named JOIN source_month USING (source_key) WHERE {where} GROUP BY ALL ORDER BY messages DESC, source_key
        """,
        [text, *values],
    )


def sent_by(connection: Connection, scope: Scope, source_keys: Sequence[str]) -> pl.DataFrame:
    """Each domain, one of some sources, day and reporter: the sums. From daily, whose days are never pruned."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, reporter, {SUMS} FROM daily
        WHERE {where} AND source_key IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL ORDER BY ALL
        """,
        [*values, list(source_keys)],
    )


def addresses_of(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key and source_ip: messages."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, source_ip, sum(messages)::BIGINT AS messages
        FROM address_day WHERE {where} GROUP BY ALL
        """,
        values,
    )
