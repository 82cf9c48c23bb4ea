"""Does a receiver do what a policy asks? Each reporter's own record of it, and what may be believed of one without.

Some receivers only mark failing mail, some let through what a filter of theirs likes. Where a policy was in force,
reports show it. A reporter is believed by days, not by messages: a campaign of thousands is decided once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analysis.numbers import Floats, np

USUAL = 0.93  # share of failing mail that receivers block who are not known at all
POOLED = 3.0  # reporters that this is worth when the reporters' own shares are pooled
BELIEF = 3.0  # days that the pool is worth against a reporter's own days
MOST = 30.0  # days beyond which a reporter's record makes nobody surer: receivers change their ways


@dataclass(frozen=True, slots=True)
class Honour:
    """A reporter's record: failing messages under a policy that asked to block them, on how many days, and blocked."""

    reporter: str
    days: int
    failing: int
    blocked: int


def honours(enforced: pl.DataFrame) -> tuple[Honour, ...]:
    """Every reporter with a record, from `reads_ledger.enforcement`; those with most messages first."""
    sums = enforced.group_by("reporter").agg(pl.len().alias("days"), pl.col("failing", "blocked").sum())
    sums = sums.sort(["failing", "reporter"], descending=[True, False])
    return tuple(Honour(*row) for row in sums.select("reporter", "days", "failing", "blocked").iter_rows())


def shares(enforced: pl.DataFrame, reporters: Sequence[str], draws: int, random: np.random.Generator) -> Floats:
    """Shares of failing mail that each of `reporters` may block: a row for each draw, a column for each reporter."""
    days = enforced.filter(pl.col("failing") > 0).select(
        "reporter", kept=pl.col("blocked") / pl.col("failing"), weight=(pl.col("failing") / 3.0).clip(0, 1)
    )
    # A handful of messages says less than a whole day's verdict.
    own = days.group_by("reporter").agg(
        yes=(pl.col("kept") * pl.col("weight")).sum(), n=pl.col("weight").sum()
    ).sort("reporter")  # fmt: skip
    known = {name: (yes, n) for name, yes, n in own.iter_rows()}
    pool = (POOLED * USUAL + sum(yes / n for yes, n in known.values())) / (POOLED + len(known))
    alpha, beta = np.empty(len(reporters)), np.empty(len(reporters))
    for at, name in enumerate(reporters):
        yes, n = known.get(name, (0.0, 0.0))
        scale = min(1.0, MOST / n) if n else 1.0
        alpha[at] = BELIEF * pool + scale * yes
        beta[at] = BELIEF * (1 - pool) + scale * (n - yes)
    return random.beta(alpha, np.maximum(beta, 1e-3), (draws, len(reporters)))
