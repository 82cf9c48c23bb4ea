"""Reads the catalogue's TOML. Every key is checked here, so that a slip of the pen is told by its place."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ingest.catalogue.service import ALIGNS, CATEGORIES, CHECKED, MARKS, ROLES, Service
from ingest.errors import Error

FOLDER = Path(__file__).parent / "services"

# What to do is the same for all services of these roles.
ADVICE = {
    "forwarder": {
        "aligns_spf": "no",
        "aligns_dkim": "no",
        "fix_spf": "Leave your SPF record as it is: forwarded mail passes SPF with the forwarder's name, never yours.",
        "fix_dkim": "Have everything that sends as you sign with your domain: such signatures survive forwarding.",
    },
    "list": {
        "aligns_spf": "no",
        "aligns_dkim": "no",
        "fix_spf": "Leave your SPF record as it is: a list sends with its own return path.",
        "fix_dkim": "Ask the list's owner to rewrite the From header, or to change neither subject nor body of posts.",
    },
}

TEXTS = ("name", "role", "docs", "checked_with", "aligns_spf", "aligns_dkim", "fix_spf", "fix_dkim", "notes")
CHOICES = {"role": ROLES, "aligns_spf": ALIGNS, "aligns_dkim": ALIGNS, "checked_with": CHECKED}
KNOWN = frozenset(one.name for one in fields(Service)) - {"id", "category"}


class BrokenCatalogue(Error):
    """The catalogue's files are damaged or were edited wrongly."""


def load(folder: Path = FOLDER) -> tuple[Service, ...]:
    """All services in the folder's files, by category and then as they stand. Raises BrokenCatalogue."""
    services: list[Service] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as fault:
            raise _broken(path.name, str(fault)) from fault
        if path.stem not in CATEGORIES:
            raise _broken(path.name, "no category has this name")
        services += [_service(f"{path.name} [{key}]", key, path.stem, table) for key, table in tables.items()]
    return tuple(services)


def _service(place: str, key: str, category: str, table: Any) -> Service:
    if not isinstance(table, dict):
        raise _broken(place, "is not a table")
    given = {**ADVICE.get(str(table.get("role")), {}), **table}
    if unknown := given.keys() - KNOWN:
        raise _broken(place, f"has an unknown key {min(unknown)}")
    for name in TEXTS:
        if not isinstance(given.setdefault(name, ""), str):
            raise _broken(place, f"{name} is not text")
    for name in MARKS:
        given[name] = _marks(place, name, given.get(name, []))
    day = given.get("checked_on")
    if not isinstance(day, date) or isinstance(day, datetime):
        raise _broken(place, "checked_on is not a date")
    if not isinstance(given.get("carries", False), bool):
        raise _broken(place, "carries is neither true nor false")
    for name, choices in CHOICES.items():
        if given[name] not in choices:
            raise _broken(place, f"{name} is not one of {', '.join(choices)}")
    return Service(id=key, category=category, **given)


def _marks(place: str, name: str, given: Any) -> tuple[Any, ...]:
    kind = int if name == "asn" else str
    if not isinstance(given, list) or not all(type(one) is kind for one in given):
        raise _broken(place, f"{name} is not a list of {'numbers' if kind is int else 'texts'}")
    return tuple(given)


def _broken(place: str, what: str) -> BrokenCatalogue:
    return BrokenCatalogue(f"The catalogue of services is broken: {place}: {what}.", "Install whosends again.")
