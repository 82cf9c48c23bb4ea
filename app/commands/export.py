"""`whosends export`: a whole table as CSV, Parquet or NDJSON."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from app import exitcodes
from app.commands.asking import Asked, scope_of, scoped
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.commands.paths import Place
from app.config import meant
from app.exports import tables
from app.render import Screen
from ingest.errors import UsageError
from warehouse.scope import Scope

NOTHING = Asked((), None, None, None)
FORMATS = (*tables.TEXT_FORMATS, "parquet")


@click.command("export", cls=Command)
@click.argument("table")
@click.option("--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--out", type=Place(folder=False), metavar="FILE", help="Else standard output.")
@scoped
@click.pass_obj
def command(run: Run, table: str, form: str, out: Path | None, asked: Asked) -> int:
    """Write a table as CSV, Parquet or NDJSON.

    docs/schema.md describes the tables. --domain and the dates narrow tables that have a domain and
    a day; without them everything is written. In CSV, text that a spreadsheet would take for a
    formula gets a quote before it; Parquet and NDJSON are exact.
    """
    if form == "parquet" and out is None:
        raise UsageError("Parquet does not go to standard output.", "Add --out FILE.")
    screen = Screen(run)
    with TemporaryDirectory(prefix="whosends-") as folder:
        spooled = Path(folder) / "rows.arrow"
        count = _spool(run, table, asked, spooled)
        if out is None:
            tables.TEXT_FORMATS[form](spooled, screen.stream())
        else:
            _write(spooled, form, out)
    if screen.json and out:
        screen.document(table=table, format=form, rows=count, out=str(out))
    elif out:
        screen.note(f"{count:,} rows of {table} written to {out}.")
    return exitcodes.OK


def _spool(run: Run, table: str, asked: Asked, path: Path) -> int:
    warehouse = warehouse_of(run)
    scope = scope_of(warehouse, asked, days=None) if asked != NOTHING else Scope()
    with warehouse.reading() as connection:
        known = tables.names(connection)
        if table not in known:
            raise UsageError(f"There is no table {table!r}.", meant(table, known))
        has = tables.columns(connection, table)
        if asked != NOTHING and not {"day", "domain"} <= set(has):
            raise UsageError(f"Table {table} has no domain and day to narrow it by.", "Leave the dates out.")
        return tables.spool(connection, table, scope, path)


def _write(spooled: Path, form: str, out: Path) -> None:
    """Write beside the file and rename, so that a run that fails leaves no half of one."""
    part = out.with_name(out.name + ".part")
    try:
        if form == "parquet":
            tables.write_parquet(spooled, part)
        else:
            with part.open("w", encoding="utf-8", newline="") as file:
                tables.TEXT_FORMATS[form](spooled, file)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
