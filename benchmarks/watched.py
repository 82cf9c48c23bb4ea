"""A warehouse that notes what each of its statements costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from benchmarks.measure import Clock, Cost
from warehouse.connect import Connection, Warehouse

_CHANGES = re.compile(r"(INSERT INTO|DELETE FROM|UPDATE|CREATE TEMP TABLE)\s+(\w+)", re.IGNORECASE)
_SOURCE = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)


def label(sql: str) -> str:
    """A statement in two or three words: "INSERT INTO daily", "SELECT FROM aggregate_report"."""
    text = sql.strip()
    if changes := _CHANGES.match(text):
        return f"{changes[1].upper()} {changes[2]}"
    if "nextval" in text:
        return "SELECT nextval"
    source = _SOURCE.search(text)
    return f"SELECT FROM {source[1]}" if source else text.split()[0].upper()


class Ledger:
    """Costs by label, added up."""

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}

    @contextmanager
    def under(self, name: str) -> Iterator[None]:
        """Add what happens inside."""
        clock = Clock()
        try:
            yield
        finally:
            self.add(name, clock.read())

    def add(self, name: str, cost: Cost) -> None:
        """Add a cost."""
        before = self.costs.get(name, Cost(0.0, 0.0))
        self.costs[name] = Cost(before.cpu + cost.cpu, before.wall + cost.wall)


class Watched:
    """A session that passes everything on, and notes what statements, begin and commit cost."""

    def __init__(self, connection: Connection, ledger: Ledger) -> None:
        self._connection, self._ledger = connection, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *values: Any) -> Connection:
        """Execute, and note the cost."""
        with self._ledger.under(label(sql)):
            return self._connection.execute(sql, *values)

    def commit(self) -> None:
        """Commit, and note the cost."""
        with self._ledger.under("COMMIT"):
            self._connection.commit()


class WatchedWarehouse(Warehouse):
    """A warehouse whose sessions are watched; opening and closing the file count too."""

    ledger: Ledger

    @contextmanager
    def _open(self, *, read_only: bool, memory: str = "") -> Iterator[Connection]:
        session = super()._open(read_only=read_only, memory=memory)
        with self.ledger.under("open the file"):
            connection = session.__enter__()
        try:
            yield cast(Connection, Watched(connection, self.ledger))
        except BaseException as error:
            if not session.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            with self.ledger.under("close the file"):
                session.__exit__(None, None, None)
