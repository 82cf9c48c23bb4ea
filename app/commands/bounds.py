"""Bounds on what a person's own SQL may cost the others, and its errors in words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from warehouse.connect import Connection, DatabaseError
from warehouse.errors import QueryRefused


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large an answer may be, and how long it may take."""

    rows: int
    seconds: float


@contextmanager
def bounded(connection: Connection, bounds: Bounds) -> Iterator[None]:
    """End a query that takes too long, since writers wait for it; and say in words what went wrong."""
    late = threading.Timer(bounds.seconds, connection.interrupt)
    late.daemon = True
    late.start()
    try:
        yield
    except RuntimeError as error:
        # What DuckDB makes of Ctrl-C; without the interrupt, closing would wait for the query to end.
        connection.interrupt()
        raise KeyboardInterrupt from error
    except DatabaseError as error:
        if not late.is_alive() and "nterrupt" in str(error):
            hint = "Narrow it, or raise --timeout; pollers wait meanwhile."
            raise QueryRefused(f"The query took longer than {bounds.seconds:g} s.", hint) from error
        first, *rest = str(error).strip().splitlines() or ["it failed"]
        hint = next((line.strip() for line in rest if line.strip() and "LINE" not in line and "^" not in line), "")
        raise QueryRefused(f"The query was refused: {first}", hint) from error
    finally:
        late.cancel()
