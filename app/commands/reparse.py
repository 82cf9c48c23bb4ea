"""`whosends reparse`: stored documents read again by a newer parser."""

from __future__ import annotations

from dataclasses import asdict

import click

from app import exitcodes
from app.commands.asking import warehouse_of
from app.commands.base import Command, Run
from app.commands.loading import identify
from app.render import Screen
from warehouse.reparse import reparse


@click.command("reparse", cls=Command)
@click.option("--all", "everything", is_flag=True, help="Every report, not only those an older version read.")
@click.pass_obj
def command(run: Run, everything: bool) -> int:
    """Read stored reports again with this version.

    Reports keep their keys; only what they say may change. Exits 1 where a document that was read
    before is refused now: what was stored of it stays.
    """
    screen = Screen(run)
    summary = reparse(
        warehouse_of(run),
        identify,
        everything=everything,
        progress=lambda done: screen.note(f"Read again: {done:,} reports") if done % 5000 == 0 else None,
    )
    if screen.json:
        screen.document(**asdict(summary))
    else:
        screen.line(f"{summary.reports:,} reports read again · {summary.changed:,} changed")
        if summary.refused:
            screen.note(f"{summary.refused:,} are refused now and stay as they were.")
        if summary.without_document:
            screen.note(f"{summary.without_document:,} were stored without their document and stay as they were.")
    return exitcodes.FOUND if summary.refused else exitcodes.OK
