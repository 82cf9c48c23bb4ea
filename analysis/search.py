"""The search for changes in daily series: every source for itself, whatever is chance among so many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis import changepoint
from analysis.bursts import bursts
from analysis.change import Change, Reading
from analysis.compare import Counts
from analysis.moves import Series, corroborated, daily, moves, stirs, without_campaigns
from analysis.searched import Source
from analysis.series import MECHANISMS, Block, asked, blocks
from analysis.settings import DriftSettings

Since = Mapping[Source, date] | None


@dataclass(frozen=True, slots=True)
class _Proposed:
    """One source and mechanism, and the days on which its level may have changed."""

    reading: Reading
    series: Series
    days: list[int]


def search(days: pl.DataFrame, settings: DriftSettings, newest: date) -> list[Change]:
    """The changes of the sources in `days` (as reads_changes.told_days gives them), each source for itself.

    They are significant by themselves; some may be chance, as there are many sources.
    """
    return [change for one in _proposed(days, settings, newest) for change in _of_source(one, settings)]


def stirring(days: pl.DataFrame, settings: DriftSettings, newest: date, since: Since) -> set[Source]:
    """The sources in which something may have begun `since` a day of theirs (None: ever) that holds to the newest day.

    Where nothing has, `search` finds nothing: whatever it finds, there is a last change, which holds to the end.
    """
    found = set[Source]()
    for one in _proposed(days, settings, newest):
        source = one.reading.key
        if source not in found:
            first = (since[source] - one.reading.first).days if since else 0
            if stirs(one.series, one.days, first, settings):
                found.add(source)
    return found


def _proposed(days: pl.DataFrame, settings: DriftSettings, newest: date) -> Iterator[_Proposed]:
    """The series in which any change is proposed."""
    for block in blocks(days, settings, newest):
        for mechanism in MECHANISMS:
            put = asked(block, mechanism, settings)
            if put.any():
                yield from _in_block(block, mechanism, put)


def _in_block(block: Block, mechanism: str, put: NDArray[np.bool_]) -> Iterator[_Proposed]:
    """The same of one mechanism and the sources that are asked about."""
    rows = put[block.owner]
    owner = (np.cumsum(put) - 1)[block.owner[rows]]
    names = [name for name, used in zip(block.reporters, rows, strict=True) if used]
    keys = [key for key, used in zip(block.keys, put, strict=True) if used]
    messages, aligned = block.messages[rows], block.aligned[mechanism][rows]
    starts = np.append(np.flatnonzero(np.diff(owner, prepend=-1)), owner.size)
    usual = ~bursts(np.add.reduceat(messages, starts[:-1]), np.add.reduceat(aligned, starts[:-1]))[owner]
    messages, aligned = messages * usual, aligned * usual
    rate, weight, trust = daily(messages, aligned, owner)
    for at, proposed in enumerate(changepoint.steps(rate, weight)):
        if proposed:
            part = slice(starts[at], starts[at + 1])
            wander = changepoint.wander(rate[at], weight[at])
            counts = Counts(messages[part], aligned[part], trust[at], block.weekend, wander)
            reading = Reading(keys[at], mechanism, block.first, names[part], counts)
            yield _Proposed(reading, Series(counts, rate[at], weight[at]), proposed)


def _of_source(one: _Proposed, settings: DriftSettings) -> list[Change]:
    """The changes of one source, told without the reporters that the others contradict."""
    reading, series, every = one.reading, one.series, one.series.counts
    held, odd = moves(series, one.days, settings)
    while odd:
        reading = reading.without(odd)
        if not reading.counts.messages.any():
            return []
        series = Series.of(reading.counts.messages, reading.counts.aligned, reading.counts.weekend)
        held, odd = moves(series, changepoint.steps(series.rate[None], series.weight[None])[0], settings)
        # The source has several reporters, so one that is left over is not enough.
        held = [move for move in held if corroborated(move, every, settings)]
    held = without_campaigns(held, series.counts.messages.sum(axis=0))
    following = [*(move.first for move in held), None][1:]
    return [
        reading.change(move, series.start_between(move), until) for move, until in zip(held, following, strict=True)
    ]
