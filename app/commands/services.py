"""`whosends services`: the services that are known, how each is recognised, and how its mail is made to align."""

from __future__ import annotations

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.config import meant
from app.render import Screen
from ingest.catalogue.catalogue import Catalogue, catalogue
from ingest.catalogue.service import ALIGNS, CATEGORIES, CHECKED, MARKS, ROLES, Service
from ingest.errors import UsageError

COLUMNS = ("Id", "Name", "Category", "Role", "SPF", "DKIM")


@click.command("services", cls=Command)
@click.argument("name", required=False)
@click.option("--category", type=click.Choice(list(CATEGORIES)), help="Only these.")
@click.pass_obj
def command(run: Run, name: str | None, category: str | None) -> int:
    """Which services are known, and how are they set up?

    NAME is a part of a service's name, or a trace of it: a reverse name, an SPF include, the target of a CNAME
    record, a return path or a signing domain. Where one service fits, shows how it is recognised and what to
    publish so that its mail aligns. Reads no reports and asks no network.
    """
    known = catalogue()
    found = _found(known, name) if name else known.services
    found = tuple(one for one in found if category in (None, one.category))
    screen = Screen(run)
    if screen.json:
        screen.document(services=found)
    elif name and len(found) == 1:
        _show(screen, found[0])
    elif found:
        screen.table(COLUMNS, [_row(one) for one in found])
    else:
        screen.note("No service of this category fits.")
    return exitcodes.OK


def _found(known: Catalogue, name: str) -> tuple[Service, ...]:
    exact = known.get(name.strip().lower())
    found = (exact,) if exact else known.search(name)
    if not found:
        raise UsageError(f"The catalogue has no service {name!r}.", meant(name, [one.id for one in known.services]))
    return found


def _row(one: Service) -> tuple[object, ...]:
    return (one.id, one.name, one.category, one.role, one.aligns_spf, one.aligns_dkim)


def _show(screen: Screen, one: Service) -> None:
    lines = [
        ("Name", one.name),
        ("Id", one.id),
        ("Category", CATEGORIES[one.category]),
        ("Role", f"{one.role}: {ROLES[one.role]}"),
        ("SPF", f"{_sentence(ALIGNS[one.aligns_spf])}. {one.fix_spf}"),
        ("DKIM", f"{_sentence(ALIGNS[one.aligns_dkim])}. {one.fix_dkim}"),
        ("Notes", one.notes),
        ("Documents", one.docs),
        *((_sentence(MARKS[field]), ", ".join(map(str, getattr(one, field)))) for field in MARKS),
        ("Checked", f"{one.checked_on}, with {CHECKED[one.checked_with]}"),
    ]
    screen.table(("What", "Is"), [line for line in lines if line[1]])


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
