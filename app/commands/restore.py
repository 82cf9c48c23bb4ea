"""`whosends restore`: a copy put in the warehouse's place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.commands.paths import Place
from app.render import Screen
from warehouse.backup import restore


@click.command("restore", cls=Command)
@click.argument("path", type=Place())
@click.pass_obj
def command(run: Run, path: Path) -> int:
    """Put a copy made by 'whosends backup' in the warehouse's place.

    All of the copy is read first. What it replaces is kept beside it under another name.
    Mails that came since the copy was made are read again by the next poll where they still are. Where 'after'
    moves them, read that folder once, with after = 'leave'; what is stored already counts once.
    """
    warehouse, screen = warehouse_of(run), Screen(run)
    replaced = restore(warehouse, path, datetime.now(UTC))
    if screen.json:
        screen.document(path=str(warehouse.path), replaced=str(replaced) if replaced else None)
    else:
        screen.line(f"{warehouse.path} is now what {path} holds.")
        if replaced:
            screen.note(f"What was there is kept as {replaced}; remove it when all is well.")
        for mailbox in run.config.mailboxes:
            action, _, folder = mailbox.after.partition(":")
            if action == "move":
                screen.note(
                    f"Mailbox {mailbox.name!r} moves mails to {folder!r}, so those that came since the copy are there: "
                    f"set folders = [{folder!r}] and after = 'leave', run 'whosends poll' once, and set both back."
                )
    return exitcodes.OK
