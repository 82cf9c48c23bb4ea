"""`whosends changes`: what else changed, beside alignment."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

import click

from analysis.news import KINDS, News, news
from app import exitcodes
from app.commands.asking import UNTOLD, Asked, knowable, scope_of, scoped, then, told_of
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen
from warehouse.known import known_at as as_known

COLUMNS = ("Since", "Until", "What", "Domain", "About", "Messages", "Evidence")


@click.command("changes", cls=Command)
@scoped
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; repeatable.")
@knowable
@click.pass_obj
def command(run: Run, asked: Asked, kinds: tuple[str, ...], known_at: datetime | None) -> int:
    """What else changed?

    Sources that are new or gone, more or less mail than usual, waves of forged mail, the record's history,
    selectors, new names in From, and reporters that fell silent; alignment is `whosends drift`. A holiday,
    a weekend or a silent reporter is no drop. --known-at leaves out what came later. Ends with 1 where there
    are some, with 0 where there are none, and with 3 where those days hold no reports.
    """
    screen = Screen(run)
    with as_known(warehouse_of(run), known_at) as warehouse:
        scope = scope_of(warehouse, asked, run.config.drift.days)
        every = news(warehouse, scope, then(known_at).date(), run.config.analysis)
        told = bool(every) or told_of(warehouse, scope)
    found = [one for one in every if not kinds or one.kind in kinds]
    if screen.json:
        screen.document(changes=[document(one) for one in found])
    elif found:
        screen.table(COLUMNS, [_row(one) for one in found])
    elif told:
        screen.note(f"Nothing of that kind changed between {scope.since} and {scope.until}.")
    else:
        screen.note(UNTOLD)
    return exitcodes.FOUND if found else exitcodes.OK if told else exitcodes.UNKNOWN


def document(one: News) -> dict[str, Any]:
    """A change as programs get it."""
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _row(one: News) -> tuple[object, ...]:
    about = one.subject or one.reporter or one.source_key or ""
    return (
        one.started_on,
        one.ended_on or "",
        one.kind.replace("_", " "),
        one.domain or "",
        about,
        one.messages,
        one.evidence,
    )
