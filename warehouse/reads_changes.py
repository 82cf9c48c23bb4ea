"""What finding changes asks of the warehouse, beside what reads.py answers. All return polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from warehouse.connect import Connection
from warehouse.reads import SUMMED, SUMS, frame
from warehouse.scope import Scope


def told_days(connection: Connection, scope: Scope, sources: pl.DataFrame | None = None) -> pl.DataFrame:
    """Each domain, source_key, day and reporter: the sums, and `estimated`: messages from reports of several days.

    `sources` (domain, source_key): only these.
    """
    where, values = scope.where()
    only = "true"
    if sources is not None:
        only = "(domain, source_key) IN (SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]))"
        values += [sources["domain"].to_list(), sources["source_key"].to_list()]
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, reporter, {SUMS},
               coalesce(sum(messages) FILTER (estimated), 0)::BIGINT AS estimated
        FROM daily WHERE {where} AND {only} GROUP BY ALL ORDER BY domain, source_key, day, reporter
        """,
        values,
    )


def sources(connection: Connection, scope: Scope, fewest: int) -> pl.DataFrame:
    """Each domain and source_key with at least `fewest` messages on the scope's days."""
    where, values = scope.where()
    return frame(
        connection,
        f"SELECT domain, source_key FROM daily WHERE {where} GROUP BY ALL HAVING sum(messages) >= ?",
        [*values, fewest],
    )


def books(connection: Connection, scope: Scope, sources: pl.DataFrame) -> pl.DataFrame:
    """Some sources (domain, source_key, first, closed_on) with the sums of their days from `first` on, and two texts.

    `state` is another one when anything is told otherwise of those days, and `past` when it is of those up to
    `closed_on`. Both add up over rows: they stay as they are when the rollup is melted.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        WITH wanted AS (
            SELECT unnest(?::VARCHAR[]) AS domain, unnest(?::VARCHAR[]) AS source_key,
                   unnest(?::DATE[]) AS first, unnest(?::DATE[]) AS closed_on
        ), told AS (
            SELECT *, messages * hash(day, reporter, dkim_aligned, spf_aligned, estimated)::HUGEINT AS word
            FROM daily WHERE {where}
        )
        SELECT domain, source_key, first, {SUMS}, first || ' ' || sum(word) AS state,
               first || ' ' || coalesce(sum(word) FILTER (day <= closed_on), 0) AS past
        FROM told JOIN wanted USING (domain, source_key) WHERE day >= first GROUP BY domain, source_key, first
        """,
        [*(sources[name].to_list() for name in ("domain", "source_key", "first", "closed_on")), *values],
    )


def source_sums(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: `messages`, `days` with mail, and `reporters`."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, sum(messages)::BIGINT AS messages, count(DISTINCT day) AS days,
               count(DISTINCT reporter) AS reporters
        FROM daily WHERE {where} AND messages > 0 GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def largest_sources(connection: Connection, scope: Scope, reporters: Sequence[str], most: int) -> pl.DataFrame:
    """The sources (domain, source_key) that each of the reporters tells most messages of, so many of each."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT DISTINCT domain, source_key FROM (
            SELECT domain, source_key, reporter, sum(messages) AS messages FROM daily
            WHERE {where} AND reporter IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL
        ) QUALIFY row_number() OVER (PARTITION BY reporter ORDER BY messages DESC, domain, source_key) <= ?
        """,
        [*values, list(reporters), most],
    )


def changed_addresses(connection: Connection, scope: Scope, sources: pl.DataFrame) -> pl.DataFrame:
    """Each source_ip of some sources (domain, source_key): the sums, first_seen, last_seen, asn and as_name."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT d.*, asn, as_name FROM (
            SELECT domain, source_key, source_ip, {SUMMED}, min(day) AS first_seen, max(day) AS last_seen
            FROM address_day
            WHERE {where} AND (domain, source_key) IN (SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]))
            GROUP BY domain, source_key, source_ip
        ) d LEFT JOIN address USING (source_ip) ORDER BY messages DESC, source_ip, domain
        """,
        [*values, sources["domain"].to_list(), sources["source_key"].to_list()],
    )


def dns_answers(connection: Connection, domains: Sequence[str]) -> pl.DataFrame:
    """Every answer of DNS that was seen below some organizational domains: the columns of dns_answer."""
    return frame(
        connection,
        """
        SELECT domain, name, rdtype, records, first_seen_at, last_seen_at FROM dns_answer
        WHERE domain IN (SELECT unnest(?::VARCHAR[])) ORDER BY domain, name, rdtype, first_seen_at
        """,
        [list(domains)],
    )


def dns_news(connection: Connection, domains: Sequence[str] = ()) -> tuple[int, datetime | None]:
    """How many answers of DNS are kept, and when the newest was seen first: the same while no edit was seen.

    Of some organizational domains, or of all where none is named.
    """
    row = connection.execute(
        "SELECT count(*), max(first_seen_at) FROM dns_answer WHERE ? OR domain IN (SELECT unnest(?::VARCHAR[]))",
        [not domains, list(domains)],
    ).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def from_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, header_from and day: the sums, and `estimated` as above."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, header_from, day, {SUMS},
               coalesce(sum(messages) FILTER (estimated), 0)::BIGINT AS estimated
        FROM daily WHERE {where} GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def heard(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter and day of the scope on which it told of any mail: messages."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT reporter, day, sum(messages)::BIGINT AS messages FROM reporter_day
        WHERE {where} GROUP BY reporter, day HAVING sum(messages) > 0 ORDER BY reporter, day
        """,
        values,
    )


def lateness(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter: `reports`, and the days from a day's beginning until its report was there.

    `usual` is the middle of them and `late` the slowest twentieth (Float64). A report of several days counts
    from its first. What was fetched long after it came to the mailbox counts by the mailbox.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT reporter, count(*) AS reports, median(took) AS usual, quantile_cont(took, 0.95) AS late
        FROM (
            SELECT reporter, epoch(coalesce(received_at, stored_at) - day) / 86400.0 AS took
            FROM aggregate_report WHERE {where}
        ) WHERE took >= 0 GROUP BY reporter ORDER BY reporter
        """,
        values,
    )


def waits(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter and `hour` after a day's beginning: how many `reports` on it came then.

    What came later than a fortnight was an archive. Otherwise as in `lateness`.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT reporter, floor(took)::INTEGER AS hour, count(*) AS reports
        FROM (
            SELECT reporter, epoch(coalesce(received_at, stored_at) - day) / 3600.0 AS took
            FROM aggregate_report WHERE {where}
        ) WHERE took >= 0 AND took < 14 * 24 GROUP BY ALL ORDER BY ALL
        """,
        values,
    )
