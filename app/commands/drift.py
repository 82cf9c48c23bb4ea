"""`whosends drift`: which sources' alignment changed, when, and why."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import click

from analysis.drift import Drift, drifts
from analysis.settings import DriftSettings
from app import exitcodes
from app.commands.asking import Asked, scope_of, scoped, warehouse_of
from app.commands.base import Command, Run
from app.render import Screen, share
from warehouse.scope import Scope

COLUMNS = ("Domain", "Source", "What", "Since", "Before", "After", "Messages", "Likely cause")


@click.command("drift", cls=Command)
@scoped
@click.pass_obj
def command(run: Run, asked: Asked) -> int:
    """What changed, and when?

    Changes of a source's alignment that are neither chance nor one reporter's doing, each with the
    day it began and the likeliest cause. Ends with 1 where there are some, with 0 where all is stable.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = scope_of(warehouse, asked, run.config.drift.days)
    found = drifts(warehouse, scope, _over(run.config.drift, scope))
    if screen.json:
        screen.document(drifts=[document(drift) for drift in found])
    elif found:
        screen.table(COLUMNS, [_row(drift) for drift in found])
    else:
        screen.note(f"Stable: no source's alignment changed between {scope.since} and {scope.until}.")
    return exitcodes.FOUND if found else exitcodes.OK


def _over(settings: DriftSettings, scope: Scope) -> DriftSettings:
    """The settings with the days that were asked for."""
    if scope.since is None or scope.until is None:
        return settings
    return replace(settings, days=(scope.until - scope.since).days + 1)


def document(drift: Drift) -> dict[str, Any]:
    """A drift as programs get it: `cause` is the code, its sentence stands beside it."""
    parts = {one.name: getattr(drift, one.name) for one in fields(drift)}
    return {**parts, "cause": drift.cause.code, "cause_sentence": drift.cause.sentence}


def _row(drift: Drift) -> tuple[object, ...]:
    return (
        drift.domain,
        drift.name,
        f"{drift.mechanism} {drift.shape}",
        drift.started_on,
        share(drift.before),
        share(drift.after),
        drift.messages,
        drift.cause.sentence,
    )
