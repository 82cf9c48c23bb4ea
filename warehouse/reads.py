"""One function for each question that analysis and the app ask. All return polars frames.

Every function takes a session and a Scope, and answers from the smallest rollup that knows, unless it says that
it reads `aggregate_record`. `messages`, `aligned`, `dkim_aligned` and `spf_aligned` are sums of
messages (Int64); `aligned` means DKIM or SPF aligned, which is what DMARC counts.
"""

from __future__ import annotations

import sys
from datetime import date
from importlib import import_module
from typing import Any, Final

import polars as pl

from warehouse.connect import Connection
from warehouse.scope import Scope

FEW: Final = 5_000  # rows

SUMS = """
    sum(messages)::BIGINT AS messages,
    coalesce(sum(messages) FILTER (dkim_aligned OR spf_aligned), 0)::BIGINT AS aligned,
    coalesce(sum(messages) FILTER (dkim_aligned), 0)::BIGINT AS dkim_aligned,
    coalesce(sum(messages) FILTER (spf_aligned), 0)::BIGINT AS spf_aligned
"""


# The same over rollups whose columns are sums already.
SUMMED = """
    sum(messages)::BIGINT AS messages, sum(aligned)::BIGINT AS aligned,
    sum(dkim_aligned)::BIGINT AS dkim_aligned, sum(spf_aligned)::BIGINT AS spf_aligned
"""


def frame(connection: Connection, sql: str, values: list[Any] | None = None) -> pl.DataFrame:
    """The result of a query as a frame.

    pyarrow hands over many rows three times as fast as DuckDB itself, but takes longer to load than a kept answer to
    read: it is not loaded before a result has more than FEW.
    """
    if "pyarrow" in sys.modules:
        return connection.execute(sql, values or []).pl()
    rows = pl.DataFrame(connection.sql(sql, params=values or [])).rechunk()
    if rows.height > FEW:
        import_module("pyarrow")
    return rows


def domains(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain: the sums, first_day, last_day, and distinct reporters and days. Largest first."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, {SUMMED}, min(day) AS first_day, max(day) AS last_day,
               count(DISTINCT reporter) AS reporters, count(DISTINCT day) AS days
        FROM reporter_day WHERE {where} GROUP BY domain ORDER BY messages DESC, domain
        """,
        values,
    )


def first_day(connection: Connection, scope: Scope) -> date | None:
    """The first day of the scope with reports; None where there is none."""
    where, values = scope.where()
    row = connection.execute(f"SELECT min(day) FROM reporter_day WHERE {where}", values).fetchone()
    return row[0] if row else None


def last_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and its last_day, largest first: what `domains` says of days, without its costly counts."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, max(day) AS last_day FROM reporter_day
        WHERE {where} GROUP BY domain ORDER BY sum(messages) DESC, domain
        """,
        values,
    )


def last_told(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter and the last_day that it tells of, the latest first."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT reporter, max(day) AS last_day FROM reporter_day
        WHERE {where} GROUP BY reporter ORDER BY last_day DESC, reporter
        """,
        values,
    )


def daily_alignment(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and day: sums, reporters (distinct), and estimated (messages from spread reports)."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, day, {SUMMED}, count(DISTINCT reporter) AS reporters, sum(estimated)::BIGINT AS estimated
        FROM reporter_day WHERE {where} GROUP BY domain, day ORDER BY domain, day
        """,
        values,
    )


def source_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key, day and reporter, in no order: the sums. What drift is found in."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, reporter, {SUMS}
        FROM daily WHERE {where} GROUP BY ALL
        """,
        values,
    )


def reporter_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter, domain and day: the sums."""
    where, values = scope.where()
    return frame(
        connection,
        f"SELECT reporter, domain, day, {SUMMED} FROM reporter_day WHERE {where} GROUP BY ALL ORDER BY ALL",
        values,
    )


