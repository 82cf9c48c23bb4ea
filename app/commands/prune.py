"""`whosends prune`: what is older than its days goes; charts keep their past."""

from __future__ import annotations

from dataclasses import asdict

import click

from app import exitcodes
from app.commands.asking import now
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen
from warehouse.instants import naive
from warehouse.retention import prune

KINDS = {
    "records": "records", "documents": "documents", "messages": "log entries", "failure_reports": "failure reports",
    "bounces": "bounces", "quarantined": "refused messages' bytes", "personal": "reports' personal fields",
}  # fmt: skip


@click.command("prune", cls=Command)
@click.option("--force", is_flag=True, help="Trust this machine's clock, though nothing was read for more than a week.")
@click.pass_obj
def command(run: Run, force: bool) -> int:
    """Remove what is older than the days set in [retention].

    Each kind has its own days; 0 keeps a kind for ever. The daily rollup stays, so charts keep their past,
    and a report that was seen is still known. Where neither data nor a run is younger than a week, ages are
    counted to a week after the last: a clock that jumped ahead makes nothing old.

    Days without records follow a source that gets another name. Where only some of its addresses leave, they
    stay with it, and they stay in doubt where a report in doubt comes again signed: sums do not say whose they
    are.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    with warehouse.writing() as connection:
        at = now()
        pruned = prune(connection, run.config.retention, at, sure=force)
    if screen.json:
        screen.document(**asdict(pruned))
        return exitcodes.OK
    removed = [f"{getattr(pruned, kind):,} {name}" for kind, name in KINDS.items()]
    screen.line(" · ".join(removed) + " removed")
    if pruned.counted_to < naive(at):
        screen.note(
            f"Ages were counted to {pruned.counted_to:%Y-%m-%d}, not to today ({at:%Y-%m-%d}): nothing was read since "
            "a week before that day, so the clock may have jumped. If it is right, --force counts to today."
        )
    return exitcodes.OK
