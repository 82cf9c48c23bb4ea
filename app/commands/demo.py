"""`whosends demo`: the app with the reports of an invented organisation, in a warehouse of its own."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from app import config, exitcodes
from app.commands.app import passed_on
from app.commands.asking import now
from app.commands.base import Command, Run
from app.commands.loading import loader_of, tell
from app.commands.opening import warehouse_of
from app.commands.progress import progress
from app.commands.serving import free_port, serve
from app.render import Screen
from ingest.errors import Error
from ingest.inputs.files import FileInput
from sample_reports.generate import DEFAULT_SEED, generate
from sample_reports.organisation import MAIN
from sample_reports.timeline import timeline
from warehouse import reads
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseBusy
from warehouse.load import LoadSummary, load
from warehouse.scope import Scope


@click.command("demo", cls=Command)
@click.option("--no-serve", is_flag=True, help="Load the reports and stop.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Port; else 8501, or the next free one.")
@click.pass_obj
def command(run: Run, no_serve: bool, port: int | None) -> int:
    """Show the app with four months of reports of an invented organisation.

    They end yesterday, whenever that is, and are kept in a warehouse of their own, never among your
    reports. It is made anew each day. --warehouse names another, which keeps the days that it has.
    Uses no network.
    """
    own = not run.options.get("warehouse")
    if own:
        # Not from WHOSENDS_WAREHOUSE or the file either: invented reports must not mix with real ones.
        run.options["warehouse"] = str(config.data_folder() / "demo.duckdb")
    chosen = None if no_serve else free_port(port)
    screen = Screen(run)
    end = last_day(warehouse_of(run), own=own)
    summary = loaded(run, screen, end)
    if chosen is None:
        tell(screen, summary)
        screen.note(f"All of it is invented. Next: whosends status --warehouse {run.config.warehouse_path}")
    else:
        screen.note(f"{summary.seen:,} messages of an invented organisation: {run.config.warehouse_path}")
    screen.note(f"Its dates are moved so that the last day is {end.day} {end:%B %Y}.")
    return exitcodes.OK if chosen is None else serve(screen, chosen, passed_on(run))


def last_day(warehouse: Warehouse, *, own: bool) -> date:
    """The last day of the demonstration: yesterday, or where a warehouse of a person's choice has it already.

    Our own warehouse of another day is removed: two copies of one story, days apart, are no story.
    """
    yesterday = now().date() - timedelta(days=1)
    try:
        with warehouse.reading() as connection:
            rows = reads.last_days(connection, Scope(domains=(MAIN,)))
        there = rows["last_day"].max()
    except WarehouseBusy:
        raise
    except Error:
        # Missing, damaged or of another version: ours can be made anew, and loading says what is wrong with others.
        there = None
    if own and there != yesterday:
        for ending in ("", ".wal"):
            warehouse.path.with_name(warehouse.path.name + ending).unlink(missing_ok=True)
        return yesterday
    return there if isinstance(there, date) else yesterday


def loaded(run: Run, screen: Screen, end: date) -> LoadSummary:
    """Make the reports up to this day, and load them."""
    with TemporaryDirectory(prefix="whosends-demo-") as folder, progress(screen, "Loading the demonstration") as report:
        generate(Path(folder), DEFAULT_SEED, timeline(end))
        places = [Path(folder) / name for name in ("files", "mail")]
        return load(FileInput(places, run.config.limits), loader_of(run, report))
