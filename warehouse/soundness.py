"""Whether all that a warehouse holds can be read: DuckDB looks at the checksum of a block only when it reads it."""

from __future__ import annotations

from threading import Timer
from typing import NamedTuple

import duckdb

from warehouse.connect import Connection, Warehouse

# The small ones first, so that little time still sees most tables.
_TABLES = """
SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT internal
ORDER BY estimated_size, table_name
"""


class Sound(NamedTuple):
    """How many tables were read to their ends, of how many."""

    read: int
    tables: int


def read_through(connection: Connection) -> Sound:
    """Read every column of every table to its end, which takes a processor about three seconds a gigabyte.

    In a session of a `Warehouse`, damage is raised as WarehouseDamaged.
    """
    names = [name for (name,) in connection.execute(_TABLES).fetchall()]
    for read, name in enumerate(names):
        try:
            # Of hashes nothing can be told without the values; a count alone reads none.
            connection.execute(f'SELECT bit_xor(hash(COLUMNS(*))) FROM "{name}"').fetchall()
        except duckdb.InterruptException:
            return Sound(read, len(names))
    return Sound(len(names), len(names))


def read_for(warehouse: Warehouse, seconds: float) -> Sound:
    """The same for so long at the most, since writers wait meanwhile. Raises WarehouseDamaged."""
    with warehouse.reading() as connection:
        timer = Timer(seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            return read_through(connection)
        finally:
            timer.cancel()
            timer.join()
