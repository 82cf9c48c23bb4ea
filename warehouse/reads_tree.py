"""Which names a domain's mail carries whose place in the tree of names matters. See `reads`."""

from __future__ import annotations

from dataclasses import replace

from warehouse.connect import Connection
from warehouse.scope import Scope

PLAIN = "[a-z0-9_.-]{1,253}"  # what DNS can hold of a name
LATELY = "day >= date_trunc('month', ?::DATE)"


def authors(connection: Connection, scope: Scope, most: int) -> list[tuple[str, int]]:
    """The names in From of the scope, in lower case, with their messages; those with mail that aligned come first.

    Others are anybody's, and anybody can send more of them than we would look at.
    """
    where, values = scope.where()
    rows = connection.execute(
        f"""
        SELECT lower(header_from) AS name, sum(messages)::BIGINT AS n FROM daily
        WHERE {where} AND regexp_full_match(lower(header_from), '{PLAIN}')
        GROUP BY name ORDER BY bool_or(dkim_aligned OR spf_aligned) DESC, n DESC, name LIMIT {most}
        """,
        values,
    )
    return [(name, messages) for name, messages in rows.fetchall()]


def authenticated(connection: Connection, scope: Scope, most: int) -> list[tuple[str, int]]:
    """The names for which DKIM or SPF passed in the months of the scope, with their messages; the largest first."""
    where, values = Scope(scope.domains, without=scope.without).where()
    since = scope.since
    month, at = (LATELY, [since]) if since else ("true", [])
    parts = [
        f"SELECT lower(rtrim({column}, '.')) AS name, messages FROM {table} WHERE {where} AND {month} "
        f"AND result = 'pass' AND regexp_full_match(name, '{PLAIN}')"
        for table, column in (("signature_month", "signing_domain"), ("envelope_month", "spf_domain"))
    ]
    rows = connection.execute(
        f"SELECT name, sum(messages)::BIGINT AS n FROM ({' UNION ALL '.join(parts)}) "
        f"GROUP BY name ORDER BY n DESC, name LIMIT {most}",
        [*values, *at, *values, *at],
    )
    return [(name, messages) for name, messages in rows.fetchall()]


def below(connection: Connection, domain: str, scope: Scope, most: int) -> list[str]:
    """The domains below one under which reports tell of mail on the scope's days; those with most mail first."""
    where, values = replace(scope, domains=()).where()
    rows = connection.execute(
        f"SELECT domain FROM reporter_day WHERE {where} AND ends_with(domain, '.' || ?) "
        f"GROUP BY domain ORDER BY sum(messages) DESC, domain LIMIT {most}",
        [*values, domain],
    )
    return [name for (name,) in rows.fetchall()]
