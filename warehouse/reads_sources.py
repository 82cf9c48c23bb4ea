"""One function for each question about sources. All return polars frames, from rollups; see `reads` for the sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from warehouse.connect import Connection
from warehouse.reads import SUMMED, frame
from warehouse.scope import Scope

FACTS = ("service", "service_type", "asn", "as_name", "as_domain", "country", "carrier")
"""What is known of a source by the commonest value among its addresses."""


def sources(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: the sums and what receivers did.

    Columns beside the sums: overridden, quarantined, rejected (messages), days, reporters
    (distinct), first_seen and last_seen (within the scope's days).
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT * FROM (
            SELECT domain, source_key, {SUMMED}, sum(overridden)::BIGINT AS overridden,
                   sum(quarantined)::BIGINT AS quarantined, sum(rejected)::BIGINT AS rejected,
                   count(DISTINCT day) AS days, min(day) AS first_seen, max(day) AS last_seen
            FROM source_day WHERE {where} GROUP BY domain, source_key
        ) JOIN (
            SELECT domain, source_key, count(*) AS reporters
            FROM (SELECT DISTINCT domain, source_key, reporter FROM daily WHERE {where}) GROUP BY domain, source_key
        ) USING (domain, source_key)
        """,
        [*values, *values],
    )


def first_seen(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: first_seen and last_seen over all time, and domain_first_day.

    Only the scope's domains count, not its days: a source is new when it was never seen before.
    """
    where, values = Scope(scope.domains, without=scope.without).where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, min(first_day) AS first_seen, max(last_day) AS last_seen,
               min(min(first_day)) OVER (PARTITION BY domain) AS domain_first_day
        FROM source_month WHERE {where} GROUP BY domain, source_key
        """,
        values,
    )


def reported_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and day with reports."""
    where, values = scope.where()
    return frame(
        connection, f"SELECT DISTINCT domain, day FROM reporter_day WHERE {where} ORDER BY domain, day", values
    )


def volumes(connection: Connection, scope: Scope, recent_days: int) -> pl.DataFrame:
    """Each domain and source_key with mail: how much, how steadily, how it aligned lately and before.

    n, dkim_aligned and spf_aligned are messages over the scope's days; recent_… those of the source's own last
    `recent_days`, earlier_… the others. active_days counts days with mail, span_days those from the first to the
    last. All Int64.
    """
    where, values = scope.where()
    first, last = _ends(connection, scope)
    return frame(
        connection,
        f"""
        WITH told AS (
            SELECT domain, source_key, sum(messages)::BIGINT AS n, sum(aligned)::BIGINT AS aligned,
                   sum(dkim_aligned)::BIGINT AS dkim_aligned, sum(spf_aligned)::BIGINT AS spf_aligned,
                   bit_count(bitstring_agg(day - DATE '{first}', 0, {(last - first).days})) AS active_days,
                   max(day) - min(day) + 1 AS span_days, max(day) AS last_day
            FROM source_day WHERE {where} GROUP BY domain, source_key
        ), late AS (
            SELECT domain, source_key, sum(s.messages)::BIGINT AS recent_n, sum(s.aligned)::BIGINT AS recent_aligned
            FROM (SELECT * FROM source_day WHERE {where}) s JOIN told USING (domain, source_key)
            WHERE day > last_day - {recent_days} GROUP BY domain, source_key
        )
        SELECT domain, source_key, n, recent_n, recent_aligned, n - recent_n AS earlier_n,
               aligned - recent_aligned AS earlier_aligned, dkim_aligned, spf_aligned, active_days, span_days
        FROM told JOIN late USING (domain, source_key)
        """,
        [*values, *values],
    )


def _ends(connection: Connection, scope: Scope) -> tuple[date, date]:
    """The first and the last day that the scope can have."""
    if scope.since and scope.until:
        return scope.since, max(scope.since, scope.until)
    row = connection.execute("SELECT min(day), max(day) FROM source_day").fetchone()
    first, last = row if row and row[0] else (date.min, date.min)
    first, last = max(first, scope.since or first), min(last, scope.until or last)
    return first, max(first, last)


def spf_sums(connection: Connection, scope: Scope, keys: str) -> pl.DataFrame:
    """Each of some keys (`source_key`, or it and `domain`) with messages aligned by SPF: how many (spf_aligned)."""
    told, values = months(scope, "source", "domain, source_key, spf_aligned")
    return frame(
        connection,
        f"SELECT {keys}, sum(spf_aligned)::BIGINT AS spf_aligned FROM {told} GROUP BY ALL HAVING sum(spf_aligned) > 0",
        values,
    )


def keys(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain of the scope and source_key that it ever had."""
    where, values = Scope(scope.domains).where()
    return frame(connection, f"SELECT DISTINCT domain, source_key FROM source_month WHERE {where} ORDER BY ALL", values)


