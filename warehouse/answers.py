"""Answers from outside, kept with their times: one row for each that differs from the one before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from warehouse.connect import Connection, insert

if TYPE_CHECKING:
    import pyarrow as pa


class Answers(NamedTuple):
    """Where answers of a kind are kept: their table, and the view of the latest answer to each question.

    The columns that `schema` gives are in order the question (as many as `asked`), what was answered, `first_seen_at`,
    `last_seen_at`, and what else moves on with that.
    """

    table: str
    current: str
    schema: Callable[[], pa.Schema]
    asked: int


def keep(connection: Connection, answers: Answers, rows: Sequence[tuple[Any, ...]]) -> int:
    """Keep one row for each question; how many differ from what was known. An older answer does not turn time back."""
    if not rows:
        return 0
    # Not at the top: whoever only reads need not load what parses reports.
    from warehouse.rows import table  # noqa: PLC0415

    schema = answers.schema()
    names, first = schema.names, schema.get_field_index("first_seen_at")
    asked, said, moved = names[: answers.asked], names[answers.asked : first], names[first + 1 :]
    question, same = ", ".join(asked), " AND ".join(f"told.{name} = c.{name}" for name in said)
    connection.register("told", table(schema, rows))
    known = connection.execute(
        f"SELECT {question} FROM told JOIN {answers.current} c USING ({question}) WHERE {same}"
    ).fetchall()
    its = " AND ".join(f"{answers.table}.{name} = c.{name}" for name in (*asked, "first_seen_at"))
    connection.execute(
        f"""
        UPDATE {answers.table} SET {", ".join(f"{name} = told.{name}" for name in moved)}
        FROM told JOIN {answers.current} c USING ({question})
        WHERE {same} AND {its} AND told.last_seen_at >= c.last_seen_at
        """
    )
    connection.unregister("told")
    same_as_known = set(known)
    fresh = [row for row in rows if row[: answers.asked] not in same_as_known]
    insert(connection, answers.table, table(schema, fresh))
    return len(fresh)
