"""One function for each question that analysis and the app ask. All return polars frames.

Every function takes a session and a Scope, and answers from the rollup `daily` unless it says that
it reads `aggregate_record`. `messages`, `aligned`, `dkim_aligned` and `spf_aligned` are sums of
messages (Int64); `aligned` means DKIM or SPF aligned, which is what DMARC counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from warehouse.connect import Connection
from warehouse.scope import Scope

SUMS = """
    sum(messages)::BIGINT AS messages,
    coalesce(sum(messages) FILTER (dkim_aligned OR spf_aligned), 0)::BIGINT AS aligned,
    coalesce(sum(messages) FILTER (dkim_aligned), 0)::BIGINT AS dkim_aligned,
    coalesce(sum(messages) FILTER (spf_aligned), 0)::BIGINT AS spf_aligned
"""


def frame(connection: Connection, sql: str, values: list[Any] | None = None) -> pl.DataFrame:
    """The result of a query as a frame."""
    return connection.execute(sql, values or []).pl()


def domains(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain: the sums, first_day, last_day, and distinct sources, reporters and days. Largest first."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, {SUMS}, min(day) AS first_day, max(day) AS last_day,
               count(DISTINCT source_key) AS sources, count(DISTINCT reporter) AS reporters,
               count(DISTINCT day) AS days
        FROM daily WHERE {where} GROUP BY domain ORDER BY messages DESC, domain
        """,
        values,
    )


def last_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and its last_day, largest first: what `domains` says of days, without its costly counts."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, max(day) AS last_day FROM daily
        WHERE {where} GROUP BY domain ORDER BY sum(messages) DESC, domain
        """,
        values,
    )


def daily_alignment(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and day: sums, reporters (distinct), and estimated (messages from spread reports)."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, day, {SUMS}, count(DISTINCT reporter) AS reporters,
               coalesce(sum(messages) FILTER (estimated), 0)::BIGINT AS estimated
        FROM daily WHERE {where} GROUP BY domain, day ORDER BY domain, day
        """,
        values,
    )


def source_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key, day and reporter: the sums. What drift is found in."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, reporter, {SUMS}
        FROM daily WHERE {where} GROUP BY ALL ORDER BY domain, source_key, day, reporter
        """,
        values,
    )


def sources(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: the sums and what receivers did.

    Columns beside the sums: overridden, quarantined, rejected (messages), days, reporters
    (distinct), first_seen and last_seen (within the scope's days).
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, {SUMS},
               coalesce(sum(messages) FILTER (overridden), 0)::BIGINT AS overridden,
               coalesce(sum(messages) FILTER (disposition = 'quarantine'), 0)::BIGINT AS quarantined,
               coalesce(sum(messages) FILTER (disposition = 'reject'), 0)::BIGINT AS rejected,
               count(DISTINCT day) AS days, count(DISTINCT reporter) AS reporters,
               min(day) AS first_seen, max(day) AS last_seen
        FROM daily WHERE {where} GROUP BY domain, source_key ORDER BY messages DESC, domain, source_key
        """,
        values,
    )


def first_seen(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: first_seen and last_seen over all time, and domain_first_day.

    Only the scope's domains count, not its days: a source is new when it was never seen before.
    """
    where, values = Scope(scope.domains, without=scope.without).where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, min(day) AS first_seen, max(day) AS last_seen,
               min(min(day)) OVER (PARTITION BY domain) AS domain_first_day
        FROM daily WHERE {where} GROUP BY domain, source_key ORDER BY domain, source_key
        """,
        values,
    )


def source_facts(connection: Connection) -> pl.DataFrame:
    """Each source_key: what is known of its addresses, by the commonest value.

    Columns: source_key, service, service_type, asn, as_name, as_domain, country, ptr (a confirmed
    name if there is one), addresses (how many are known).
    """
    return frame(
        connection,
        """
        SELECT source_key,
               mode(service ORDER BY service) AS service,
               mode(service_type ORDER BY service_type) AS service_type,
               mode(asn ORDER BY asn) AS asn,
               mode(as_name ORDER BY as_name) AS as_name,
               mode(as_domain ORDER BY as_domain) AS as_domain,
               mode(country ORDER BY country) AS country,
               mode(ptr ORDER BY ptr) FILTER (ptr_confirmed) AS ptr,
               count(*) AS addresses
        FROM address GROUP BY source_key ORDER BY source_key
        """,
    )


