"""Sources that were looked at before: a load changes some sources' days, and only those are looked at again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Generic, TypeVar, cast

import polars as pl

from analysis.keeping import plain, reader
from warehouse.kept import Place

KEY = ["domain", "source_key"]
STATES = 2  # of a source that are remembered: people ask about today, and about a week ago
FORGET = timedelta(days=31)  # after which what nobody asked about is given up

Source = tuple[str, str]
"""A domain and a source_key."""

T = TypeVar("T")
States = dict[str, tuple[int, object]]
"""By state, the day that was asked about last (as an ordinal) and what was found, as JSON holds it."""


class Searched(Generic[T]):
    """What was found in each source, by the state that its days were in, whatever became of them since.

    `place` has to be a lasting one: the states say what is still good.
    """

    def __init__(self, place: Place, kind: type[T]) -> None:
        self._place, self._read = place, reader(cast("Any", kind))
        self._found = defaultdict[Source, States](dict)  # a source's states, those asked about last at the end
        for domain, key, state, day, value in json.loads(place.load() or b"[]"):
            self._found[domain, key][state] = day, value

    def left(self, states: Mapping[Source, str]) -> list[Source]:
        """The sources of which nothing is known in this state."""
        return [source for source, state in states.items() if state not in self._found.get(source, {})]

    def before(self, source: Source) -> list[T]:
        """What was found in other states of a source."""
        return [self._read(value) for _, value in self._found.get(source, {}).values()]

    def updated(self, states: Mapping[Source, str], found: Mapping[Source, T], newest: date) -> dict[Source, T]:
        """What was found in each of some sources, in order; `found` is of those that were `left` and is kept.

        `newest` is the day that was asked about.
        """
        for source, value in found.items():
            self._found[source][states[source]] = 0, plain(value)
        for source, state in states.items():
            self._found[source][state] = newest.toordinal(), self._found[source].pop(state)[1]
        if found:
            self._keep(newest - FORGET)
        return {source: self._read(self._found[source][states[source]][1]) for source in sorted(states)}

    def _keep(self, since: date) -> None:
        rows = [
            (*source, state, day, value)
            for source, mine in self._found.items()
            for state, (day, value) in list(mine.items())[-STATES:]
            if day > since.toordinal()
        ]
        self._place.store(json.dumps(rows, separators=(",", ":")).encode())


def of(days: pl.DataFrame, sources: Iterable[Source]) -> pl.DataFrame:
    """The days of some sources."""
    wanted = pl.DataFrame(list(sources), schema=dict.fromkeys(KEY, pl.String), orient="row")
    return days.join(wanted, on=KEY, how="semi")