def source_facts(connection: Connection, source_keys: Sequence[str] | None = None) -> pl.DataFrame:
    """Each source_key (of some, or all): what is known of its addresses, by the commonest value.

    Columns: source_key, service, service_type, asn, as_name, as_domain, country, carrier, ptr (a confirmed
    name if there is one), addresses (how many are known).
    """
    where = "true" if source_keys is None else "source_key IN (SELECT unnest(?::VARCHAR[]))"
    # Most sources' addresses agree, and an ordered mode costs more than all the rest.
    agree = " AND ".join(f"min({name}) IS NOT DISTINCT FROM max({name})" for name in (*FACTS, "confirmed"))
    alike = ", ".join(f"min({name}) AS {name}" for name in FACTS)
    modes = ", ".join(f"mode({name} ORDER BY {name}) AS {name}" for name in FACTS)
    return frame(
        connection,
        f"""
        WITH told AS (SELECT *, if(ptr_confirmed, ptr, NULL) AS confirmed FROM address WHERE {where}),
        known AS (
            SELECT source_key, {alike}, min(confirmed) AS ptr, count(*) AS addresses, {agree} AS agree
            FROM told GROUP BY source_key
        )
        SELECT * EXCLUDE (agree) FROM known WHERE agree
        UNION ALL
        SELECT source_key, {modes}, mode(confirmed ORDER BY confirmed) AS ptr, count(*) AS addresses
        FROM told WHERE source_key IN (SELECT source_key FROM known WHERE NOT agree) GROUP BY source_key
        """,
        [] if source_keys is None else [list(source_keys)],
    )


def source_ips(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: how many addresses its mail came from (ips)."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, count(*) AS ips
        FROM (SELECT DISTINCT domain, source_key, source_ip FROM address_day WHERE {where})
        GROUP BY domain, source_key
        """,
        values,
    )


def source_addresses(connection: Connection, scope: Scope, source_key: str = "") -> pl.DataFrame:
    """Each domain, source_key (or one of them) and source_ip: the sums, first_seen, last_seen; the largest first."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, source_ip, {SUMMED}, min(day) AS first_seen, max(day) AS last_seen
        FROM address_day WHERE {where} AND ? IN ('', source_key)
        GROUP BY domain, source_key, source_ip ORDER BY messages DESC, source_ip, domain
        """,
        [*values, source_key],
    )


def source_signatures(connection: Connection, scope: Scope, source_key: str = "") -> pl.DataFrame:
    """Each domain, source_key (or one of them), day and DKIM signature seen (signing_domain, selector, result).

    `messages` counts messages that carried it; one message may carry several, so these do not add
    up to a total. Messages without any signature have signing_domain NULL.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, signing_domain, selector, result, sum(messages)::BIGINT AS messages
        FROM signature_day WHERE {where} AND ? IN ('', source_key) GROUP BY ALL
        """,
        [*values, source_key],
    )


def source_envelopes(connection: Connection, scope: Scope, source_key: str = "") -> pl.DataFrame:
    """Each domain, source_key (or one of them), day, SPF-checked domain (spf_domain) and result: messages.

    Where several SPF results are given the first counts.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, spf_domain, result, sum(messages)::BIGINT AS messages
        FROM envelope_day WHERE {where} AND ? IN ('', source_key) GROUP BY ALL
        """,
        [*values, source_key],
    )


def signature_sums(connection: Connection, scope: Scope) -> pl.DataFrame:
    """`source_signatures` over all days of the scope together."""
    keys = "domain, source_key, signing_domain, selector, result"
    told, values = months(scope, "signature", f"{keys}, messages")
    return frame(connection, f"SELECT {keys}, sum(messages)::BIGINT AS messages FROM {told} GROUP BY ALL", values)


def envelope_sums(connection: Connection, scope: Scope) -> pl.DataFrame:
    """`source_envelopes` over all days of the scope together."""
    keys = "domain, source_key, spf_domain, result"
    told, values = months(scope, "envelope", f"{keys}, messages")
    return frame(connection, f"SELECT {keys}, sum(messages)::BIGINT AS messages FROM {told} GROUP BY ALL", values)


def source_reasons(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key, override reason (type) and comment: messages."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, "type", "comment", sum(messages)::BIGINT AS messages
        FROM reason_day WHERE {where} GROUP BY ALL
        """,
        values,
    )


