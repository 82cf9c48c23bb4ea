"""`whosends drift`: which sources' alignment changed, when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

import click

from analysis import apart, completeness
from analysis.apart import Part
from analysis.decomposition import Decomposition
from analysis.drift import Drift, drifts
from analysis.genuine import counted
from analysis.lacking import DAYS, Lacking, in_words, lacking
from analysis.settings import DriftSettings
from app import exitcodes
from app.commands.asking import Asked, knowable, scope_of, scoped, then
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen, share
from warehouse import reads, reads_changes
from warehouse.connect import Warehouse
from warehouse.known import known_at as as_known
from warehouse.scope import Scope

COLUMNS = ("Domain", "Source", "What", "Since", "Before", "After", "Messages", "Likely cause")


@click.command("drift", cls=Command)
@scoped
@knowable
@click.pass_obj
def command(run: Run, asked: Asked, known_at: datetime | None) -> int:
    """What changed, and when?

    Changes of a source's alignment that are neither chance nor one reporter's doing, each with the
    day it began and the likeliest cause. Ends with 1 where there are some, with 0 where all is stable,
    and with 3 where no source has sent enough, on days enough, for a change to be seen. --known-at leaves out
    what came later, as if it were that day.
    """
    screen = Screen(run)
    with as_known(warehouse_of(run), known_at) as warehouse:
        scope = scope_of(warehouse, asked, run.config.drift.days)
        settings, at = _over(warehouse, run.config.drift, scope), then(known_at)
        found = drifts(warehouse, scope, settings)
        parts = apart.told(warehouse, found, scope.until or at.date(), run.config.sources) if found else []
        undecided, others = _undecided(warehouse, scope, settings)
        enough, newest = bool(found) or others, completeness.of_domains(warehouse, scope, at)
    if screen.json:
        screen.document(
            drifts=[document(drift) for drift in found],
            decompositions=[split(part, told) for part, told in parts],
            undecided=[asdict(one) for one in undecided],
            completeness=[asdict(one) for one in newest],
        )
        return _ending(found, enough)
    if found:
        screen.table(COLUMNS, [_row(drift) for drift in found])
        for part, told in parts:
            screen.line("")
            screen.line(_sentence(part, told))
    elif enough:
        screen.note(f"Stable: no source's alignment changed between {scope.since} and {scope.until}.")
    else:
        screen.note(f"Too little data to tell: no source has {2 * settings.messages} messages on {DAYS} days.")
    for sentence in (in_words(undecided) if enough else "", *completeness.so_far(newest)):
        if sentence:
            screen.note(sentence)
    return _ending(found, enough)


def _ending(found: Sequence[Drift], enough: bool) -> int:
    return exitcodes.FOUND if found else exitcodes.OK if enough else exitcodes.UNKNOWN


def _undecided(warehouse: Warehouse, scope: Scope, settings: DriftSettings) -> tuple[list[Lacking], bool]:
    """The sources with too little mail, and whether there are others: of those a change would be seen."""
    with warehouse.reading() as connection:
        sums = reads_changes.source_sums(connection, counted(connection, scope))
    found = lacking(sums, settings)
    return found, len(found) < sums.height


def _over(warehouse: Warehouse, settings: DriftSettings, scope: Scope) -> DriftSettings:
    """The settings with the days that were asked for; of more than usual, those before all reports only take memory."""
    if scope.since is None or scope.until is None:
        return settings
    days = (scope.until - scope.since).days + 1
    if days > settings.days:
        with warehouse.reading() as connection:
            began = reads.first_day(connection, scope) or scope.until
        days = max(settings.days, (scope.until - began).days + 1)
    return replace(settings, days=days)


def document(drift: Drift) -> dict[str, Any]:
    """A drift as programs get it: `cause` is the code, its sentence stands beside it."""
    parts = {one.name: getattr(drift, one.name) for one in fields(drift)}
    return {**parts, "cause": drift.cause.code, "cause_sentence": drift.cause.sentence}


def split(part: Decomposition, told: Sequence[Part]) -> dict[str, Any]:
    """A domain's change and its parts as programs get it; the effects sum to `points`, the parts to them in tenths."""
    own = {one.name: getattr(part, one.name) for one in fields(part)}
    return {**own, "points": part.points, "parts": told, "sentence": apart.sentence(part, told)}


def _sentence(part: Decomposition, told: Sequence[Part]) -> str:
    """Two stretches of days, and what moved the rate from one to the other."""
    days = f"{part.late[0]} to {part.late[1]}, against {part.early[0]} to {part.early[1]}"
    return f"{part.domain}, {days}: {apart.sentence(part, told)}."


def _row(drift: Drift) -> tuple[object, ...]:
    return (
        drift.domain,
        drift.name,
        f"{drift.mechanism} {drift.shape}",
        drift.started_on,
        share(drift.before),
        share(drift.after),
        drift.messages,
        drift.cause.words,
    )
