"""`whosends audit`: who did what, and whether the log of it was tampered with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen, clean
from ingest.errors import UsageError
from warehouse import journal
from warehouse.findings import untold

HASH: Final = re.compile(r"[0-9a-fA-F]{8,64}")
COLUMNS = ("When", "Who", "What", "About", "Before", "After")


@click.command("audit", cls=Command)
@click.option("--verify", is_flag=True, help="Verify the whole chain of hashes instead of listing.")
@click.option("--noted", metavar="HASH", help="With --verify: a last hash that was noted earlier, which must be there.")
@click.option("--subject", metavar="TEXT", help="Only entries about this: a finding's id, or 'DOMAIN SOURCE'.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Latest entries listed."
)
@click.pass_obj
def command(run: Run, verify: bool, noted: str | None, subject: str | None, limit: int) -> int:
    """Who did what about sources and findings, and when?

    Each entry of the journal holds the hash of the one before, so none can be changed, added or removed
    between others without a break that --verify finds; it then ends with 1. An end that was cut off shows
    where a finding is not as the journal last told of it. Whoever can write the warehouse file could change
    that too, or make a new chain: keep the hash that --verify prints somewhere else, and give it to a later
    --verify as --noted.
    """
    screen = Screen(run)
    if noted is not None and not (verify and HASH.fullmatch(noted)):
        raise UsageError("--noted is a hash that 'audit --verify' printed, and goes with --verify.")
    with warehouse_of(run).reading() as connection:
        if verify:
            gone = noted is not None and not journal.holds(connection, noted)
            return _verify(
                screen, journal.length(connection), journal.verify(connection), untold(connection), gone=gone
            )
        entries = journal.entries(connection, subject, limit)
    if screen.json:
        screen.document(entries=entries)
    elif entries:
        rows = [(e.written_at, e.actor, e.action, e.subject, state(e.before), state(e.after)) for e in entries]
        screen.table(COLUMNS, rows)
    else:
        screen.note("Nobody has done anything yet." if subject is None else "The journal has no entry about this.")
    return exitcodes.OK


def _verify(screen: Screen, whole: tuple[int, str], broken: int | None, changed: Sequence[str], *, gone: bool) -> int:
    number, last = whole
    said = list(_faults(broken, changed, gone=gone))
    if screen.json:
        screen.document(entries=number, last_hash=last, broken_at=broken, untold=changed, noted_gone=gone)
    elif not said:
        screen.line(f"{number:,} entries, each as it was written. Last hash: {last or 'none'}")
    else:
        for sentence in said:
            screen.line(sentence)
        screen.note("Compare with a backup. 'whosends query' shows the table journal.")
    return exitcodes.FOUND if said else exitcodes.OK


def _faults(broken: int | None, changed: Sequence[str], *, gone: bool) -> Iterator[str]:
    if broken is not None:
        yield f"The chain is broken at entry {broken}: it was changed, or the entry before it is not the one it was."
    if gone:
        yield "No entry has the hash that was noted: the end of the chain was cut off, or all of it made anew."
    if changed:
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        which = f"{', '.join(changed[:5])}{more}"
        yield f"Not as the journal last told of them: {which}. Its end is gone, or they were changed."


def state(held: journal.State | None) -> str:
    """A state as the journal has it, in words: what is empty is left out."""
    return clean(", ".join(f"{name} {value}" for name, value in (held or {}).items() if value))