def aligned_days(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key and day: messages and aligned, over all reporters."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, sum(messages)::BIGINT AS messages, sum(aligned)::BIGINT AS aligned
        FROM source_day WHERE {where} GROUP BY ALL
        """,
        values,
    )


def blockable(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key and day with messages that did not align: how many.

    `overridden` messages are those that the receiver said it would let through all the same, `blocked` those that
    were quarantined or rejected.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT domain, source_key, day, (sum(messages) - sum(aligned))::BIGINT AS messages,
               sum(failing_overridden)::BIGINT AS overridden, sum(failing_blocked)::BIGINT AS blocked
        FROM source_day WHERE {where} GROUP BY ALL HAVING sum(messages) > sum(aligned)
        """,
        values,
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
            FROM source_day WHERE {where} GROUP BY ALL HAVING sum(messages) > 0
        )
        SELECT domain, reporter, sum(messages)::BIGINT AS messages, count(DISTINCT source_key) AS sources,
               min(day) AS first_day, max(day) AS last_day
        FROM (SELECT * FROM told WHERE NOT counted)
             ANTI JOIN (SELECT * FROM told WHERE counted) USING (domain, source_key, day)
        GROUP BY domain, reporter ORDER BY domain, messages DESC, reporter
        """,
        [*more, *values],
    )


def months(scope: Scope, name: str, columns: str) -> tuple[str, list[object]]:
    """The rows of the rollup `name` on the scope's days: whole months by its months, what sticks out by its days."""
    where, values = replace(scope, since=None, until=None).where()
    first, last = scope.since, scope.until
    begin = (first.replace(day=1) + timedelta(days=31)).replace(day=1) if first and first.day > 1 else first
    end = (last + timedelta(days=1)).replace(day=1) if last else None
    if begin and end and begin >= end:
        where, values = scope.where()
        return f"(SELECT {columns} FROM {name}_day WHERE {where})", values
    whole = [f"day >= DATE '{begin}'"] * bool(begin) + [f"day < DATE '{end}'"] * bool(end)
    edges = [f"day >= DATE '{first}' AND day < DATE '{begin}'"] * (first != begin)
    edges += [f"day >= DATE '{end}' AND day <= DATE '{last}'"] * bool(last and end and end <= last)
    parts = [f"SELECT {columns} FROM {name}_month WHERE {' AND '.join([where, *whole])}"]
    parts += [f"SELECT {columns} FROM {name}_day WHERE {where} AND {edge}" for edge in edges]
    return f"({' UNION ALL '.join(parts)})", values * len(parts)
