"""Which sources are worth a close look? A bound on the evidence for any change, cheap enough for all of them.

What it sees is each day's whole, whoever reported: a statistic beside that of `changepoint.steps`, without its
search over all sets of days. So it lets far more through than will hold, and is never the last word.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from analysis.changepoint import FEWEST_DAYS, PRICE, weights
from analysis.numbers import Bools, Floats, Ints, np
from analysis.searched import KEY
from analysis.series import MECHANISMS, could_move, within
from analysis.settings import DriftSettings

FEWEST = PRICE / 2  # the least that is let through: who reports, and bursts, may hide a part from this look
LENGTHS = (3, 4, 6, 8, 11, 16, 23, 32, 45)  # days of a stretch inside; none is far from one of these
SOURCES = 2_000  # at a time, so that their days stay in the processor's cache


def asked(sums: pl.DataFrame, settings: DriftSettings) -> pl.DataFrame:
    """The sources (domain, source_key) of some sums that have mail enough for a change, and by which mechanisms.

    A column of truth values for each mechanism: those are the questions put.
    """
    could = (could_move(column, settings).alias(name) for name, column in MECHANISMS.items())
    return sums.select(*KEY, *could).filter(pl.any_horizontal(*MECHANISMS)).sort(KEY)


def summed(days: pl.DataFrame, size: int) -> pl.DataFrame:
    """The sums of each source (domain, source_key) over the days that count; see series.within."""
    return within(days, size).group_by(KEY).agg(pl.col(name).sum() for name in ("messages", *MECHANISMS.values()))


def screened(days: pl.DataFrame, settings: DriftSettings, size: int) -> pl.DataFrame:
    """The sources (domain, source_key) of `days` that may have changed; `days` and `size` as series.within takes them.

    A row or more a day.
    """
    inside = within(days, size)
    sources = asked(summed(days, size), settings).with_row_index("row")
    put = {name: sources[name].to_numpy() for name in MECHANISMS}
    placed = inside.join(sources.select(*KEY, "row"), on=KEY)
    kept = np.concatenate([np.zeros(0, dtype=np.bool_), *_looked_at(placed, put, size)])
    return sources.filter(kept).select(KEY)


def _looked_at(placed: pl.DataFrame, put: dict[str, Bools], days: int) -> Iterator[Bools]:
    """Of some sources after the others, which may have changed by any mechanism that is asked about."""
    placed = placed.sort("row")
    row, at = placed["row"].to_numpy().astype(np.int64), placed["at"].to_numpy()
    columns = {name: placed[name].to_numpy() for name in ("messages", *MECHANISMS.values())}
    total = len(next(iter(put.values())))
    for begin in range(0, total, SOURCES):
        end = min(begin + SOURCES, total)
        part = slice(*np.searchsorted(row, [begin, end]))
        place, size = (row[part] - begin) * days + at[part], (end - begin) * days
        sums = {name: _summed(place, column[part], size).reshape(-1, days) for name, column in columns.items()}
        kept = np.zeros(end - begin, dtype=np.bool_)
        for name, column in MECHANISMS.items():
            mine = np.flatnonzero(put[name][begin:end] & ~kept)
            kept[mine] = evidence(sums["messages"][mine], sums[column][mine]) >= FEWEST
        yield kept


def _summed(place: Ints, values: Ints, size: int) -> Floats:
    found: Floats = np.bincount(place, values, size).astype(np.float64)
    return found


def evidence(messages: Floats, aligned: Floats) -> Floats:
    """By source, the most that one change explains, in variances; two that undo each other count half."""
    level = aligned.sum(axis=1) / messages.sum(axis=1)
    rate = np.divide(aligned, messages, out=np.zeros_like(messages), where=messages > 0)
    weight = weights(rate, messages, level)
    mass = np.pad(np.cumsum(weight, axis=1), ((0, 0), (1, 0)))
    whole = mass[:, -1:]
    mean = (weight * rate).sum(axis=1, keepdims=True) / whole
    off = np.pad(np.cumsum(weight * (rate - mean), axis=1), ((0, 0), (1, 0)))
    active = np.pad(np.cumsum(messages > 0, axis=1), ((0, 0), (1, 0)))
    found = _apart(off, mass, whole)
    found[(active < FEWEST_DAYS) | (active > active[:, -1:] - FEWEST_DAYS)] = 0.0
    most: Floats = found.max(axis=1)
    for length in LENGTHS:
        if length < messages.shape[1]:
            inside = _apart(off[:, length:] - off[:, :-length], mass[:, length:] - mass[:, :-length], whole)
            most = np.maximum(most, inside.max(axis=1) / 2)
    return most


def _apart(off: Floats, mass: Floats, whole: Floats) -> Floats:
    """What it explains to give the days of a stretch (their `mass`) a level of their own: squares over variance."""
    rest = mass * (whole - mass)
    found: Floats = np.divide(off**2 * whole, rest, out=np.zeros_like(off), where=rest > 1e-9 * whole**2)
    return found
