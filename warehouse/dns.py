"""What DNS answered for names that the owners of our domains set up: what to ask, and what is kept, with its times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from warehouse.answers import Answers
from warehouse.answers import keep as keep_answers
from warehouse.connect import Connection
from warehouse.instants import naive
from warehouse.scope import Scope

if TYPE_CHECKING:
    import pyarrow as pa

DOMAINS = 500  # asked for in one run, those with most mail first
KEYS, PATHS = 30, 20  # names of one domain, those with most mail first: whoever writes reports can invent any number
LATELY = 92  # days before the newest report whose mail shows names to ask for


def _columns() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - whoever only reads need not load it

    return pa.schema([
        *((name, pa.string()) for name in ("domain", "name", "rdtype")),
        ("records", pa.list_(pa.string())),
        ("first_seen_at", pa.timestamp("us")),
        ("last_seen_at", pa.timestamp("us")),
    ])  # fmt: skip


KEPT = Answers("dns_answer", "current_dns", _columns, asked=3)


class Due(NamedTuple):
    """A domain of ours to ask for, with what its mail passes by: (selector, signing domain) and return paths."""

    domain: str
    keys: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]


class Told(Protocol):
    """An answer of DNS."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def rdtype(self) -> str: ...  # noqa: D102
    @property
    def values(self) -> tuple[str, ...]: ...  # noqa: D102


def domains(connection: Connection, scope: Scope) -> list[str]:
    """Domains with mail that aligned lately, those with most of it first: mail that is never ours asks nobody."""
    where, values = scope.where()
    rows = connection.execute(
        f"""
        SELECT domain FROM reporter_day WHERE {where} AND day >= DATE '{lately(connection, scope, LATELY)}'
        GROUP BY domain HAVING sum(aligned) > 0 ORDER BY sum(messages) DESC, domain
        """,
        values,
    ).fetchall()
    return [domain for (domain,) in rows]


def lately(connection: Connection, scope: Scope, days: int) -> date:
    """The day that is so many before the newest one of the scope's own reports.

    Whoever asks gives a scope that ends where days are believed: a report of a day to come would make all others old.
    """
    where, values = scope.where()
    row = connection.execute(f"SELECT max(day) FROM reporter_day WHERE {where}", values).fetchone()
    newest: date | None = row[0] if row else None
    return newest - timedelta(days=days) if newest else date.max


def shown(connection: Connection, scope: Scope, organizations: Mapping[str, str]) -> list[Due]:
    """What the mail of domains passes by below their own organizational domain (`organizations`, by domain)."""
    where, values = scope.where()
    of = "SELECT unnest(?::VARCHAR[]) AS domain, unnest(?::VARCHAR[]) AS org"
    own = [list(organizations), list(organizations.values())]
    late = f"day >= DATE '{lately(connection, scope, LATELY).replace(day=1)}'"
    keys = connection.execute(
        f"""
        WITH ours AS ({of})
        SELECT org, lower(selector), lower(signing_domain)
        FROM signature_month JOIN ours USING (domain)
        WHERE {where} AND {late} AND result = 'pass' AND selector <> ''
          AND (lower(signing_domain) = org OR ends_with(lower(signing_domain), '.' || org))
        GROUP BY org, lower(selector), lower(signing_domain)
        QUALIFY row_number() OVER (PARTITION BY org ORDER BY sum(messages) DESC, lower(selector)) <= {KEYS}
        """,
        [*own, *values],
    ).fetchall()
    paths = connection.execute(
        f"""
        WITH ours AS ({of})
        SELECT org, lower(spf_domain) FROM envelope_month JOIN ours USING (domain)
        WHERE {where} AND {late} AND result = 'pass' AND ends_with(lower(spf_domain), '.' || org)
        GROUP BY org, lower(spf_domain)
        QUALIFY row_number() OVER (PARTITION BY org ORDER BY sum(messages) DESC, lower(spf_domain)) <= {PATHS}
        """,
        [*own, *values],
    ).fetchall()
    return [
        Due(
            org,
            tuple((selector, signing) for of, selector, signing in keys if of == org),
            tuple(path for of, path in paths if of == org),
        )
        for org in dict.fromkeys(organizations.values())
    ][:DOMAINS]


def fresh(connection: Connection, now: datetime, days: int) -> set[tuple[str, str]]:
    """(domain, name) of what was answered less than `days` ago."""
    rows = connection.execute(
        "SELECT DISTINCT domain, name FROM current_dns WHERE last_seen_at >= ?", [naive(now) - timedelta(days=days)]
    )
    return {(domain, name) for domain, name in rows.fetchall()}


def keep(connection: Connection, answers: Iterable[tuple[str, Told]], now: datetime) -> int:
    """Keep answers, each with the domain it was asked for; how many differ from what was known."""
    at = naive(now)
    rows = {(domain, one.name, one.rdtype): sorted(one.values) for domain, one in answers}
    return keep_answers(connection, KEPT, [(*key, records, at, at) for key, records in rows.items()])