def attestations(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter, attestation, doubt and attested_by: reports, messages, first_day, last_day."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT reporter, attestation, doubt, attested_by, count(*) AS reports, sum(messages)::BIGINT AS messages,
               min(day) AS first_day, max(day) AS last_day
        FROM aggregate_report WHERE {where} GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def doubted(connection: Connection) -> pl.DataFrame:
    """Each reporter and doubt of its reports; `proven` says whether any report of that name is verified."""
    return frame(
        connection,
        """
        WITH verified AS (SELECT DISTINCT reporter FROM aggregate_report WHERE attestation = 'verified'),
        told AS (SELECT DISTINCT reporter, doubt FROM aggregate_report WHERE doubt <> '')
        SELECT reporter, doubt, lower(reporter) IN (SELECT lower(reporter) FROM verified) AS proven
        FROM told ORDER BY reporter, doubt
        """,
    )


def receipts(connection: Connection, days: int = 30) -> pl.DataFrame:
    """The last days on which report mails came: day, and the shares of them that are `verified` and `mismatch`.

    Days are of receipt, which no sender chooses.
    """
    return frame(
        connection,
        """
        SELECT coalesce(received_at, stored_at)::DATE AS day,
               avg((attestation = 'verified')::INTEGER) AS verified,
               avg((attestation = 'mismatch')::INTEGER) AS mismatch
        FROM aggregate_report WHERE attestation <> 'unattested' GROUP BY 1 ORDER BY 1 DESC LIMIT ?
        """,
        [days],
    )


def policy_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, day and policy that reporters saw published, with the number of reports and reporters."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, day, p, sp, np, adkim, aspf, pct, testing,
               count(*) AS reports, count(DISTINCT reporter) AS reporters
        FROM aggregate_report WHERE {where} GROUP BY ALL ORDER BY domain, day, reports DESC
        """,
        values,
    )


def reports(
    connection: Connection, scope: Scope, *, reporter: str = "", limit: int = 1000, source_key: str = ""
) -> pl.DataFrame:
    """Reports, latest first: report_key, day, days, reporter, domain, p, messages, records, attestation, …

    With `source_key` only those whose records tell of that source.
    """
    where, values = scope.where()
    of, more = "true", list[Any]()
    if source_key:
        addresses = "SELECT source_ip FROM address WHERE source_key = ?"
        of = f"report_key IN (SELECT report_key FROM aggregate_record WHERE {where} AND source_ip IN ({addresses}))"
        more = [*values, source_key]
    return frame(
        connection,
        f"""
        SELECT report_key, day, days, reporter, domain, p, messages, records, standard, report_id,
               begin_at, end_at, received_at, stored_at, origin, len(repairs) AS repairs,
               attestation, attested_by, attestation_status, doubt
        FROM aggregate_report WHERE {where} AND {of} AND (? = '' OR reporter = ?)
        ORDER BY day DESC, reporter, domain, report_key LIMIT ?
        """,
        [*values, *more, reporter, reporter, limit],
    )


def records(connection: Connection, scope: Scope, *, source_key: str = "", limit: int = 1000) -> pl.DataFrame:
    """Records behind a number, largest first, with the report they stand in. Reads aggregate_record."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT day, reporter, domain, header_from, source_ip, source_key, messages, disposition,
               dkim_aligned, spf_aligned, reasons, envelope_from, dkim, spf, report_key
        FROM aggregate_record JOIN address USING (source_ip)
        WHERE {where} AND (? = '' OR source_key = ?) ORDER BY messages DESC, day DESC, source_ip LIMIT ?
        """,
        [*values, source_key, source_key, limit],
    )


def report_records(connection: Connection, report_key: int) -> pl.DataFrame:
    """The records of one report, largest first. Reads aggregate_record."""
    return frame(
        connection,
        """
        SELECT source_ip, messages, disposition, dkim_aligned, spf_aligned, reasons, header_from,
               envelope_from, envelope_to, dkim, spf
        FROM aggregate_record WHERE report_key = ? ORDER BY messages DESC, source_ip
        """,
        [report_key],
    )


def decisions(connection: Connection) -> pl.DataFrame:
    """What people decided, each domain and source_key: decision, owner, note, until, decided_by, decided_at."""
    return frame(connection, "SELECT * EXCLUDE (decision_key) FROM current_decision ORDER BY domain, source_key")


def runs(connection: Connection, limit: int = 50) -> pl.DataFrame:
    """The latest runs of ingest and poll, with their reconciliation."""
    return frame(connection, "SELECT * FROM load_run ORDER BY run_key DESC LIMIT ?", [limit])
