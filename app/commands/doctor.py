"""`whosends doctor`: what works, what does not, and what to do about it."""

from __future__ import annotations

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.checkup import FAIL, checks
from app.render import Screen


@click.command("doctor", cls=Command)
@click.pass_obj
def command(run: Run) -> int:
    """Check the installation, the warehouse, DNS, the blocklists that are set, and the mailboxes.

    Changes nothing. Ends with 1 where something fails; a warning alone is 0.
    """
    screen = Screen(run)
    found = list(checks(run))
    failed = any(check.state == FAIL for check in found)
    if screen.json:
        screen.document(ok=not failed, checks=found)
    else:
        screen.table(("Check", "State", "What", "To do"), [(c.name, c.state, c.what, c.fix or None) for c in found])
    return exitcodes.FOUND if failed else exitcodes.OK
