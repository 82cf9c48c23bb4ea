"""`whosends selectors`: which DKIM keys the domain's mail uses, which do not work, and which may go."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.declared import Declared
from analysis.signing import CLAIMED, STATES, THEIRS, Inventory, Selector, inventory
from analysis.wording import count
from app import declarations, exitcodes
from app.commands.asking import UNTOLD, Asked, scope_of, scoped, today, told_of
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.commands.paths import Place
from app.render import Screen, share

SHOWN = 50
NAMED = 3
COLUMNS = (
    "Domain", "Signing domain", "Selector", "State", "Used by", "First seen", "Last seen", "Messages", "Pass", "Since",
)  # fmt: skip


@click.command("selectors", cls=Command)
@scoped
@click.option("--state", type=click.Choice(STATES), help="Only selectors in this state.")
@click.option("--others", is_flag=True, help="Also keys of signing domains that are not the domain's own.")
@click.option("--declared", type=Place(), metavar="FILE", help="A sources.toml whose selectors shall be there.")
@click.option("--all", "everything", is_flag=True, help=f"All of them in the table, not the first {SHOWN}.")
@click.pass_obj
def command(run: Run, /, asked: Asked, state: str | None, others: bool, declared: Path | None, everything: bool) -> int:
    """Which DKIM selectors are in use, and which may go?

    \b
    ghost    a sender of yours signs with it and it does not verify, or lost it: since when
    orphan   declared, and no mail carries it
    unused   no mail for so long that the key may go: since when
    shared   several senders sign with the same key
    used     carries mail that verifies
    claimed  never verified, and none of your senders uses it

    Looks back 180 days unless told otherwise. A key may go 30 days after its last mail, later where its sender
    comes seldom, and only where the reporters that saw it were there all the time. Whether DNS still has a
    key is not known from reports. Ends with 3 where those days hold no reports.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    wanted: tuple[Declared, ...] = declarations.read(declared).declared if declared else ()
    scope = scope_of(warehouse, asked, run.config.sources.history_days)
    wanted = tuple(one for one in wanted if not scope.domains or one.domain in scope.domains)
    found = inventory(warehouse, scope, today(), run.config.analysis, wanted)
    told = told_of(warehouse, scope)
    chosen = [one for one in found.selectors if (one.own or others) and (not state or state in one.states)]
    if screen.json:
        screen.document(
            newest=found.newest, selectors=chosen, invented=found.invented, unlisted=found.unlisted,
            rotations=found.rotations, published="unknown: DNS was not asked",
        )  # fmt: skip
    else:
        if not told:
            screen.note(UNTOLD)
        _show(screen, found, chosen, None if everything else SHOWN, told=told)
    return exitcodes.OK if told else exitcodes.UNKNOWN


def _show(screen: Screen, found: Inventory, chosen: list[Selector], most: int | None, *, told: bool) -> None:
    if chosen:
        screen.table(COLUMNS, [_row(one) for one in chosen[:most]])
    elif told:
        screen.note("There is no such selector.")
    if most and len(chosen) > most:
        screen.note(f"The first {most} of {len(chosen):,}; --all lists all.")
    for turn in found.rotations:
        what = "took the place of another" if turn.rotated else "came into use" if turn.begins else "fell out of use"
        screen.note(f"{turn.day} {turn.domain}: {turn.selector} {what} ({turn.source_key}).")
    if found.invented:
        screen.note(f"{found.invented:,} more were named by a handful of messages, and never verified.")
    if found.unlisted:
        screen.note(f"{found.unlisted:,} more never verified; of each domain {CLAIMED} such are listed.")


def _row(one: Selector) -> tuple[object, ...]:
    names = [use.name for use in one.uses if use.kind in THEIRS][:NAMED]
    others = len(one.uses) - len(names)
    return (
        one.domain,
        one.signing_domain,
        one.selector,
        ", ".join(one.states),
        ", ".join([*names, *([count(others, "other")] if others else [])]),
        one.first_seen,
        one.last_seen,
        one.messages,
        share(one.passed, one.messages),
        one.removable_since or one.failing_since,
    )
