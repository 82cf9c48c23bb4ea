"""Rollups melted together: one row for each key, some days at a time, each piece in a short writer's turn.

A piece is one transaction over whole days, so at every moment the rows sum to the same. A crash between two pieces
leaves days that are melted later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from warehouse.connect import Connection, Warehouse
from warehouse.rollup import ROLLUPS, Rollup, by_months, melted

PIECE = 300_000  # rows that are melted in one turn, if a day has no more
LOOK = 300_000  # rows by which a rollup grows before it is looked at
FEW = 200  # rows of a day that are not worth melting


@dataclass(frozen=True, slots=True)
class Piece:
    """Days of a rollup to melt, both ends included; of a table by months, firsts of months.

    `size` is set on a rollup's last piece: how large it was when it was looked at.
    """

    rollup: Rollup
    monthly: bool
    first: date
    last: date
    size: int | None = None

    @property
    def table(self) -> str:
        """The table that is melted."""
        return self.rollup.months if self.monthly else self.rollup.name


def due(connection: Connection, *, everything: bool = False) -> list[Piece]:
    """Which days have grown to twice their rows since they were melted, as pieces."""
    pieces: list[Piece] = []
    for rollup in ROLLUPS:
        pieces += _due(connection, rollup, monthly=False, everything=everything)
        if rollup.monthly:
            pieces += _due(connection, rollup, monthly=True, everything=everything)
    return pieces


def melt(warehouse: Warehouse, pieces: Sequence[Piece]) -> None:
    """Melt each piece in a turn of its own."""
    for piece in pieces:
        with warehouse.writing(reports=False) as connection:
            melt_piece(connection, piece)


def melt_piece(connection: Connection, piece: Piece) -> None:
    """Melt some days, in the caller's transaction."""
    rollup, within = piece.rollup, f"day BETWEEN DATE '{piece.first}' AND DATE '{piece.last}'"
    if piece.monthly:
        days = f"(SELECT * FROM {rollup.name} WHERE day BETWEEN DATE '{piece.first}' AND last_day(DATE '{piece.last}'))"
        rows = by_months(rollup, days)
    else:
        rows = melted(rollup, f"(SELECT * FROM {rollup.name} WHERE {within})")
    connection.execute(
        f"""
        CREATE TEMP TABLE melted AS {rows};
        DELETE FROM {piece.table} WHERE {within};
        INSERT INTO {piece.table} BY NAME SELECT * FROM melted;
        DELETE FROM rollup_day WHERE rollup = '{piece.table}' AND {within};
        INSERT INTO rollup_day SELECT '{piece.table}', day, count(*) FROM melted GROUP BY day ORDER BY day;
        DROP TABLE melted;
        """
    )
    if piece.size is not None:
        connection.execute(
            f"""
            DELETE FROM rollup_size WHERE rollup = '{piece.table}';
            INSERT INTO rollup_size VALUES ('{piece.table}', {piece.size});
            """
        )


def _due(connection: Connection, rollup: Rollup, *, monthly: bool, everything: bool) -> Iterator[Piece]:
    table = rollup.months if monthly else rollup.name
    sizes = f"SELECT (SELECT count(*) FROM {table}), (SELECT max(rows) FROM rollup_size WHERE rollup = '{table}')"
    row = connection.execute(sizes).fetchone()
    rows, before = (int(row[0]), int(row[1] or 0)) if row else (0, 0)
    if not everything and rows < before + LOOK:
        return
    least, times = (0, 0) if everything else (FEW, 2)
    found = connection.execute(
        f"""
        SELECT day, n FROM (SELECT day, count(*) AS n FROM {table} GROUP BY day)
        LEFT JOIN (SELECT day, rows FROM rollup_day WHERE rollup = '{table}') USING (day)
        WHERE n >= {least} + {times} * coalesce(rows, 0) ORDER BY day
        """
    ).fetchall()
    runs = list(_runs(found, timedelta(days=31 if monthly else 1)))
    for number, (first, last) in enumerate(runs, 1):
        yield Piece(rollup, monthly, first, last, rows if number == len(runs) else None)


def _runs(days: Sequence[tuple[date, int]], step: timedelta) -> Iterator[tuple[date, date]]:
    """Days that follow each other (by at most `step`), cut where they have too many rows for one piece."""
    first = last = None
    total = 0
    for day, rows in days:
        if first is None or last is None:
            first = last = day
            total = rows
        elif day - last > step or total + rows > PIECE:
            yield first, last
            first = last = day
            total = rows
        else:
            last, total = day, total + rows
    if first is not None and last is not None:
        yield first, last
