"""The changes of one source's rate that stand up to questioning, as days of its series."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from analysis import changepoint
from analysis.changepoint import FEWEST_DAYS, Slide
from analysis.compare import Comparison, Counts, Witnesses, by_day, compare, plainly
from analysis.numbers import Bools, Floats, Ints, np
from analysis.settings import DriftSettings
from analysis.stretch import Fit, below, fits

Days = tuple[int, int, int, int]
"""Where the days before a change begin, its first day, the first of its new level, and where that ends (exclusive)."""

DOUBTFUL = 0.01  # chance beyond which a change is not even put to the correction for many questions
CONCEIVABLE = 0.2  # the same for what may be less doubtful a few days later
STEPS = 2  # as many changes the same way may stand side by side; more are a slide
SETTLED_DAYS = 7  # days with mail after which a slide that ends with the data has come to rest
FRESH_DAYS = 5  # days with mail for which a change is fresh news
AROUND = 14  # days on either side of a short change, whose mail is usual
MORE = 1.5  # times the usual mail that a short change must come with to be a campaign
TOGETHER = 35  # days within which two changes the same way may be one slide


@dataclass(frozen=True, slots=True)
class Move:
    """A change: the level of the days from `begin` moved on day `first` and has been new since `settled`.

    The new level holds until `end` (exclusive). A slide that still goes on has not `arrived`, which is
    None then; its later days count as settled. `p_value` is corrected for the search over days.
    """

    begin: int
    first: int
    settled: int
    end: int
    shape: str
    arrived: int | None
    p_value: float
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Series:
    """One source and mechanism: its counts by reporter, and its rate and weight by day."""

    counts: Counts
    rate: Floats
    weight: Floats

    @classmethod
    def of(cls, messages: Floats, aligned: Floats, weekend: Bools) -> Series:
        """The series of one source from its counts by reporter and day."""
        rate, weight, trust = daily(messages, aligned, np.zeros(messages.shape[0], dtype=np.int64))
        wander = changepoint.wander(rate[0], weight[0])
        return cls(Counts(messages, aligned, trust[0], weekend, wander), rate[0], weight[0])

    def start_between(self, move: Move) -> tuple[int, int]:
        """The first and the last day on which a move can have begun, at 95 %."""
        days = move.begin, move.first, move.settled, move.end
        return changepoint.start_between(self.rate, self.weight, days)


def daily(messages: Floats, aligned: Floats, owner: Ints) -> tuple[Floats, Floats, Floats]:
    """Rate, weight and trust of each source on each day, shape (sources, days), from rows by reporter."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    total = np.add.reduceat(messages, starts)
    level = np.add.reduceat(aligned, starts).sum(axis=1) / total.sum(axis=1)
    rate = by_day(messages, aligned, owner)
    weight = changepoint.weights(rate, total, level)
    return rate, weight, changepoint.trust(weight, total, level)


def moves(series: Series, changes: list[int], settings: DriftSettings) -> tuple[list[Move], set[int]]:
    """The changes that hold, and the reporters (rows) who alone saw a change that others could have seen.

    Starts from the days proposed and drops the least likely until all hold: dropping one joins the
    levels on both sides, so that what is left is judged against more days.
    """
    odd, known = set[int](), dict[tuple[int, ...], list[_Judged]]()
    while changes:
        groups = [tuple(group) for group in _groups(series, changes)]
        # Most of them stay as they were when one day is dropped.
        known |= {group: _judged(series, group, settings) for group in groups if group not in known}
        judged = [part for group in groups for part in known[group]]
        worst = max(judged, key=lambda part: part.doubt)
        if not worst.doubt:
            return [part.move for part in judged if part.move], odd
        if worst.move and _significant(worst.move, settings):
            lone = worst.move.comparison.witnesses.lone
            odd |= set() if lone is None else {lone}
        changes = [day for day in changes if day != worst.day]
    return [], odd


