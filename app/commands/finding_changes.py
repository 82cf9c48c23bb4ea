"""The sub-commands of `whosends findings` that change one: who acts, what was done, and when to hear of it again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import click

from app import exitcodes
from app.commands.asking import day, now, today
from app.commands.base import Command, MayBeEmpty, Run
from app.commands.deciding import actor
from app.commands.opening import warehouse_of
from app.render import Screen, clean
from app.tracking import recorded
from ingest.errors import UsageError
from warehouse import findings as states
from warehouse.findings import FindingRecord
from warehouse.instants import naive

WORDS = 500  # characters of an owner or a note; more belongs into a ticket


def add_changes(group: click.Group) -> None:
    """Give the group its sub-commands."""
    for command in (assign, note, fixed, snooze, close, reopen):
        group.add_command(command)


def _change(run: Run, finding: str, action: str, **values: Any) -> int:
    warehouse = warehouse_of(run)
    # What reports say comes first: a finding that nobody has listed yet has no record either.
    recorded(warehouse, today(), run.config)
    with warehouse.writing(reports=False) as connection:
        record = states.change(connection, finding, action, actor(run.config.warehouse.user), naive(now()), **values)
    _tell(run, record)
    return exitcodes.OK


def _tell(run: Run, record: FindingRecord) -> None:
    screen = Screen(run)
    if screen.json:
        screen.document(finding=record)
        return
    more = f", owner {record.owner}" if record.owner else ""
    more += f", snoozed until {record.snoozed_until}" if record.snoozed_until else ""
    screen.line(clean(f"{record.finding_key}: {record.state}{more}: {record.title}"))


def _said(text: str, what: str) -> str | None:
    said = clean(text).strip()
    if len(said) > WORDS:
        raise UsageError(f"{what} has {len(said):,} characters; {WORDS} are the most.", "Put the rest into a ticket.")
    return said or None


@click.command("assign", cls=Command)
@click.argument("finding", metavar="ID")
@click.argument("owner", metavar="WHO", cls=MayBeEmpty)
@click.pass_obj
def assign(run: Run, finding: str, owner: str) -> int:
    """Give a finding to somebody; '' gives it back to the owner of its source, domain or client."""
    return _change(run, finding, "finding.assign", owner=_said(owner, "The owner"))


@click.command("note", cls=Command)
@click.argument("finding", metavar="ID")
@click.argument("text", cls=MayBeEmpty)
@click.pass_obj
def note(run: Run, finding: str, text: str) -> int:
    """Note something about a finding; the journal keeps the notes before."""
    return _change(run, finding, "finding.note", note=_said(text, "The note"))


@click.command("fixed", cls=Command)
@click.argument("finding", metavar="ID")
@click.option("--on", "on", metavar="DATE", help="The day of the fix, whose mail may still show the fault; else today.")
@click.pass_obj
def fixed(run: Run, finding: str, on: str | None) -> int:
    """Say that the fix is published. Reports of the days after it then prove it, or refute it."""
    done = day(on, "--on") or today()
    if done > today():
        raise UsageError(f"--on {done} is still to come.", "Say it when it is done.")
    return _change(
        run,
        finding,
        "finding.fix",
        state="fixed",
        fixed_on=done,
        reason=f"Fix published on {done}.",
        snoozed_until=None,
    )


@click.command("snooze", cls=Command)
@click.argument("finding", metavar="ID")
@click.option("--until", metavar="DATE", help="Last day of silence, YYYY-MM-DD; else a week from today.")
@click.pass_obj
def snooze(run: Run, finding: str, until: str | None) -> int:
    """Hear nothing more of a finding until a day is over. Nothing else about it changes."""
    last: date = day(until, "--until") or today() + timedelta(days=7)
    if last < today():
        raise UsageError(f"--until {last} is over.", "Give a day to come.")
    return _change(run, finding, "finding.snooze", snoozed_until=last)


@click.command("close", cls=Command)
@click.argument("finding", metavar="ID")
@click.option("--reason", default="Closed by hand.", metavar="TEXT", help="Why it needs no more work.")
@click.pass_obj
def close(run: Run, finding: str, reason: str) -> int:
    """Close a finding. It opens again when it comes back, begins anew or becomes worse."""
    why = _said(reason, "The reason") or "Closed by hand."
    return _change(run, finding, "finding.close", state="closed", reason=why, snoozed_until=None)


@click.command("reopen", cls=Command)
@click.argument("finding", metavar="ID")
@click.pass_obj
def reopen(run: Run, finding: str) -> int:
    """Open a finding again, whatever its state, and take back that it was fixed."""
    return _change(
        run, finding, "finding.reopen", state="open", reason="Opened by hand.", fixed_on=None, snoozed_until=None
    )
