"""`whosends demo`: the app with the reports of an invented organisation, in a warehouse of its own."""

from __future__ import annotations

from pathlib import Path

import click

import app
from app import config, exitcodes
from app.commands.app import passed_on
from app.commands.base import Command, Run
from app.commands.loading import loader_of, tell
from app.commands.progress import progress
from app.commands.serving import free_port, serve
from app.render import Screen
from ingest.errors import Error
from ingest.inputs.files import FileInput
from warehouse.load import load


@click.command("demo", cls=Command)
@click.option("--no-serve", is_flag=True, help="Load the reports and stop.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Port; else 8501, or the next free one.")
@click.pass_obj
def command(run: Run, no_serve: bool, port: int | None) -> int:
    """Show the app with four months of reports of an invented organisation.

    They are kept in a warehouse of their own (--warehouse names another), never among your reports.
    Uses no network.
    """
    if not run.options.get("warehouse"):
        # Not from WHOSENDS_WAREHOUSE or the file either: invented reports must not mix with real ones.
        run.options["warehouse"] = str(config.data_folder() / "demo.duckdb")
    chosen = None if no_serve else free_port(port)
    screen = Screen(run)
    folders = reports()
    with progress(screen, "Loading the demonstration") as report:
        summary = load(FileInput(folders, run.config.limits), loader_of(run, report))
    if chosen is None:
        tell(screen, summary)
        screen.note(f"All of it is invented. Next: whosends status --warehouse {run.config.warehouse_path}")
        return exitcodes.OK
    screen.note(f"{summary.seen:,} messages of an invented organisation: {run.config.warehouse_path}")
    return serve(screen, chosen, passed_on(run))


def reports() -> list[Path]:
    """The folders with the demonstration's reports: packaged with us, or beside us in a checkout."""
    package = Path(app.__file__).parent
    for place in (package / "demo_reports", package.parent / "sample_reports"):
        found = [place / name for name in ("files", "mail") if (place / name).is_dir()]
        if found:
            return found
    raise Error("The demonstration's reports are not installed.", "Use a checkout, or reinstall whosends.")
