"""The sub-commands of `whosends sources` that record what a person decided."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import click

from app import exitcodes
from app.commands.asking import day, known, known_domain, now, today
from app.commands.base import Run
from app.commands.naming import meant_by, named
from app.commands.opening import warehouse_of
from app.render import Screen, clean
from ingest.errors import UsageError
from warehouse import decisions
from warehouse.connect import Connection
from warehouse.decisions import CADENCES, EXPECTS, Change, SourceDecision
from warehouse.journal import State

SENTENCES = {
    "approve": ("approved", "Say that a source sends for you."),
    "forwarder": ("forwarder", "Say that a source forwards your mail, so that its failures are expected."),
    "spoof": ("spoof", "Say that a source is not yours and never was."),
    "retire": ("retired", "Say that a source was yours and shall send no more."),
}
ABOUT = (
    "SOURCE is a key from the list, or an address or a service's name that only one source has; '-' reads them from "
    "standard input, one a line. All are recorded, or none. Nothing in DNS is changed."
)


def add_decisions(group: click.Group) -> None:
    """Give the group a sub-command for each decision, and one to take it back."""
    for name, (decision, sentence) in SENTENCES.items():
        group.add_command(_decision(group, name, decision, sentence))
    group.add_command(_undo(group))


def _about(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--domain", "-d", metavar="DOMAIN", help="For this domain; else for each that it sends as.")(
        command
    )
    return click.argument("keys", nargs=-1, required=True, metavar="SOURCE...")(command)


def _decision(group: click.Group, name: str, decision: str, sentence: str) -> click.Command:
    @click.command(name, cls=group.command_class, help=f"{sentence}\n\n{ABOUT} What is not said again of the owner "
                   "and of what is expected stays as it was; an empty owner takes it away.")  # fmt: skip
    @_about
    @click.option("--owner", metavar="WHO", help="Person or team to act.")
    @click.option("--note", metavar="TEXT", help="Why.")
    @click.option("--until", metavar="DATE", help="Last day it holds, YYYY-MM-DD.")
    @click.option("--expects", type=click.Choice(EXPECTS), help="What its mail shall align by.")
    @click.option("--cadence", type=click.Choice(CADENCES), help="How often it sends.")
    @click.pass_obj
    def command(run: Run, /, keys: Sequence[str], domain: str | None, until: str | None, **said: str | None) -> int:
        last, by = last_day(until), actor(run.config.warehouse.user)

        def record(connection: Connection, about: str, key: str) -> Change:
            made = SourceDecision(about, key, decision, by, until=last, **said)
            return decisions.decide(connection, decisions.kept(connection, made), now())

        return _tell(run, _for_each(run, keys, domain, record), taken_back=False)

    return command


def _undo(group: click.Group) -> click.Command:
    @click.command("undo", cls=group.command_class, help="Take the last decision about a source back; the one before "
                   f"it counts again.\n\n{ABOUT}")  # fmt: skip
    @_about
    @click.pass_obj
    def command(run: Run, keys: Sequence[str], domain: str | None) -> int:
        by = actor(run.config.warehouse.user)

        def record(connection: Connection, about: str, key: str) -> Change:
            return decisions.undo(connection, about, key, by, now())

        return _tell(run, _for_each(run, keys, domain, record), taken_back=True)

    return command


def last_day(text: str | None) -> date | None:
    """The last day of a decision, which must not be over already."""
    last = day(text, "--until")
    if last and last < today():
        raise UsageError(f"--until {last} is over already.", "Name the last day on which it shall hold.")
    return last


def actor(configured: str = "") -> str:
    """Who decides: who the settings name, else the user that runs this."""
    if configured.strip():
        return configured.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return "unknown"


def _for_each(
    run: Run, keys: Sequence[str], domain: str | None, record: Callable[[Connection, str, str], Change]
) -> list[Change]:
    """Record for every key and domain in one transaction: all of them, or none."""
    warehouse, given = warehouse_of(run), named(keys)
    wanted = known_domain(known(warehouse), domain) if domain else None
    with warehouse.writing(reports=False) as connection:
        pairs = dict.fromkeys(
            (about, key) for text in given for key, every in [meant_by(connection, text, wanted)] for about in every
        )
        return [record(connection, *pair) for pair in pairs]


def _tell(run: Run, changes: Sequence[Change], *, taken_back: bool) -> int:
    screen = Screen(run)
    if screen.json:
        screen.document(decided=[{**asdict(one), "decision": _word(one.after)} for one in changes])
    else:
        for one in changes:
            screen.line(clean(f"{one.source_key} for {one.domain}: {_said(one, taken_back=taken_back)}"))
        screen.note("Nothing in DNS was changed." + ("" if taken_back else " 'whosends sources undo' takes it back."))
    return exitcodes.OK


def _said(change: Change, *, taken_back: bool) -> str:
    before = _word(change.before)
    if taken_back:
        again = "nothing is decided" if change.after is None else f"{_word(change.after)} counts again"
        return f"{before} is taken back, {again}"
    after = change.after or {}
    terms = [f"{name} {after[name]}" for name in ("owner", "until", "expects", "cadence") if after.get(name)]
    was = f"was {before}" if change.before else ""
    return ", ".join(filter(None, [_word(change.after), was, *terms]))


def _word(state: State | None) -> str:
    return (state or {}).get("decision") or decisions.UNDECIDED