def stirs(series: Series, changes: list[int], since: int, settings: DriftSettings) -> bool:
    """Whether any of the days proposed, from day `since` on, may be a change that holds to the end, whoever saw it.

    The last of them is one of those. A change of half the size that counts, with half of the mail, may become one.
    The level before it may go back to the beginning, or to any of them, or to the one before them. The last ones may be
    on the way of a slide.
    """
    end = series.rate.size
    begins = {0, *changes[:-1]} - set(changes[: max(0, bisect_left(changes, since) - 1)])
    steps = [(begin, day, day, end) for day in changes if day >= since for begin in sorted(begins) if begin < day]
    start, *group, _ = _groups(series, changes)[-1]
    first, last = group[0], group[-1]
    slides = [(begin, first, settled, end) for begin in {0, start} for settled in {last, (first + end) // 2} - {first}]
    tried = [*slides, *steps]
    apart, fewest = plainly(series.counts, [_stretches(days) for days in tried])
    least = settings.points / 100 / 2
    large = np.flatnonzero((np.abs(apart) >= least) & (fewest >= settings.messages / 2))
    if not large.size:
        return False
    tried, apart = [tried[at] for at in large], apart[large]
    found = fits(series.counts.strata, [_stretches(days) for days in tried])
    held = found.valid & (found.shift * np.sign(apart) >= least)
    return any(_conceivable(series, tried[at], found, int(at)) for at in np.flatnonzero(held))


def without_campaigns(held: list[Move], messages: Floats) -> list[Move]:
    """Without the changes that were over within a week and came with more mail than usual.

    Such a time is a campaign with a mix of its own, not a state that the source was in. `messages` is by day.
    """
    kept, at = list[Move](), 0
    while at < len(held):
        following = held[at + 1] if at + 1 < len(held) else None
        if following and _campaign(held[at], following, messages):
            at += 2
            continue
        kept.append(held[at])
        at += 1
    return kept


def _campaign(move: Move, following: Move, messages: Floats) -> bool:
    there, back = move.comparison.change, following.comparison.change
    inside = messages[move.first : following.first]
    around = np.concatenate([messages[max(0, move.first - AROUND) : move.first], messages[following.first :][:AROUND]])
    return (
        there * back < 0
        and abs(there + back) < abs(there) / 2
        and int((inside > 0).sum()) <= SETTLED_DAYS
        and float(inside.sum()) > MORE * inside.size * float(around.mean())
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A proposed day with the move it stands for, and how doubtful that is: 0 where it holds."""

    day: int
    move: Move | None
    doubt: float


def _judged(series: Series, group: tuple[int, ...], settings: DriftSettings) -> list[_Judged]:
    """A group of changes as one slide where that explains it better and holds, else each as the step it is."""
    begin, *changes, end = group
    steps = _moves(
        series, [(one, day, day, next_) for one, day, next_ in zip(group, changes, group[2:], strict=False)], "step"
    )
    judged = [_Judged(day, step, _doubt(step, settings)) for day, step in zip(changes, steps, strict=True)]
    rate, weight = series.rate[begin:end], series.weight[begin:end]
    slide = changepoint.slide(rate, weight)
    if slide and _slides(rate, weight, [day - begin for day in changes], slide):
        first, settled = begin + changepoint.departure(rate, weight, slide), begin + slide.settled
        # A straight line is blind to a first and a last step that stand plainly by themselves.
        if not judged[0].doubt:
            first = min(first, changes[0])
        if not judged[-1].doubt:
            settled = max(settled, changes[-1])
        move = _sliding(series, (begin, first, settled, end))
        if move and not _doubt(move, settings):
            return [_Judged(changes[0], move, 0.0)]
    return judged


def _moves(series: Series, days: Sequence[Days], shape: str) -> list[Move | None]:
    found = compare(series.counts, [_stretches(each) for each in days])
    return [
        None if one is None else Move(*each, shape, each[2], _chance(series, each, one), one)
        for each, one in zip(days, found, strict=True)
    ]


def _stretches(days: Days) -> tuple[slice, slice]:
    begin, first, settled, end = days
    return slice(begin, first), slice(settled, end)


def _chance(series: Series, days: Days, comparison: Comparison) -> float:
    """How likely it is to find so great a change somewhere."""
    return min(1.0, comparison.p_value * _search(series.weight > 0, days))


def _search(active: Bools, days: Days) -> float:
    """How many independent places there were to find such a change in.

    At each scale a series of T days has T / L places for a level of L days, and there are log2(T)
    scales (Dümbgen and Spokoiny 2001). The newest days are one place at every scale. What began in the last few of them
    has half of the risk to itself, what is older and still holds a quarter, and all other places the last: fresh news
    must not wait.
    """
    begin, first, settled, end = days
    total = max(int(active.sum()), 2)
    late = int(active[settled:end].sum())
    if end == active.size:
        return 2.0 if late <= FRESH_DAYS else 4 * math.log2(total)
    shorter = max(1, min(int(active[begin:first].sum()), late))
    return 4 * total / shorter * math.log2(total)


def _significant(move: Move, settings: DriftSettings) -> bool:
    """Whether it is large, likely and founded enough, whoever has seen it."""
    found = move.comparison
    return (
        abs(found.change) >= settings.points / 100
        and min(found.messages_before, found.messages_after) >= settings.messages
        and move.p_value < DOUBTFUL
    )


def _conceivable(series: Series, days: Days, found: Fit, pair: int) -> bool:
    """Whether it may become significant with a few more days, or among other changes, or as a slide."""
    bound = CONCEIVABLE / _search(series.weight > 0, days)
    return below(bound, float(found.shift[pair]), found.days(pair), series.counts.wander)


def _doubt(move: Move | None, settings: DriftSettings) -> float:
    """0 where a change holds; else the greater, the more it is to be dropped first."""
    if move is None:
        return 4.0
    if not _significant(move, settings):
        return 2.0 + move.p_value - abs(move.comparison.change)
    return 0.0 if _witnessed(move.comparison.witnesses, settings) else 0.5


def corroborated(move: Move, counts: Counts, settings: DriftSettings) -> bool:
    """Whether several reporters show a move in these counts, where one was left out of the move's own.

    Who is contradicted at one time may be right at another.
    """
    if move.comparison.witnesses.showing >= settings.reporters:
        return True
    [found] = compare(counts, [_stretches((move.begin, move.first, move.settled, move.end))])
    return found is not None and found.witnesses.showing >= settings.reporters and _witnessed(found.witnesses, settings)


def _witnessed(found: Witnesses, settings: DriftSettings) -> bool:
    """Whether enough reporters show it: as many as asked for, or all where there are fewer, and half of them."""
    needed = max(1, min(settings.reporters, found.able))
    return found.showing >= needed and 2 * found.showing >= found.able


def _groups(series: Series, changes: list[int]) -> list[list[int]]:
    """Changes that may be one: neighbours that go the same way within a few weeks. With edges around each."""
    level = changepoint.levels(series.rate, series.weight, changes)
    groups: list[list[int]] = []
    for at in changes:
        up = level[at] > level[at - 1]
        if groups and at - groups[-1][-1] <= TOGETHER and up == (level[groups[-1][-1]] > level[groups[-1][-1] - 1]):
            groups[-1].append(at)
        else:
            groups.append([at])
    edges = [0, *(group[0] for group in groups[1:]), series.rate.size]
    starts = [0, *(group[-1] for group in groups[:-1])]
    return [[start, *group, end] for start, group, end in zip(starts, groups, edges[1:], strict=True)]


def _slides(rate: Floats, weight: Floats, changes: list[int], slide: Slide) -> bool:
    """Whether a slide explains the days better than steps, each paying for its parameters (Schwarz 1978).

    Three steps and more the same way within weeks are a staircase, and that is a slide to whoever has to
    find out why: no more than two steps are held against it.
    """
    days = int((weight > 0).sum())
    price = math.log(max(days, 2))
    rivals = [changes] if len(changes) <= STEPS else [list(some) for some in combinations(changes, STEPS)]
    costs = [changepoint.cost(rate, weight, some) for some in rivals]
    scale = max(1.0, min(slide.cost, *costs) / max(1, days - 4))
    return slide.cost / scale + 4 * price < min(costs) / scale + (2 * len(rivals[0]) + 1) * price


def _sliding(series: Series, days: Days) -> Move | None:
    """The slide as a move: after it stand the days since it settled, or its later half while it goes on."""
    begin, first, settled, end = days
    since = int((series.weight[settled:end] > 0).sum())
    late = settled if since >= FEWEST_DAYS else (first + settled) // 2
    [move] = _moves(series, [(begin, first, late, end)], "slide")
    # A few level days at the end are no proof that it has come to rest.
    going_on = end == series.rate.size and since < SETTLED_DAYS
    return replace(move, arrived=None) if move and going_on else move
