"""What DNS says in a world when the product asks for the organisation's names: its zone, and services' records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.worlds.services import catalogue
from benchmarks.worlds.world import World
from ingest.probes.names import Owned

INCLUDE = "SPF include "  # how a zone says whose record a domain includes


class Record(NamedTuple):
    """An answer of DNS, as the warehouse takes it."""

    name: str
    rdtype: str
    values: tuple[str, ...]


def answered(world: World, owned: Owned) -> Iterator[Record]:
    """The answers to what is asked of one domain; the zone is that of the last day."""
    for name in (*owned.keys, *owned.paths):
        target = world.zone.get((name, "CNAME"))
        yield Record(name, "CNAME", (f"{target}.",) if target else ())
    includes = {
        kind.removeprefix(INCLUDE): target
        for (name, kind), target in world.zone.items()
        if name == owned.domain and kind.startswith(INCLUDE)
    }
    terms = " ".join(f"include:{target}" for target in includes.values())
    yield Record(owned.domain, "TXT", (f"v=spf1 {terms} -all",))
    for service, target in includes.items():
        # What an invented service's own record allows, no world tells.
        known = catalogue().get(service)
        blocks = " ".join(f"ip{6 if ':' in one else 4}:{one}" for one in known.networks) if known else ""
        yield Record(target, "TXT", (f"v=spf1 {blocks} -all",) if known else ())
