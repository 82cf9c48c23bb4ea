"""What blocklists say of addresses: which are to be asked for, and what they answered, with its times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import polars as pl

from warehouse import dns, marks
from warehouse.answers import Answers
from warehouse.answers import keep as keep_answers
from warehouse.connect import Connection
from warehouse.instants import naive
from warehouse.reads import frame
from warehouse.scope import Scope

if TYPE_CHECKING:
    import pyarrow as pa

LATELY = 30  # days before the newest report whose mail is looked at
FAILING = 0.5  # share of an address's messages that do not align, from which it is asked for
RETRY = 1  # days after which a list that does not work is tested again
LASTS = 60  # days before the newest answer that an older one still counts


def _columns() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - whoever only reads need not load it

    return pa.schema([
        ("source_ip", pa.string()), ("zone", pa.string()), ("codes", pa.list_(pa.string())),
        ("first_seen_at", pa.timestamp("us")), ("last_seen_at", pa.timestamp("us")),
    ])  # fmt: skip


KEPT = Answers("blocklist_answer", "current_blocklist", _columns, asked=2)
# What counts now: the latest answers that are not old.
CURRENT = f"""
    (FROM current_blocklist
     WHERE last_seen_at >= (SELECT max(last_seen_at) - INTERVAL {LASTS} DAY FROM blocklist_answer))
"""
# Each address that any list answered for, and whether one holds it.
HOLDS = f"SELECT source_ip, bool_or(len(codes) > 0) AS holds FROM {CURRENT} GROUP BY source_ip"


class Listed(Protocol):
    """What a list says of an address."""

    @property
    def source_ip(self) -> str: ...  # noqa: D102
    @property
    def zone(self) -> str: ...  # noqa: D102
    @property
    def codes(self) -> tuple[str, ...]: ...  # noqa: D102


class Tested(Protocol):
    """What a list makes of its test points."""

    @property
    def zone(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102


def to_ask(
    connection: Connection, scope: Scope, zones: Sequence[str], now: datetime, days: int, limit: int
) -> list[str]:
    """Addresses whose mail fails, of sources that nobody decided about, that some list has yet to answer for.

    Answers of the last `days` days count; lists that do not work are not waited for. Of networks that services and
    operators of mail share among their customers, a listing tells nothing of whose mail it is: only servers that
    anybody rents, and strangers, are asked for. Those with most failing mail come first, at most `limit`.
    """
    where, values = scope.where()
    at = naive(now)
    rows = connection.execute(
        f"""
        WITH failing AS (
            SELECT domain, source_key, source_ip, sum(messages) AS messages, sum(messages) - sum(aligned) AS failed
            FROM address_day
            WHERE {where} AND day >= DATE '{dns.lately(connection, scope, LATELY)}'
              AND (starts_with(source_key, 'net:') OR starts_with(source_key, 'ptr:'))
            GROUP BY ALL HAVING failed > 0 AND failed >= {FAILING} * sum(messages)
        ), decided AS (
            SELECT domain, source_key FROM current_decision
            WHERE decision <> 'undecided' AND (until IS NULL OR until >= ?::TIMESTAMP::DATE)
        ), asked AS (
            SELECT DISTINCT source_ip, if(contains(source_ip, ':'), 6, 4) AS version, zone
            FROM failing, (SELECT unnest(?::VARCHAR[]) AS zone)
        ), open AS (
            SELECT DISTINCT source_ip FROM asked
            ANTI JOIN (FROM blocklist_answer WHERE last_seen_at >= ?) USING (source_ip, zone)
            ANTI JOIN (FROM blocklist_zone WHERE state <> 'works' AND asked_at >= ?) USING (zone, version)
        )
        SELECT source_ip FROM failing ANTI JOIN decided USING (domain, source_key) SEMI JOIN open USING (source_ip)
        GROUP BY source_ip ORDER BY sum(failed) DESC, source_ip LIMIT ?
        """,
        [*values, at, list(zones), at - timedelta(days=days), at - timedelta(days=RETRY), limit],
    ).fetchall()
    return [ip for (ip,) in rows]


def keep(connection: Connection, zones: Iterable[Tested], listings: Iterable[Listed], now: datetime) -> int:
    """Keep what lists answered and how they stood to their test points; how many answers differ from what was known.

    What is kept about domains without mail from an address that stands otherwise now stays good (`warehouse.marks`).
    """
    at = naive(now)
    for one in zones:
        connection.execute("DELETE FROM blocklist_zone WHERE zone = ? AND version = ?", [one.zone, one.version])
        connection.execute("INSERT INTO blocklist_zone VALUES (?, ?, ?, ?)", [one.zone, one.version, one.state, at])
    rows = {(one.source_ip, one.zone): sorted(one.codes) for one in listings}
    connection.execute(f"CREATE TEMP TABLE held_before AS {HOLDS}")
    news = keep_answers(connection, KEPT, [(*key, codes, at, at) for key, codes in rows.items()])
    told = f"(({HOLDS}) EXCEPT FROM held_before) UNION ((FROM held_before) EXCEPT {HOLDS})"
    marks.change_addresses(connection, f"SELECT source_ip FROM ({told})")
    connection.execute("DROP TABLE held_before")
    return news


def of_source(connection: Connection, source_key: str) -> pl.DataFrame:
    """What each list says of a source's addresses: zone, asked (addresses it answered for), listed, codes, told_at."""
    return frame(
        connection,
        f"""
        SELECT zone, count(*) AS asked, count(*) FILTER (len(codes) > 0) AS listed,
               list_sort(list_distinct(flatten(list(codes)))) AS codes, max(last_seen_at) AS told_at
        FROM {CURRENT} SEMI JOIN (SELECT source_ip FROM address WHERE source_key = ?) USING (source_ip)
        GROUP BY zone ORDER BY zone
        """,
        [source_key],
    )


def unusable(connection: Connection) -> pl.DataFrame:
    """The lists that could not be asked when they were tested last: zone, version, state, asked_at."""
    return frame(connection, "SELECT * FROM blocklist_zone WHERE state <> 'works' ORDER BY zone, version")
