"""`whosends query`: one SQL statement, read-only, with a bounded answer."""

from __future__ import annotations

from typing import Any

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.bounds import Bounds, bounded
from app.commands.opening import warehouse_of
from app.render import Screen
from warehouse.errors import QueryRefused


@click.command("query", cls=Command)
@click.argument("sql")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True, help="Most rows.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86_400, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest time it may take.",
)
@click.pass_obj
def command(run: Run, sql: str, limit: int, timeout: float) -> int:
    """Ask the warehouse in SQL, read-only.

    One statement; no files, no network, no changes. docs/schema.md describes the tables.

    Example: whosends query "SELECT domain, sum(messages) FROM daily GROUP BY domain"
    """
    screen = Screen(run)
    titles, rows = _answer(run, sql, Bounds(limit, timeout))
    if len(rows) > limit:
        rows = rows[:limit]
        screen.note(f"Only the first {limit:,} rows are shown; --limit gives more, 'whosends export' gives all.")
    if screen.json:
        screen.document(rows=[dict(zip(titles, row, strict=True)) for row in rows])
    else:
        screen.table(titles, rows)
    return exitcodes.OK


def _answer(run: Run, sql: str, bounds: Bounds) -> tuple[list[str], list[tuple[Any, ...]]]:
    with warehouse_of(run).reading() as connection, bounded(connection, bounds):
        if len(connection.extract_statements(sql)) != 1:
            raise QueryRefused("A query is exactly one statement.", "Ask several queries one by one.")
        result = connection.execute(sql)
        if zoned := [str(name) for name, kind, *_ in result.description or () if "TIME ZONE" in str(kind)]:
            result = connection.execute(_without_zones(sql, zoned))
        titles = _distinct([str(column[0]) for column in result.description or ()])
        return titles, result.fetchmany(bounds.rows + 1)


def _without_zones(sql: str, names: list[str]) -> str:
    """The query with its zoned instants as text: DuckDB hands them over only where pytz is installed."""
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names]
    replaced = ", ".join(f"replace({name}::VARCHAR, ' ', 'T') AS {name}" for name in quoted)
    return f"SELECT * REPLACE ({replaced}) FROM ({sql.strip().rstrip(';')}\n)"  # noqa: S608 - the person's own query


def _distinct(names: list[str]) -> list[str]:
    """Column names made different, as DuckDB does it, since the keys of a JSON object must be."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name] - 1}")
    return result
