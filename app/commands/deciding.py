"""The sub-commands of `whosends sources` that record what a person decided."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from typing import Any

import click

from app import exitcodes
from app.commands.asking import day, known, known_domain
from app.commands.base import Run
from app.commands.loading import now
from app.commands.opening import warehouse_of
from app.render import Screen, clean
from ingest.errors import UsageError
from warehouse.connect import Connection, Warehouse
from warehouse.decisions import SourceDecision, decide, undo

SENTENCES = {
    "approve": ("approved", "Say that a source sends for you."),
    "forwarder": ("forwarder", "Say that a source forwards your mail, so that its failures are expected."),
    "spoof": ("spoof", "Say that a source is not yours and never was."),
    "retire": ("retired", "Say that a source was yours and shall send no more."),
}


def add_decisions(group: click.Group) -> None:
    """Give the group a sub-command for each decision, and one to take it back."""
    for name, (decision, sentence) in SENTENCES.items():
        group.add_command(_decision(group, name, decision, sentence))
    _undo(group)


def _about(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--domain", "-d", metavar="DOMAIN", help="For this domain; else for each that it sends as.")(
        command
    )
    return click.argument("keys", nargs=-1, required=True, metavar="SOURCE...")(command)


def _decision(group: click.Group, name: str, decision: str, sentence: str) -> click.Command:
    @click.command(
        name, cls=group.command_class, help=f"{sentence}\n\nSOURCE is a key from the list. Nothing in DNS is changed."
    )
    @_about
    @click.option("--owner", metavar="WHO", help="Person or team to act.")
    @click.option("--note", metavar="TEXT", help="Why.")
    @click.option("--until", metavar="DATE", help="Last day it holds, YYYY-MM-DD.")
    @click.pass_obj
    def command(run: Run, /, keys: Sequence[str], domain: str | None, **said: str | None) -> int:
        until, by = day(said["until"], "--until"), actor()
        made: list[SourceDecision] = []

        def record(connection: Connection, about: str, key: str) -> None:
            made.append(SourceDecision(about, key, decision, by, said["owner"], said["note"], until))
            decide(connection, made[-1], now())

        _for_each(warehouse_of(run), keys, domain, record)
        return _tell(run, made)

    return command


def _undo(group: click.Group) -> None:
    @group.command("undo")
    @_about
    @click.pass_obj
    def command(run: Run, keys: Sequence[str], domain: str | None) -> int:
        """Take the last decision about a source back; the one before it counts again."""
        made: list[SourceDecision] = []

        def record(connection: Connection, about: str, key: str) -> None:
            undo(connection, about, key, actor(), now())
            made.append(SourceDecision(about, key, "undecided", actor()))

        _for_each(warehouse_of(run), keys, domain, record)
        return _tell(run, made)


def _for_each(
    warehouse: Warehouse, keys: Sequence[str], domain: str | None, record: Callable[[Connection, str, str], None]
) -> None:
    """Record for every key and domain in one transaction: all of them, or none."""
    wanted = known_domain(known(warehouse), domain) if domain else None
    with warehouse.writing() as connection:
        for key in dict.fromkeys(keys):
            rows = connection.execute("SELECT DISTINCT domain FROM daily WHERE source_key = ? ORDER BY ALL", [key])
            found = [about for (about,) in rows.fetchall() if wanted in (None, about)]
            if not found:
                where = f" for {wanted}" if wanted else ""
                raise UsageError(f"No report names a source {key!r}{where}.", "'whosends sources' lists the keys.")
            for about in found:
                record(connection, about, key)


def actor() -> str:
    """Who decides: the name of the user that runs this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return "unknown"


def _tell(run: Run, made: Sequence[SourceDecision]) -> int:
    screen = Screen(run)
    if screen.json:
        screen.document(decided=made)
    else:
        for one in made:
            owner = f", owner {one.owner}" if one.owner else ""
            screen.line(clean(f"{one.source_key} for {one.domain}: {one.decision}{owner}"))
        screen.note("Nothing in DNS was changed. 'whosends sources undo' takes it back.")
    return exitcodes.OK
