"""Numbered SQL files, each applied once, in order, in one transaction with its note in `migration`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

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
    applied, known = _applied(connection), {step.version for step in steps()}
    if foreign := applied - known:
        raise SchemaTooNew(
            f"A newer whosends wrote this warehouse (schema {max(foreign)}; this one knows up to {max(known)}).",
            "Upgrade whosends, or point --warehouse to another file.",
        )
    return applied != known


def migrate(connection: Connection) -> None:
    """Apply what is missing, also below the newest: files may land out of order. All of a file is applied, or none."""
    if not outdated(connection):
        return
    applied = _applied(connection)
    for step in steps():
        if step.version not in applied:
            _apply(connection, step)


def _apply(connection: Connection, step: Step) -> None:
    connection.begin()
    try:
        connection.execute(NOTES)
        connection.execute(step.sql)
        connection.execute("INSERT INTO migration VALUES (?, ?, now() AT TIME ZONE 'UTC')", [step.version, step.name])
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _applied(connection: Connection) -> set[int]:
    # To ask first whether there is such a table takes several times as long as to read it.
    try:
        return {version for (version,) in connection.execute("SELECT version FROM migration").fetchall()}
    except duckdb.CatalogException:
        return set()
