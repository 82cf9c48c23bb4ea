"""Services that send for their customers: real ones from services.toml, and invented ones that no catalogue knows."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.worlds.addresses import filled, places
from benchmarks.worlds.chance import pick
from benchmarks.worlds.draft import Draft
from benchmarks.worlds.organisation import WORDS

ENDINGS = ("mail", "post", "send", "desk", "forms", "pay", "crm", "hire", "learn", "ticket")


@dataclass(frozen=True, slots=True)
class Service:
    """A service; see services.toml for what the fields mean."""

    name: str
    group: str
    networks: tuple[str, ...]
    ptr: str
    also: tuple[str, ...] = ()
    mail_from: str = ""
    custom: str = ""
    selectors: tuple[str, ...] = ()
    cname: str = ""
    own: tuple[str, str] | tuple[()] = ()
    include: str = ""
    catalogued: bool = True


@cache
def catalogue() -> dict[str, Service]:
    """The real services by name."""
    listed: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("services.toml").read_text())["service"]
    return {one["name"]: Service(**{key: _frozen(value) for key, value in one.items()}) for one in listed}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def of_group(*groups: str) -> list[Service]:
    """The real services of some groups."""
    return [service for service in catalogue().values() if service.group in groups]


def invented(draft: Draft) -> Service:
    """A service that nobody has heard of, on rented servers."""
    rng = draft.rng
    stem = f"{rng.choice(WORDS)}{rng.choice(ENDINGS)}"
    place = pick(rng, places("hosting"))
    network = pick(rng, place.networks)
    domain = f"{stem}.{draft.choice(('example', 'test', 'invalid'))}"
    named = draft.chance(0.8)
    prefix = stem[:2]
    return Service(
        name=stem.capitalize(),
        group="business",
        networks=(network,),
        ptr=f"{draft.choice(('out', 'mx', 'smtp', 'mta-'))}##.{domain}" if named else place.ptr,
        also=(domain,),
        mail_from=f"bounce.{domain}" if draft.chance(0.7) else "",
        custom="return" if draft.chance(0.4) else "",
        selectors=(f"{prefix}1", f"{prefix}2") if draft.chance(0.7) else (),
        cname=f"{{selector}}.{{dash}}.dkim.{domain}" if draft.chance(0.5) else "",
        own=(domain, "default"),
        include=f"spf.{domain}" if draft.chance(0.6) else "",
        catalogued=False,
    )


def pool(draft: Draft, service: Service) -> tuple[str, ...]:
    """The service's addresses in this world; those with few customers have few."""
    if service.catalogued:
        return draft.book.pool(service.name, service.networks, service.ptr)
    return draft.book.block(int(draft.rng.integers(1, 6)), service.networks, service.ptr)


def filled_for(draft: Draft, template: str, domain: str, **more: str) -> str:
    """A name of the service's, for this customer."""
    tenant = draft.organisation.name
    return filled(template, draft.rng, domain=domain, dash=domain.replace(".", "-"), tenant=tenant, **more)
