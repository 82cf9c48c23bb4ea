"""The search for changes in daily series: every source for itself, whatever is chance among so many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from analysis import changepoint
from analysis.bursts import bursts
from analysis.change import Change, Reading
from analysis.compare import Counts
from analysis.moves import Series, corroborated, daily, moves, stirs, without_campaigns
from analysis.numbers import Bools, np
from analysis.searched import Source
from analysis.series import EITHER, MECHANISMS, Block, asked, blocks
from analysis.settings import DriftSettings


@dataclass(frozen=True, slots=True)
class _Proposed:
    """One source and mechanism, and the days on which its level may have changed.

    `twin`: that dmarc says the same of each of its days, so it need not be asked.
    """

    reading: Reading
    series: Series
    days: list[int]
    twin: bool


def search(days: pl.DataFrame, settings: DriftSettings, size: int) -> list[Change]:
    """The changes of the sources in `days` on the `size` days from each one's `first` on, each source for itself.

    `days` is as series.blocks takes them. They are significant by themselves; some may be chance, as there are many
    sources. Nothing depends on how many days without mail come last.
    """
    found = list[Change]()
    for one in _proposed(days, settings, size):
        changes = _of_source(one, settings)
        found += changes
        if one.twin:
            found += [replace(change, mechanism=EITHER) for change in changes]
    return found


def stirring(days: pl.DataFrame, settings: DriftSettings, size: int, since: int = 0) -> set[Source]:
    """The sources in which something may have begun from day number `since` on that holds to their last mail.

    Where nothing has, `search` finds nothing: whatever it finds, there is a last change, which holds to the end.
    """
    found = set[Source]()
    for one in _proposed(days, settings, size, since):
        source = one.reading.key
        if source not in found and stirs(one.series, one.days, since, settings):
            found.add(source)
    return found


def _proposed(days: pl.DataFrame, settings: DriftSettings, size: int, since: int = 0) -> Iterator[_Proposed]:
    """The series in which any change is proposed from day number `since` on."""
    for block in blocks(days, settings, size):
        told = np.zeros(len(block.keys), dtype=np.bool_)  # whether another mechanism tells what dmarc has to say
        for mechanism in MECHANISMS:
            put, twin = asked(block, mechanism, settings), np.zeros_like(told)
            if mechanism == EITHER:
                put &= ~told
            else:
                twin = put & ~told & block.alike(mechanism, EITHER)
                told |= twin
            if put.any():
                yield from _in_block(block, mechanism, put, twin, since)


def _in_block(block: Block, mechanism: str, put: Bools, twin: Bools, since: int) -> Iterator[_Proposed]:
    """The same of one mechanism and the sources that are asked about."""
    rows = put[block.owner]
    owner = (np.cumsum(put) - 1)[block.owner[rows]]
    names = [name for name, used in zip(block.reporters, rows, strict=True) if used]
    sources = np.flatnonzero(put)
    messages, aligned = block.messages[rows], block.aligned[mechanism][rows]
    starts = np.append(np.flatnonzero(np.diff(owner, prepend=-1)), owner.size)
    total = np.add.reduceat(messages, starts[:-1])
    ends = total.shape[1] - np.argmax(total[:, ::-1] > 0, axis=1)
    usual = ~bursts(total, np.add.reduceat(aligned, starts[:-1]))[owner]
    messages, aligned = messages * usual, aligned * usual
    rate, weight, trust = daily(messages, aligned, owner)
    for at, proposed in enumerate(changepoint.steps(rate, weight)):
        if proposed and proposed[-1] >= since:
            part, days, source = slice(starts[at], starts[at + 1]), slice(ends[at]), sources[at]
            of_day = rate[at, days], weight[at, days]
            counts = Counts(
                messages[part, days], aligned[part, days], trust[at, days], block.weekend(source)[days],
                changepoint.wander(*of_day),
            )  # fmt: skip
            reading = Reading(block.keys[source], mechanism, block.firsts[source], names[part], counts)
            yield _Proposed(reading, Series(counts, *of_day), proposed, bool(twin[source]))


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
