"""`whosends backup`: a whole copy of the warehouse, while others read and write."""

from __future__ import annotations

from pathlib import Path

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.commands.paths import Place
from app.render import Screen
from warehouse.backup import backup


@click.command("backup", cls=Command)
@click.argument("path", type=Place())
@click.pass_obj
def command(run: Run, path: Path) -> int:
    """Copy the whole warehouse to a new file, while others read and write.

    All of the copy is read before this ends with 0: damage of the disk is found here, and then there is no
    copy. It is a warehouse itself: --warehouse PATH reads it, 'whosends restore PATH' puts it back.
    """
    size, screen = backup(warehouse_of(run), path), Screen(run)
    if screen.json:
        screen.document(path=str(path), bytes=size)
    else:
        screen.line(f"Copied to {path}: {size:,} bytes.")
    return exitcodes.OK
