"""What finding changes asks of the warehouse, beside what reads.py answers. All return polars frames."""

from __future__ import annotations

from datetime import date, datetime, time

import polars as pl

from warehouse.connect import Connection
from warehouse.reads import SUMS, frame
from warehouse.scope import Scope


def told_days(connection: Connection, scope: Scope, known_at: date | None = None) -> pl.DataFrame:
    """Each domain, source_key, day and reporter: the sums, and `estimated`: messages from reports of several days.

    `known_at` leaves out what was stored after that day (UTC); it reads aggregate_record then, and so cannot
    tell of days whose records were pruned.
    """
    where, values = scope.where()
    daily, known = "daily", list[object]()
    if known_at:
        daily, known = f"({KNOWN})", [datetime.combine(known_at, time.max)]
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, reporter, {SUMS},
               coalesce(sum(messages) FILTER (estimated), 0)::BIGINT AS estimated
        FROM {daily} WHERE {where} GROUP BY ALL ORDER BY domain, source_key, day, reporter
        """,
        [*known, *values],
    )


KNOWN = """
    SELECT r.day + i::INTEGER AS day, r.domain, r.header_from, a.source_key, r.reporter, r.dkim_aligned, r.spf_aligned,
           r.doubt, t.days > 1 AS estimated,
           sum(r.messages // t.days + (i < r.messages % t.days)::BIGINT)::BIGINT AS messages
    FROM aggregate_record r JOIN aggregate_report t USING (report_key) JOIN address a USING (source_ip),
         unnest(range(t.days)) AS spread(i)
    WHERE t.stored_at <= ?
    GROUP BY ALL
"""
"""The daily rollup as it was when only reports stored up to an instant were known."""


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
