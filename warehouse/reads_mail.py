"""One function for each question about TLS reports, failure reports and bounces. All return polars frames.

Every function takes a session and a Scope; its domains are the policy-domain of TLS reports, the reported domain of
failure reports, and the domain that had sent (or is said to have sent) what bounced.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from warehouse.connect import Connection
from warehouse.reads import frame
from warehouse.scope import Scope

SESSIONS: Final = """
    sum(total_successful_session_count)::BIGINT AS successful_sessions,
    sum(total_failure_session_count)::BIGINT AS failed_sessions
"""
KINDS: Final = {"tls": "tls_policy", "failures": "failure_report", "bounces": "delivery_status"}


def last_days(connection: Connection, kind: str) -> dict[str, date]:
    """Each domain that a kind of KINDS knows, with the newest day it has data of."""
    rows = connection.execute(f"SELECT domain, max(day) FROM {KINDS[kind]} GROUP BY domain").fetchall()
    return dict(rows)


# -- TLS reports ----------------------------------------------------------------------------------


def tls_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and day: successful_sessions, failed_sessions, reporters (distinct)."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, day, {SESSIONS}, count(DISTINCT reporter) AS reporters
        FROM tls_policy WHERE {where} GROUP BY domain, day ORDER BY domain, day
        """,
        values,
    )


def tls_policies(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and policy_type: the sessions, reporters, first_day, last_day; most sessions first."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, policy_type, {SESSIONS}, count(DISTINCT reporter) AS reporters,
               min(day) AS first_day, max(day) AS last_day
        FROM tls_policy WHERE {where} GROUP BY domain, policy_type
        ORDER BY successful_sessions + failed_sessions DESC, domain, policy_type
        """,
        values,
    )


def tls_failures(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, result_type, mail server and reason: failed_sessions, senders and reporters (distinct), days."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, policy_type, result_type, receiving_mx_hostname, failure_reason_code,
               sum(failed_session_count)::BIGINT AS failed_sessions,
               count(DISTINCT sending_mta_ip) AS senders, count(DISTINCT reporter) AS reporters,
               min(day) AS first_day, max(day) AS last_day
        FROM tls_failure WHERE {where} GROUP BY ALL
        ORDER BY failed_sessions DESC, domain, result_type, receiving_mx_hostname, failure_reason_code
        """,
        values,
    )


# -- failure reports ------------------------------------------------------------------------------


def failure_sources(connection: Connection, scope: Scope, *, complaints: bool = False) -> pl.DataFrame:
    """Each domain, header_from and source_ip: incidents, reports, reporters (distinct), what failed, days.

    `complaints` asks for the feedback of other types instead (abuse and its like, RFC 5965).
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, header_from, source_ip, sum(incidents)::BIGINT AS incidents, count(*) AS reports,
               count(DISTINCT reporter) AS reporters, mode(spf_result) AS spf_result,
               mode(dkim_result) AS dkim_result, mode(dkim_domain) AS dkim_domain,
               mode(dkim_selector) AS dkim_selector, mode(mail_from_domain) AS mail_from_domain,
               mode(delivery_result) AS delivery_result, min(day) AS first_day, max(day) AS last_day
        FROM failure_report WHERE {where} AND (feedback_type = 'auth-failure') <> ?
        GROUP BY domain, header_from, source_ip ORDER BY incidents DESC, domain, header_from, source_ip
        """,
        [*values, complaints],
    )


def failures(connection: Connection, scope: Scope, *, complaints: bool = False, limit: int = 1000) -> pl.DataFrame:
    """Failure reports, latest first; those of other feedback types where `complaints` is set."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT * EXCLUDE (message_hash, run_key, parser_version, repairs), len(repairs) AS repairs
        FROM failure_report WHERE {where} AND (feedback_type = 'auth-failure') <> ?
        ORDER BY day DESC, arrival_at DESC, failure_report_key DESC LIMIT ?
        """,
        [*values, complaints, limit],
    )


# -- bounces --------------------------------------------------------------------------------------


def deliveries(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, action, code and recipient_domain: recipients, addresses (distinct), notices, days.

    Columns beside: code_class, code_subject, code_meaning, smtp_code, and the commonest remote_mta and diagnostic.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, action, code_class, code_subject, code, code_meaning, smtp_code, recipient_domain,
               count(*) AS recipients, count(DISTINCT recipient_pseudonym) AS addresses,
               count(DISTINCT notice_key) AS notices, mode(remote_mta) AS remote_mta,
               mode(diagnostic) AS diagnostic, min(day) AS first_day, max(day) AS last_day
        FROM delivery_status WHERE {where}
        GROUP BY domain, action, code_class, code_subject, code, code_meaning, smtp_code, recipient_domain
        ORDER BY recipients DESC, domain, recipient_domain, code, smtp_code, action
        """,
        values,
    )


def refusals(connection: Connection, scope: Scope) -> pl.DataFrame:
    """What was said of recipients, the same said on a day together: recipients, pseudonyms (a list) and the columns.

    Columns beside: day, domain, action, code, code_class, smtp_code, diagnostic, message_id_domain, recipient_domain,
    remote_mta.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, action, code, code_class, smtp_code, diagnostic, message_id_domain, day, recipient_domain,
               remote_mta, count(*) AS recipients, list(DISTINCT recipient_pseudonym) AS pseudonyms
        FROM delivery_status WHERE {where} GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def delivery_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, day, action and code_class: recipients and notices."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, day, action, code_class, count(*) AS recipients, count(DISTINCT notice_key) AS notices
        FROM delivery_status WHERE {where} GROUP BY ALL ORDER BY ALL
        """,
        values,
    )


def delivery_statuses(connection: Connection, scope: Scope, *, limit: int = 1000) -> pl.DataFrame:
    """Recipients of bounces one by one, latest first."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT * EXCLUDE (message_hash, run_key, parser_version, repairs), len(repairs) AS repairs
        FROM delivery_status WHERE {where}
        ORDER BY day DESC, sent_at DESC, notice_key DESC, recipient_index LIMIT ?
        """,
        [*values, limit],
    )
