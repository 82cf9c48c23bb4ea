"""`whosends prune`: what is older than its days goes; charts keep their past."""

from __future__ import annotations

from dataclasses import asdict

import click

from app import exitcodes
from app.commands.asking import warehouse_of
from app.commands.base import Command, Run
from app.commands.loading import now
from app.render import Screen
from warehouse.retention import prune


@click.command("prune", cls=Command)
@click.pass_obj
def command(run: Run) -> int:
    """Remove what is older than the days set in [retention].

    Records, documents, the log of messages and the quarantine have their own days; 0 keeps a kind for
    ever. The daily rollup stays, so charts keep their past, and a report that was seen is still known.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    with warehouse.writing() as connection:
        pruned = prune(connection, run.config.retention, now())
    if screen.json:
        screen.document(**asdict(pruned))
    else:
        screen.line(
            " · ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in asdict(pruned).items()) + " removed"
        )
    return exitcodes.OK
