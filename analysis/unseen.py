"""How many senders of ours have we not seen yet? From those seen on one day alone, and on two.

A sender that shows up once a quarter leaves no trace in most windows, but senders of its kind do: the more were
seen on a single day, the more were seen on none. Chao2 (Chao 1987) with days as samples, in the bias-corrected form;
variance and range as in Colwell (EstimateS, appendix B), by Chao (1987) with a log-normal number of unseen ones.
Its assumption is that any day is as good as another; months and quarters break it, so their ends are asked for apart.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, exp, log, sqrt

Z = 1.645  # of the normal distribution, for nine of ten
ENOUGH = 0.95  # share of the estimated senders that a longer wait is to bring
TURN = 3  # days on each side of a month's end on which what is monthly is sent
TURN_DAYS = 4  # of these six, days with reports that make a month's end seen


@dataclass(frozen=True, slots=True)
class Unseen:
    """`seen` senders over `days` days; `expected` more are likely to exist, `low` to `high` in nine of ten cases.

    `coverage` is the share of mail days that belong to senders seen. `more_days` until 95 % of all are seen, at this
    pace; None where that is so already or cannot be told. `month_end` and `quarter_end`: whether one was seen.
    """

    seen: int
    days: int
    expected: float
    low: float
    high: float
    coverage: float
    more_days: int | None
    month_end: bool
    quarter_end: bool

    @property
    def complete(self) -> bool:
        """Whether nobody more is to be expected, and a month's end was seen."""
        return self.expected < 1 and self.month_end


def unseen(active_days: Iterable[int], days_judged: int, reported: Collection[date]) -> Unseen:
    """The estimate, from the number of days with mail of each sender, of so many days.

    `reported` are all days with reports, also before: the ends of months are looked for among them.
    """
    days = [n for n in active_days if n > 0]
    m, once, twice = days_judged, days.count(1), days.count(2)
    part = (m - 1) / m if m else 0.0
    expected = part * once * (once - 1) / (2 * (twice + 1))
    low, high = _range(expected, _variance(part, once, twice))
    return Unseen(
        seen=len(days),
        days=m,
        expected=expected,
        low=low,
        high=high,
        coverage=_coverage(m, once, twice, sum(days)),
        more_days=_more_days(m, once, twice, len(days), expected),
        month_end=saw_turn(reported, range(1, 13)),
        quarter_end=saw_turn(reported, (3, 6, 9, 12)),
    )


def _variance(part: float, once: int, twice: int) -> float:
    return (
        part * once * (once - 1) / (2 * (twice + 1))
        + part**2 * once * (2 * once - 1) ** 2 / (4 * (twice + 1) ** 2)
        + part**2 * once**2 * twice * (once - 1) ** 2 / (4 * (twice + 1) ** 4)
    )


def _range(expected: float, variance: float) -> tuple[float, float]:
    if expected <= 0:
        # One sender seen once says only that there may be more like it.
        return 0.0, Z * sqrt(variance)
    spread = exp(Z * sqrt(log(1 + variance / expected**2)))
    return expected / spread, expected * spread


def _coverage(m: int, once: int, twice: int, total: int) -> float:
    """Chao and Jost (2012), equation 4a for incidences."""
    if not total or m < 2:
        return 0.0
    if not twice:
        return 1 - once / total * ((m - 1) * (once - 1) / ((m - 1) * (once - 1) + 2)) if once else 1.0
    return 1 - once / total * ((m - 1) * once / ((m - 1) * once + 2 * twice))


def _more_days(m: int, once: int, twice: int, seen: int, expected: float) -> int | None:
    """Days more until 95 % of all are seen (Chao, Colwell, Lin and Gotelli 2009, equation 15)."""
    wanted = ENOUGH * (seen + expected)
    if expected < 1 or m < 2 or wanted <= seen:
        return None
    rate = 2 * (twice + 1) / ((m - 1) * max(once - 1, 1) + 2 * (twice + 1))
    return ceil(log(1 - (wanted - seen) / expected) / log(1 - rate))


def saw_turn(reported: Collection[date], months: Collection[int]) -> bool:
    """Whether the end of one of these months is among the days: most of the three days before and after it."""
    known = set(reported)
    ends = {one.replace(day=monthrange(one.year, one.month)[1]) for one in known}
    ends |= {one.replace(day=1) - timedelta(days=1) for one in known if one.day <= TURN}
    return any(
        sum(end + timedelta(days=n) in known for n in range(1 - TURN, TURN + 1)) >= TURN_DAYS
        for end in ends
        if end.month in months
    )
