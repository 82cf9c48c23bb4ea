"""What of the open mail will be refused? Counts of each source or group, with the range of nine of ten outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis import forecast
from analysis.honour import shares

GROUPS = ("legitimate", "forwarded", "undecided", "spoofing")
GROUP_OF = {
    "aligned": "legitimate",
    "misaligned": "legitimate",
    "forwarded": "forwarded",
    "unknown": "undecided",
    "spoofing": "spoofing",
}
# How far the level of a fortnight's or a month's mail strays from the one before (standard deviation of its logarithm),
# of a whole group and of one source: fitted to invented organisations 1 to 200 (benchmarks/readiness_worlds), so that
# nine of ten ranges hold what comes.
STRAYS = {
    "group": {"legitimate": 0.22, "forwarded": 0.5, "undecided": 0.5, "spoofing": 0.28},
    "source_key": {"legitimate": 0.45, "forwarded": 0.42, "undecided": 0.45, "spoofing": 0.22},
}


@dataclass(frozen=True, slots=True)
class Count:
    """Messages that failed under the candidate where it asks to block, over the days judged.

    `failing` = `refused` (quarantined or rejected: a fact) + `let_through` (delivered against a policy, or with a
    reason, and so again) + `open`. `low` to `high` holds nine of ten outcomes of refusing what is open, over as many
    days; `expected` is the middle. `unclear` messages hang on what reports do
    not say: whether a name exists (they count as failing), or which domain aligned (they do not).
    """

    failing: int = 0
    refused: int = 0
    let_through: int = 0
    open: int = 0
    low: int = 0
    expected: int = 0
    high: int = 0
    unclear: int = 0


def counts(
    told: pl.DataFrame, unit: str, groups: Mapping[str, str], enforced: pl.DataFrame, days: tuple[date, int, int]
) -> dict[str, Count]:
    """What each unit (a column of `told`, as `judged` gives it) lost and may lose. `groups`: the group of each unit.

    `enforced` as `reads_ledger.enforcement` gives it. `days`: the first day, how many were seen, how many are to come.
    """
    sums = told.group_by(unit).agg(pl.col("refused", "let_through", "open", "unclear").sum()).sort(unit)
    found = {
        str(row[unit]): Count(
            failing=row["refused"] + row["let_through"] + row["open"],
            **{name: row[name] for name in ("refused", "let_through", "open", "unclear")},
        )
        for row in sums.iter_rows(named=True)
    }
    totals = draws(told.filter(pl.col("open") > 0).with_columns(refused=pl.lit(0)), unit, groups, enforced, days)
    for name, (low, middle, high) in limits(totals).items():
        found[name] = replace(found[name], low=low, expected=middle, high=high)
    return found


def limits(totals: Mapping[str, NDArray[np.float64]]) -> dict[str, tuple[int, int, int]]:
    """The 5 % point, the median and the 95 % point of each unit's draws, in whole messages."""
    if not totals:
        return {}
    points = np.rint(np.quantile(np.column_stack(list(totals.values())), [0.05, 0.5, 0.95], axis=0)).astype(int)
    return {name: (low, middle, high) for name, (low, middle, high) in zip(totals, points.T.tolist(), strict=True)}


def draws(
    told: pl.DataFrame, unit: str, groups: Mapping[str, str], enforced: pl.DataFrame, days: tuple[date, int, int]
) -> dict[str, NDArray[np.float64]]:
    """Refused messages of each unit in days to come, draw by draw: what was refused, and a share of what is open."""
    first, seen, ahead = days
    rows = (
        told.group_by(unit, "day", "reporter").agg(pl.col("refused", "open").sum())
        .filter(pl.col("refused") + pl.col("open") > 0)
        .sort(unit, "day", "reporter")
    )  # fmt: skip
    if rows.is_empty() or seen < 1:
        return {}
    reporters = rows["reporter"].unique(maintain_order=False).sort().to_list()
    units = rows[unit].unique(maintain_order=True).to_list()
    mail = forecast.Mail(
        unit=rows[unit].replace_strict(units, range(len(units)), return_dtype=pl.Int64).to_numpy(),
        day=(rows["day"] - first).dt.total_days().clip(0, seen - 1).to_numpy(),
        reporter=rows["reporter"].replace_strict(reporters, range(len(reporters)), return_dtype=pl.Int64).to_numpy(),
        sure=rows["refused"].to_numpy().astype(float),
        open=rows["open"].to_numpy().astype(float),
    )
    manners = shares(enforced, reporters, forecast.DRAWS, np.random.default_rng(forecast.SEED))
    spread = np.array([STRAYS[unit][groups.get(str(one), "undecided")] for one in units])
    totals = forecast.refusals(mail, (seen, ahead), manners, spread)
    return {str(one): totals[:, at] for at, one in enumerate(units)}
