"""What the ledger of a candidate policy is reckoned from. All return polars frames; see `reads`."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from warehouse.connect import Connection
from warehouse.reads import frame
from warehouse.scope import Scope

STRICT = "('quarantine', 'reject')"
# The domains that passed, and whether the visible one is among them.
PASSED = "list_transform(list_filter({}, lambda one: one.result = 'pass'), lambda one: lower(one.domain))"
EXACT = f"list_contains({PASSED}, lower(header_from))"
# Mail that was passed on is excused under any policy; a receiver's other reasons are its own manner.
EXCUSED = """list_bool_or(list_transform(reasons, lambda one:
    one.type IN ('forwarded', 'mailing_list', 'trusted_forwarder')
    OR coalesce(one.type = 'local_policy' AND contains(one.comment, 'arc=pass'), false)))"""


def outcomes(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, day, header_from, source_key, reporter and how it went: messages. From the rollup.

    How it went: disposition, dkim_aligned, spf_aligned (as judged by the mode of the day), overridden.
    """
    where, values = scope.where()
    keys = "domain, day, header_from, source_key, reporter, disposition, dkim_aligned, spf_aligned, overridden"
    told = f"SELECT {keys}, sum(messages)::BIGINT AS messages FROM daily WHERE {where} GROUP BY ALL"
    return frame(connection, told, values)


def outcomes_by_name(connection: Connection, scope: Scope, *, every: bool = False) -> pl.DataFrame:
    """The same with what other alignment modes need. Reads aggregate_record: pruned days have none.

    dkim_told and spf_told: the record names a domain that passed; dkim_exact and spf_exact: one is header_from itself;
    dkim_passed and spf_passed: the domains that passed where that was not enough, else empty lists. With `every` they
    are there in any case.
    """
    where, values = scope.where()
    marks = ", ".join(
        f"len({kind}_ok) > 0 AS {kind}_told, list_contains({kind}_ok, lower(header_from)) AS {kind}_exact, "
        f"if({kind}_aligned AND NOT {every}, [], list_sort(list_distinct({kind}_ok))) AS {kind}_passed"
        for kind in ("dkim", "spf")
    )
    return frame(
        connection,
        f"""
        WITH told AS MATERIALIZED (
            SELECT * EXCLUDE (dkim, spf), {PASSED.format("dkim")} AS dkim_ok, {PASSED.format("spf")} AS spf_ok
            FROM aggregate_record WHERE {where}
        )
        SELECT domain, day + i::INTEGER AS day, header_from, source_key, reporter, disposition, dkim_aligned,
               spf_aligned, len(reasons) > 0 AS overridden, {marks},
               sum(messages // days + (i < messages % days)::BIGINT)::BIGINT AS messages
        FROM told JOIN (SELECT report_key, days FROM aggregate_report WHERE {where}) USING (report_key)
             JOIN address USING (source_ip), unnest(range(days)) AS spread(i)
        GROUP BY ALL
        """,
        [*values, *values],
    )


def policies_seen(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each domain, day and reporter: the policy it saw (p, sp, adkim, aspf, pct, testing), and the standard it writes.

    discovery_method is how it finds records, where it says so: psl or treewalk.

    Where a reporter saw several on a day, the one of most of its reports.
    """
    where, values = scope.where()
    names = ("p", "sp", "adkim", "aspf", "pct", "testing", "standard", "discovery_method")
    modes = ", ".join(f"mode({name} ORDER BY {name}) AS {name}" for name in names)
    told = f"SELECT domain, day, reporter, {modes} FROM aggregate_report WHERE {where} GROUP BY domain, day, reporter"
    return frame(connection, told, values)


def enforcement(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter and day on which a policy asked to block: failing messages, and those blocked of them.

    Only where p and sp both ask for it, of all mail. What was excused as forwarded is in neither. Reads
    aggregate_record.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT reporter, day, sum(messages)::BIGINT AS failing,
               coalesce(sum(messages) FILTER (disposition IN {STRICT}), 0)::BIGINT AS blocked
        FROM aggregate_record SEMI JOIN (
            SELECT report_key FROM aggregate_report WHERE {where} AND p IN {STRICT} AND coalesce(sp, p) IN {STRICT}
            AND coalesce(pct, 100) >= 100 AND coalesce(testing, '') <> 'y'
        ) USING (report_key)
        WHERE {where} AND NOT dkim_aligned AND NOT spf_aligned AND NOT coalesce({EXCUSED}, false)
        GROUP BY reporter, day ORDER BY reporter, day
        """,
        [*values, *values],
    )


def living_names(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each header_from that surely exists in DNS: DKIM or SPF passed for exactly that name. Reads aggregate_record."""
    where, values = scope.where()
    seen = " OR ".join(EXACT.format(kind) for kind in ("dkim", "spf"))
    return frame(
        connection,
        f"SELECT DISTINCT lower(header_from) AS header_from FROM aggregate_record WHERE {where} AND ({seen})",
        values,
    )


def deep_names(connection: Connection, domain: str, scope: Scope) -> pl.DataFrame:
    """Each name in From at least two labels below `domain`: whose policy was applied to it, and how that was found.

    Columns: header_from, policy_domain, discovery_method, messages; the 200 with most mail. Only the scope's days
    count, for the domain and whatever is below it. Reads aggregate_record.
    """
    where, values = _at_or_below(connection, domain, scope).where()
    return frame(
        connection,
        f"""
        SELECT lower(header_from) AS header_from, domain AS policy_domain, discovery_method,
               sum(messages)::BIGINT AS messages
        FROM aggregate_record
             JOIN (SELECT report_key, discovery_method FROM aggregate_report WHERE {where}) USING (report_key)
        WHERE {where} AND ends_with(lower(header_from), '.' || ?)
              AND len(string_split(header_from, '.')) > len(string_split(?, '.')) + 1
        GROUP BY ALL ORDER BY messages DESC, header_from LIMIT 200
        """,
        [*values, *values, domain, domain],
    )


def names_below(connection: Connection, domain: str, scope: Scope) -> pl.DataFrame:
    """Each name in From below `domain`, under whatever domain reports tell of it, and source, on the scope's days.

    Columns: header_from (in lower case), domain, source_key, messages, failing (aligned by neither mechanism), refused
    (of them, quarantined or rejected); names with most mail first. From the rollup.
    """
    where, values = _at_or_below(connection, domain, scope).where()
    told = frame(
        connection,
        f"""
        SELECT lower(header_from) AS header_from, domain, source_key, sum(messages)::BIGINT AS messages,
               coalesce(sum(messages) FILTER (NOT dkim_aligned AND NOT spf_aligned), 0)::BIGINT AS failing,
               coalesce(sum(messages) FILTER (
                   NOT dkim_aligned AND NOT spf_aligned AND disposition IN {STRICT}), 0)::BIGINT AS refused
        FROM daily WHERE {where} AND ends_with(lower(header_from), '.' || ?)
        GROUP BY ALL
        """,
        [*values, domain],
    )
    most = pl.col("messages").sum().over("header_from")
    return told.sort(most, "header_from", "domain", "source_key", descending=[True, False, False, False])


def _at_or_below(connection: Connection, domain: str, scope: Scope) -> Scope:
    """The scope with the domain and every domain below it of which reports tell on its days."""
    where, values = replace(scope, domains=()).where()
    found = connection.execute(
        f"SELECT DISTINCT domain FROM reporter_day WHERE {where} AND (domain = ? OR ends_with(domain, '.' || ?))",
        [*values, domain, domain],
    )
    return replace(scope, domains=tuple(name for (name,) in found.fetchall()) or (domain,))
