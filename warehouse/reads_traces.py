"""What is told of a source beside its totals: by reporter, by its hosts' names, by kind of day, by visible name."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from warehouse.blocklists import HOLDS
from warehouse.connect import Connection
from warehouse.reads import frame
from warehouse.scope import Scope


def told(connection: Connection, scope: Scope, recent_days: int) -> pl.DataFrame:
    """Each domain, source_key and reporter: messages and aligned, and the same of the source's own last days.

    Columns: messages, aligned, recent_messages, recent_aligned (Int64).
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        WITH ends AS (SELECT domain, source_key, max(day) AS last_day FROM daily WHERE {where} GROUP BY ALL),
        told AS (
            SELECT domain, source_key, reporter, messages, if(dkim_aligned OR spf_aligned, messages, 0) AS aligned,
                   day > last_day - {recent_days} AS recent
            FROM (SELECT * FROM daily WHERE {where}) JOIN ends USING (domain, source_key)
        )
        SELECT domain, source_key, reporter, sum(messages)::BIGINT AS messages, sum(aligned)::BIGINT AS aligned,
               coalesce(sum(messages) FILTER (recent), 0)::BIGINT AS recent_messages,
               coalesce(sum(aligned) FILTER (recent), 0)::BIGINT AS recent_aligned
        FROM told GROUP BY domain, source_key, reporter HAVING sum(messages) > 0
        """,
        [*values, *values],
    )


def hosts(connection: Connection, scope: Scope, own: Sequence[tuple[str, str]] = ()) -> pl.DataFrame:
    """Each domain, source_key and reverse name (ptr, with confirmed): messages and addresses (Int64).

    Of the messages, those from addresses that a blocklist answered for (asked), and that one holds (blocklisted);
    and those from the domain's own hosts (own), of which `own` gives domain and address.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        WITH sent AS (
            SELECT domain, source_key, source_ip, sum(messages) AS messages
            FROM address_day WHERE {where} GROUP BY ALL HAVING sum(messages) > 0
        ), lists AS ({HOLDS}),
        ours AS (SELECT unnest(?::VARCHAR[]) AS domain, unnest(?::VARCHAR[]) AS source_ip, true AS own)
        SELECT domain, sent.source_key, ptr, coalesce(ptr_confirmed, false) AS confirmed,
               sum(messages)::BIGINT AS messages, count(*) AS addresses,
               coalesce(sum(messages) FILTER (holds IS NOT NULL), 0)::BIGINT AS asked,
               coalesce(sum(messages) FILTER (holds), 0)::BIGINT AS blocklisted,
               coalesce(sum(messages) FILTER (own), 0)::BIGINT AS own
        FROM sent LEFT JOIN address USING (source_ip) LEFT JOIN lists USING (source_ip)
        LEFT JOIN ours USING (domain, source_ip) GROUP BY ALL
        """,
        [*values, [domain for domain, _ in own], [ip for _, ip in own]],
    )


def rhythm(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: messages at weekends, at month ends, on its largest day, and its days with mail.

    Columns: weekend, month_end (last two and first two days of a month), largest, mail_days (Int64).
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        WITH each AS (
            SELECT domain, source_key, day, sum(messages)::BIGINT AS messages
            FROM source_day WHERE {where} GROUP BY ALL HAVING sum(messages) > 0
        )
        SELECT domain, source_key,
               coalesce(sum(messages) FILTER (isodow(day) > 5), 0)::BIGINT AS weekend,
               coalesce(sum(messages) FILTER (day(day) <= 2 OR day(day + 2) <= 2), 0)::BIGINT AS month_end,
               max(messages) AS largest, count(*) AS mail_days
        FROM each GROUP BY ALL
        """,
        values,
    )


def names(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: messages under visible names of which no mail ever aligned (unreal, Int64)."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        WITH each AS (
            SELECT domain, source_key, header_from, sum(messages) AS messages,
                   sum(messages) FILTER (dkim_aligned OR spf_aligned) AS aligned
            FROM daily WHERE {where} GROUP BY ALL
        ), real AS (SELECT domain, header_from FROM each GROUP BY ALL HAVING sum(aligned) > 0)
        SELECT domain, source_key, sum(messages)::BIGINT AS unreal
        FROM each ANTI JOIN real USING (domain, header_from) WHERE header_from <> domain GROUP BY ALL
        """,
        values,
    )
