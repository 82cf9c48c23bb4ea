"""`whosends audit`: who did what, and whether the log of it was tampered with."""

from __future__ import annotations

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen, clean
from warehouse import journal

COLUMNS = ("When", "Who", "What", "About", "Before", "After")


@click.command("audit", cls=Command)
@click.option("--verify", is_flag=True, help="Verify the whole chain of hashes instead of listing.")
@click.option("--subject", metavar="TEXT", help="Only entries about this: a finding's id, or 'DOMAIN SOURCE'.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Latest entries listed."
)
@click.pass_obj
def command(run: Run, verify: bool, subject: str | None, limit: int) -> int:
    """Who did what about sources and findings, and when?

    Each entry of the journal holds the hash of the one before, so none can be changed, added or removed
    between others without a break that --verify finds; it then ends with 1. Whoever can write the
    warehouse file could make a new chain, or cut off its end: keep the number and the hash that --verify
    prints somewhere else, and compare.
    """
    screen = Screen(run)
    with warehouse_of(run).reading() as connection:
        if verify:
            return _verify(screen, *journal.length(connection), journal.verify(connection))
        entries = journal.entries(connection, subject, limit)
    if screen.json:
        screen.document(entries=entries)
    elif entries:
        rows = [(e.written_at, e.actor, e.action, e.subject, _state(e.before), _state(e.after)) for e in entries]
        screen.table(COLUMNS, rows)
    else:
        screen.note("Nobody has done anything yet.")
    return exitcodes.OK


def _verify(screen: Screen, number: int, last: str, broken: int | None) -> int:
    if screen.json:
        screen.document(entries=number, last_hash=last, broken_at=broken)
    elif broken is None:
        screen.line(f"{number:,} entries, each as it was written. Last hash: {last or 'none'}")
    else:
        screen.line(
            f"The chain is broken at entry {broken}: it was changed, or the entry before it is not the one it was."
        )
        screen.note("Compare with a backup. 'whosends query' shows the table journal.")
    return exitcodes.OK if broken is None else exitcodes.FOUND


def _state(state: journal.State | None) -> str:
    return clean(", ".join(f"{name} {value}" for name, value in (state or {}).items() if value))
