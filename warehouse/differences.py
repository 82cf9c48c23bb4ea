"""What changed in some rows of a table: which reports, and how many of them in each column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from warehouse.connect import Connection

# What says how a report came here and was read, not what it says.
BESIDE = ("run_key", "stored_at", "parser_version", "identity_hash", "content_hash", "document_hash")


@dataclass(slots=True)
class Differences:
    """The keys of reports that differ, and in how many each column does, as table.column."""

    keys: set[int] = field(default_factory=set)
    columns: Counter[str] = field(default_factory=Counter)


@contextmanager
def between(connection: Connection, tables: Sequence[str], key: str, keys: Sequence[int]) -> Iterator[Differences]:
    """Compare the rows under these keys at the beginning with those at the end of the block, whatever their order."""
    found = Differences()
    digests = {table: _digest(connection, table, key) for table in tables}
    for table, digest in digests.items():
        connection.execute(f"CREATE TEMP TABLE stood_{table} AS {digest}", [list(keys)])
    yield found
    for table, digest in digests.items():
        names = [name for name in _columns(connection, table) if name != key]
        sums = ", ".join(f"count(*) FILTER (stood.{name} IS DISTINCT FROM stands.{name})" for name in names)
        anything = " OR ".join(f"stood.{name} IS DISTINCT FROM stands.{name}" for name in names)
        row = connection.execute(
            f"""
            SELECT list({key}) FILTER ({anything}), {sums}
            FROM stood_{table} stood FULL JOIN ({digest}) stands USING ({key})
            """,
            [list(keys)],
        ).fetchone()
        connection.execute(f"DROP TABLE stood_{table}")
        assert row is not None
        found.keys.update(row[0] or ())
        found.columns.update({f"{table}.{name}": n for name, n in zip(names, row[1:], strict=True) if n})


def _digest(connection: Connection, table: str, key: str) -> str:
    """Each report's columns as sums of hashes: the same for the same rows in any order."""
    names = [name for name in _columns(connection, table) if name != key]
    sums = ", ".join(f"sum(hash({name})::HUGEINT) AS {name}" for name in names)
    return f"SELECT {key}, {sums} FROM {table} WHERE {key} IN (SELECT unnest(?::BIGINT[])) GROUP BY {key}"


def _columns(connection: Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
    ).fetchall()
    return [name for (name,) in rows if name not in BESIDE]