def source_addresses(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key and source_ip: the sums, first_seen, last_seen. Reads aggregate_record."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, source_ip, {SUMS}, min(day) AS first_seen, max(day) AS last_seen
        FROM aggregate_record JOIN address USING (source_ip)
        WHERE {where} GROUP BY domain, source_key, source_ip ORDER BY messages DESC, source_ip
        """,
        values,
    )


def source_signatures(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key, day and DKIM signature seen (signing_domain, selector, result).

    `messages` counts messages that carried it; one message may carry several, so these do not add
    up to a total. Messages without any signature have signing_domain NULL. Reads aggregate_record.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, d.domain AS signing_domain, d.selector AS selector,
               d.result AS result, sum(messages)::BIGINT AS messages
        FROM (
            SELECT domain, source_key, day, messages,
                   unnest(CASE WHEN len(dkim) = 0 THEN [NULL] ELSE dkim END) AS d
            FROM aggregate_record JOIN address USING (source_ip) WHERE {where}
        ) GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def source_envelopes(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key, day, SPF-checked domain (spf_domain) and result: messages.

    Where several SPF results are given the first counts. Reads aggregate_record.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, coalesce(spf[1].domain, envelope_from) AS spf_domain,
               spf[1].result AS result, sum(messages)::BIGINT AS messages
        FROM aggregate_record JOIN address USING (source_ip) WHERE {where} GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def source_reasons(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key, override reason (type) and comment: messages. Reads aggregate_record."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, r.type AS type, r.comment AS comment, sum(messages)::BIGINT AS messages
        FROM (
            SELECT domain, source_key, messages, unnest(reasons) AS r
            FROM aggregate_record JOIN address USING (source_ip) WHERE {where}
        ) GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def reporter_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter, domain and day: the sums."""
    where, values = scope.where()
    return frame(
        connection,
        f"SELECT reporter, domain, day, {SUMS} FROM daily WHERE {where} GROUP BY ALL ORDER BY ALL",
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
        SELECT DISTINCT reporter, doubt, lower(reporter) IN
               (SELECT lower(reporter) FROM aggregate_report WHERE attestation = 'verified') AS proven
        FROM aggregate_report WHERE doubt <> '' ORDER BY reporter, doubt
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


def lone_claims(connection: Connection, scope: Scope) -> pl.DataFrame:
    """What only reports say that are left out (`scope.without`): each domain and reporter: messages, sources, days.

    A source on a day that any other report tells of as well is not in it.
    """
    where, values = replace(scope, without=()).where()
    counted, more = scope.counted()
    return frame(
        connection,
        f"""
        WITH told AS (
            SELECT domain, source_key, day, reporter, {" AND ".join(counted) or "true"} AS counted,
                   sum(messages)::BIGINT AS messages
            FROM daily WHERE {where} GROUP BY ALL HAVING sum(messages) > 0
        )
        SELECT domain, reporter, sum(messages)::BIGINT AS messages, count(DISTINCT source_key) AS sources,
               min(day) AS first_day, max(day) AS last_day
        FROM (SELECT * FROM told WHERE NOT counted)
             ANTI JOIN (SELECT * FROM told WHERE counted) USING (domain, source_key, day)
        GROUP BY domain, reporter ORDER BY domain, messages DESC, reporter
        """,
        [*more, *values],
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


def blockable(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, header_from, source_key, reporter, day and disposition: messages that did not align.

    `overridden` messages are those that the receiver said it would let through all the same.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, header_from, source_key, reporter, day, disposition,
               sum(messages)::BIGINT AS messages,
               coalesce(sum(messages) FILTER (overridden), 0)::BIGINT AS overridden
        FROM daily WHERE {where} AND NOT dkim_aligned AND NOT spf_aligned
        GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def reports(connection: Connection, scope: Scope, *, reporter: str = "", limit: int = 1000) -> pl.DataFrame:
    """Reports, latest first: report_key, day, days, reporter, domain, p, messages, records, attestation, …"""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT report_key, day, days, reporter, domain, p, messages, records, standard, report_id,
               begin_at, end_at, received_at, stored_at, origin, len(repairs) AS repairs,
               attestation, attested_by, attestation_status, doubt
        FROM aggregate_report WHERE {where} AND (? = '' OR reporter = ?)
        ORDER BY day DESC, reporter, domain, report_key LIMIT ?
        """,
        [*values, reporter, reporter, limit],
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
