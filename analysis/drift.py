"""What changed, and when? A source's alignment before and after a day, tested against chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis import chance, changepoint
from analysis.compare import Counts, by_day
from analysis.moves import Move, Series, moves
from analysis.series import MECHANISMS, Block, asked, blocks
from analysis.settings import DriftSettings

Floats = NDArray[np.float64]

SAME_TIME = 3  # days within which two mechanisms of a source count as having moved together


@dataclass(frozen=True, slots=True)
class Cause:
    """The likeliest cause: a stable code ('none_seen' where there is none), and a sentence.

    `subject` is the selector, domain or network it is about: text from reports, to be shown as such and
    never as part of a sentence. It is at most 120 characters and holds no control characters.
    """

    code: str
    sentence: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one source's alignment, without names: what `detect` finds.

    `before` and `after` are rates between 0 and 1 over the reporters that saw both, in the proportions
    of the later mail. `messages` lost alignment (or won it) since `started_on` and before the next
    change. `ended_on` is the day a slide settled, None for a step and for a slide that goes on.
    `follows` names the mechanism whose change of the same days explains this one.
    """

    domain: str
    source_key: str
    mechanism: str
    shape: str
    started_on: date
    ended_on: date | None
    before: float
    after: float
    latest: float | None
    messages: int
    p_value: float
    reporters: int
    able_reporters: int
    follows: str | None = None

    @property
    def loss(self) -> bool:
        """Whether alignment went down."""
        return self.after < self.before


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of one source's alignment by one mechanism (dkim, spf or dmarc).

    `shape` is step or slide; `before` and `after` are rates between 0 and 1; `messages` are those
    since `started_on` that the change touched; `latest` is the rate of the last week, None without mail.
    """

    domain: str
    source_key: str
    name: str
    as_domain: str | None
    mechanism: str
    shape: str
    started_on: date
    before: float
    after: float
    messages: int
    p_value: float
    reporters: int
    cause: Cause
    ended_on: date | None = None
    latest: float | None = None
    follows: str | None = None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class _Find:
    """A change, and the reporter that alone speaks for it where others could have."""

    change: Change
    sole: str | None


def detect(days: pl.DataFrame, settings: DriftSettings, newest: date | None = None) -> list[Change]:
    """Every change of alignment in `days` (as reads.source_days gives them), most messages first.

    `newest` is the last day looked at; the newest in the data where not given. Within a day's noise,
    for changes of the reporters or of the volume, and where there is too little mail, nothing is found.
    """
    last = newest or days["day"].max()
    if not isinstance(last, date):
        return []
    questions, finds, faults = 0, list[_Find](), Counter[tuple[str, date]]()
    for block in blocks(days, settings, last):
        for mechanism in MECHANISMS:
            put = asked(block, mechanism, settings)
            questions += int(put.sum())
            for found, fault in _block_finds(block, mechanism, put, settings):
                finds += found
                faults.update(fault)
    believed = [find.change for find in finds if not _faulty(find, faults)]
    bound = chance.discoveries([change.p_value for change in believed], questions, settings.false_discovery)
    kept = _follow([change for change in believed if change.p_value <= bound])
    return sorted(kept, key=lambda c: (-c.messages, c.domain, c.source_key, c.mechanism, c.started_on))


def _block_finds(
    block: Block, mechanism: str, put: NDArray[np.bool_], settings: DriftSettings
) -> Iterator[tuple[list[_Find], list[tuple[str, date]]]]:
    """For each source asked about: what was found, and which reporter disagreed with the others when."""
    if not put.any():
        return
    rows = put[block.owner]
    owner = (np.cumsum(put) - 1)[block.owner[rows]]
    messages, aligned = block.messages[rows], block.aligned[mechanism][rows]
    names = [name for name, used in zip(block.reporters, rows, strict=True) if used]
    keys = [key for key, used in zip(block.keys, put, strict=True) if used]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    by_source = np.add.reduceat(messages, starts)
    rate = by_day(messages, aligned, owner)
    total = by_source.sum(axis=1)
    level = np.add.reduceat(aligned, starts).sum(axis=1) / total
    weight = changepoint.weights(rate, by_source, level)
    # A day counts for as many messages as its weight is worth, never for more than it had.
    trust = np.minimum(1.0, weight * np.maximum(level * (1 - level), 0.01)[:, None] / np.maximum(by_source, 1))
    ends = np.append(starts[1:], owner.size)
    for at, proposed in enumerate(changepoint.steps(rate, weight)):
        if not proposed:
            continue
        part = slice(starts[at], ends[at])
        counts = Counts(messages[part], aligned[part], trust[at], block.weekend)
        found, alone = moves(Series(counts, rate[at], weight[at]), proposed, settings)
        series = _Reading(keys[at], mechanism, block.first, names[part], counts)
        yield (
            [series.find(move, after) for move, after in _with_next(found)],
            [(names[part][move.comparison.lone or 0], series.day(move.first)) for move in alone],
        )


def _with_next(found: Sequence[Move]) -> list[tuple[Move, int | None]]:
    following = [move.first for move in found[1:]]
    return list(zip(found, [*following, None], strict=True)) if found else []


@dataclass(frozen=True, slots=True)
class _Reading:
    """One source and mechanism, to put its moves into dates and messages."""

    key: tuple[str, str]
    mechanism: str
    first: date
    reporters: list[str]
    counts: Counts

    def day(self, at: int) -> date:
        return self.first + timedelta(days=at)

    def find(self, move: Move, until: int | None) -> _Find:
        found = move.comparison
        able = found.sole_row
        return _Find(
            Change(
                domain=self.key[0],
                source_key=self.key[1],
                mechanism=self.mechanism,
                shape=move.shape,
                started_on=self.day(move.first),
                ended_on=self.day(move.arrived) if move.shape == "slide" and move.arrived else None,
                before=found.before,
                after=found.after,
                latest=self.latest(),
                messages=self.touched(move, until),
                p_value=move.p_value,
                reporters=found.showing,
                able_reporters=found.able,
            ),
            self.reporters[able] if able is not None else None,
        )

    def latest(self) -> float | None:
        """The rate of the last seven days."""
        messages = self.counts.messages[:, -7:].sum()
        return float(self.counts.aligned[:, -7:].sum() / messages) if messages else None

    def touched(self, move: Move, until: int | None) -> int:
        """How many messages fared otherwise than at the rate before, each reporter by its own rate."""
        early, late = slice(move.begin, move.first), slice(move.first, until)
        seen = self.counts.messages[:, early].sum(axis=1)
        rate = np.where(
            seen > 0, self.counts.aligned[:, early].sum(axis=1) / np.maximum(seen, 1), move.comparison.before
        )
        expected = rate @ self.counts.messages[:, late]
        observed = self.counts.aligned[:, late].sum(axis=0)
        sign = 1 if move.comparison.change < 0 else -1
        return round(float(np.maximum(0.0, sign * (expected - observed)).sum()))


def _faulty(find: _Find, faults: Counter[tuple[str, date]]) -> bool:
    """Whether its only reporter was contradicted by the others about another source at that time."""
    if find.sole is None:
        return False
    near = range(-SAME_TIME, SAME_TIME + 1)
    return any(faults[find.sole, find.change.started_on + timedelta(days=off)] for off in near)


def _follow(changes: list[Change]) -> list[Change]:
    """Name the mechanism that leads, where DMARC moved because DKIM or SPF did."""
    return [replace(change, follows=_leader(change, changes)) for change in changes]


def _leader(change: Change, changes: list[Change]) -> str | None:
    if change.mechanism != "dmarc":
        return None
    together = [
        other
        for other in changes
        if (other.domain, other.source_key) == (change.domain, change.source_key)
        and other.mechanism != "dmarc"
        and other.loss == change.loss
        and _meets(other, change)
    ]
    together.sort(key=lambda other: (-abs(other.after - other.before), other.mechanism))
    return together[0].mechanism if together else None


def _meets(one: Change, other: Change) -> bool:
    """Whether two changes began at about the same time; the beginning of a slide is known less well."""
    slack = timedelta(days=SAME_TIME if one.shape == other.shape == "step" else 14)
    return abs(one.started_on - other.started_on) <= slack
