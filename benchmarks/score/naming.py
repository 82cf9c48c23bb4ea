"""Whether a source bears the name of the service that sends."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from benchmarks.worlds.services import catalogue


@dataclass(frozen=True, slots=True)
class Naming:
    """Shares of the messages that services send: rightly named, and under the name of another known service."""

    catalogued: float
    misnamed: float
    invented: float
    worst: tuple[tuple[str, str, int], ...]


def naming(rows: pl.DataFrame) -> Naming:
    """Score what comes from services, and list the largest that are named wrongly: service, name shown, messages."""
    of_services = (
        rows.filter(pl.col("kind") == "service").group_by("service", "catalogued", "name").agg(pl.col("messages").sum())
    )
    right = {True: 0, False: 0}
    total = {True: 0, False: 0}
    misnamed, worst = 0, []
    for service, catalogued, name, messages in of_services.iter_rows():
        total[catalogued] += messages
        if means(name, service):
            right[catalogued] += messages
            continue
        if catalogued:
            worst.append((service, name, messages))
        misnamed += messages * any(means(name, other) for other in catalogue() if other != service)
    worst.sort(key=lambda one: -one[2])
    everything = max(1, sum(total.values()))
    return Naming(
        right[True] / max(1, total[True]), misnamed / everything, right[False] / max(1, total[False]), tuple(worst[:8])
    )


def means(name: str, service: str) -> bool:
    """Whether a shown name can be read as a service's: it, or one of its other names, as whole words."""
    known = catalogue().get(service)
    shown = _words(name)
    return any(f" {_words(one)} " in f" {shown} " for one in (service, *(known.also if known else ())))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9&]+", text.lower()))
