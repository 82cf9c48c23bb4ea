"""Whole tables as CSV, Parquet or NDJSON.

The warehouse is held only while the rows are copied to a temporary file; formatting them, and
waiting for whoever reads them, happens afterwards, so that nobody else is kept waiting.

CSV is for people and spreadsheets: its text is made harmless. Parquet and NDJSON are exact.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from app.render import clean, csv_cell, to_json
from warehouse.connect import Connection
from warehouse.scope import Scope

BATCH: Final = 50_000


class Writer(Protocol):
    """Where text goes: a file, or standard output."""

    def write(self, text: str, /) -> int:
        """Write text."""

    def writelines(self, lines: Iterable[str], /) -> None:
        """Write texts one after the other."""


def names(connection: Connection) -> list[str]:
    """The tables and views that can be exported."""
    rows = connection.execute(
        """
        SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name
        """
    ).fetchall()
    return [name for (name,) in rows]


def columns(connection: Connection, table: str) -> list[str]:
    """The columns of a table, in order."""
    rows = connection.execute(
        """
        SELECT column_name FROM information_schema.columns
        WHERE table_schema = 'main' AND table_name = ? ORDER BY ordinal_position
        """,
        [table],
    ).fetchall()
    return [name for (name,) in rows]


def spool(connection: Connection, table: str, scope: Scope, path: Path) -> int:
    """Copy a table's rows to an Arrow file; `table` is one of `names`. Returns how many."""
    where, values = scope.where()
    result = connection.execute(f'SELECT * FROM "{table}" WHERE {where}', values)  # noqa: S608 - a known table's name
    reader = result.to_arrow_reader(BATCH)
    count = 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def write_csv(path: Path, out: Writer) -> None:
    """Spooled rows as CSV with a header, as RFC 4180 has it but for the line ends."""
    writer = csv.writer(out, lineterminator="\n")
    with _stream(path) as reader:
        writer.writerow(reader.schema.names)
        for batch in reader:
            texts = [_csv_column(batch.column(at)) for at in range(batch.num_columns)]
            writer.writerows(zip(*texts, strict=True))


def write_ndjson(path: Path, out: Writer) -> None:
    """Spooled rows as one JSON object a line."""
    with _stream(path) as reader:
        for batch in reader:
            out.writelines(to_json(row, indent=None) + "\n" for row in batch.to_pylist())


def write_parquet(path: Path, out: Path) -> None:
    """Spooled rows as Parquet, compressed with Zstandard."""
    with _stream(path) as reader, pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


TEXT_FORMATS: Final[dict[str, Callable[[Path, Writer], None]]] = {"csv": write_csv, "ndjson": write_ndjson}


def _stream(path: Path) -> Any:
    return pa.ipc.open_stream(pa.memory_map(str(path)))


def _csv_column(column: Any) -> Iterator[object]:
    return iter(column.to_pylist()) if pa.types.is_integer(column.type) else map(_csv_value, column.to_pylist())


def _csv_value(value: object) -> object:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else to_json(value, indent=None).strip('"')
    return csv_cell(clean(text))
