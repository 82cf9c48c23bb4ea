"""`whosends config`: the settings, and where each comes from."""

from __future__ import annotations

from pathlib import Path

import click

from app import config, exitcodes
from app.commands.base import Group, Run
from app.render import Screen
from app.shown import shown


@click.group("config", cls=Group)
def command() -> None:
    """Show the settings and where each comes from."""


@command.command()
@click.option("--set", "only_set", is_flag=True, help="Leave out what has its default.")
@click.pass_obj
def show(run: Run, only_set: bool) -> int:
    """Show every setting, its value, and where it was set; secrets are masked."""
    screen = Screen(run)
    rows = [row for row in shown(run.config) if not only_set or row.origin != "default"]
    if screen.json:
        settings = [{"key": row.key, "value": row.value, "origin": row.origin} for row in rows]
        screen.document(file=run.config.file and str(run.config.file), settings=settings)
    else:
        screen.note(f"File: {run.config.file or 'none'}")
        # As in TOML, so that a number is not dressed up as for reading.
        screen.table(("Setting", "Value", "From"), [(row.key, config.toml(row.value), row.origin) for row in rows])
    return exitcodes.OK


@command.command()
@click.pass_obj
def path(run: Run) -> int:
    """Show which file is used, and the places where one is looked for."""
    screen = Screen(run)
    used = config.locate(_named(run), run.environ)
    places = [str(place) for place in config.places()]
    if screen.json:
        screen.document(file=used and str(used), places=places, warehouse=str(run.config.warehouse_path))
    elif used:
        screen.line(str(used))
    else:
        screen.note("There is no configuration file; looked for: " + ", ".join(places))
    return exitcodes.OK


def _named(run: Run) -> Path | None:
    named = run.options.get("config")
    return Path(named) if named else None
