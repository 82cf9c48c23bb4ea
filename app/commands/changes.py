"""`whosends changes`: what else changed, beside alignment."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click

from analysis.news import KINDS, News, news
from app import exitcodes
from app.commands.asking import Asked, scope_of, scoped, today
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen

COLUMNS = ("Since", "Until", "What", "Domain", "About", "Messages", "Evidence")


@click.command("changes", cls=Command)
@scoped
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; repeatable.")
@click.pass_obj
def command(run: Run, asked: Asked, kinds: tuple[str, ...]) -> int:
    """What else changed?

    Sources that are new or gone, more or less mail than usual, waves of forged mail, the record's history,
    selectors, new names in From, and reporters that fell silent; alignment is `whosends drift`. A holiday,
    a weekend or a silent reporter is no drop. Ends with 1 where there are some, with 0 where there are none.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = scope_of(warehouse, asked, run.config.drift.days)
    found = [one for one in news(warehouse, scope, today(), run.config.analysis) if not kinds or one.kind in kinds]
    if screen.json:
        screen.document(changes=[document(one) for one in found])
    elif found:
        screen.table(COLUMNS, [_row(one) for one in found])
    else:
        screen.note(f"Nothing of that kind changed between {scope.since} and {scope.until}.")
    return exitcodes.FOUND if found else exitcodes.OK


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
