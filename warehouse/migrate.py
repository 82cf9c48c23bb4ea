"""Numbered SQL files, each applied once, in order, in one transaction with its note in `migration`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.errors import SchemaTooNew

if TYPE_CHECKING:
    from warehouse.connect import Connection

FOLDER = Path(__file__).parent / "schema"

NOTES = """
CREATE TABLE IF NOT EXISTS migration (
    version INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE migration IS 'Which versions of the schema were applied, and when.';
COMMENT ON COLUMN migration.version IS 'Number of the schema file.';
COMMENT ON COLUMN migration.name IS 'Name of the schema file.';
COMMENT ON COLUMN migration.applied_at IS 'When it was applied (UTC).';
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One schema file."""

    version: int
    name: str
    sql: str


@cache
def steps() -> tuple[Step, ...]:
    """All schema files, in order."""
    files = sorted(FOLDER.glob("[0-9]*.sql"))
    return tuple(Step(int(file.name[:4]), file.stem, file.read_text("utf-8")) for file in files)


def outdated(connection: Connection) -> bool:
    """Whether schema files wait to be applied. Raises SchemaTooNew for a warehouse of the future."""
    version, newest = _version(connection), steps()[-1].version
    if version > newest:
        raise SchemaTooNew(
            f"A newer whosends wrote this warehouse (schema {version}; this one knows up to {newest}).",
            "Upgrade whosends, or point --warehouse to another file.",
        )
    return version < newest


def migrate(connection: Connection) -> None:
    """Apply what is missing. Either all of a file is applied, or nothing."""
    if not outdated(connection):
        return
    version = _version(connection)
    for step in steps():
        if step.version > version:
            connection.begin()
            try:
                connection.execute(NOTES)
                connection.execute(step.sql)
                connection.execute(
                    "INSERT INTO migration VALUES (?, ?, now() AT TIME ZONE 'UTC')", [step.version, step.name]
                )
            except BaseException:
                connection.rollback()
                raise
            connection.commit()


def _version(connection: Connection) -> int:
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = 'migration'"
    ).fetchone()
    if not known or not known[0]:
        return 0
    row = connection.execute("SELECT coalesce(max(version), 0) FROM migration").fetchone()
    return int(row[0]) if row else 0
