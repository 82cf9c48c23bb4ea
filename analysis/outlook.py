"""What of the open mail will be refused? Counts of each source or group, with the range of nine of ten outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from analysis import forecast
from analysis.honour import shares
from analysis.numbers import Floats, np

GROUPS = ("legitimate", "forwarded", "undecided", "spoofing")
GROUP_OF = {
    "aligned": "legitimate",
    "misaligned": "legitimate",
    "forwarded": "forwarded",
    "unknown": "undecided",
    "spoofing": "spoofing",
}
# How far the level of a fortnight's or a month's mail strays from the one before (standard deviation of its logarithm),
# of a whole group and of one source: fitted to invented organisations 1 to 800 (benchmarks/readiness_worlds), so that
# nine of ten ranges hold what comes.
STRAYS = {
    "group": {"legitimate": 0.3, "forwarded": 0.72, "undecided": 0.72, "spoofing": 0.26},
    "source": {"legitimate": 0.43, "forwarded": 0.5, "undecided": 0.5, "spoofing": 0.15},
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


@dataclass(frozen=True, slots=True)
class Draws:
    """Refused messages in days to come, draw by draw: of each source, and of each group as a whole."""

    source: dict[str, Floats]
    group: dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What each source, and each group as a whole, lost and may lose."""

    source: dict[str, Count]
    group: dict[str, Count]


def outlook(told: pl.DataFrame, enforced: pl.DataFrame, days: tuple[date, int, int]) -> Outlook:
    """The outlook of `told`: rows as `judged` gives them, with the `group` of each.

    `enforced` as `reads_ledger.enforcement` gives it. `days`: the first day, how many were seen, how many are to come.
    """
    found = draws(told, enforced, days, on_top=True)
    return Outlook(_counts(told, "source_key", found.source), _counts(told, "group", found.group))


def _counts(told: pl.DataFrame, unit: str, totals: Mapping[str, Floats]) -> dict[str, Count]:
    sums = told.group_by(unit).agg(pl.col("refused", "let_through", "open", "unclear").sum()).sort(unit)
    found = {
        str(row[unit]): Count(
            failing=row["refused"] + row["let_through"] + row["open"],
            **{name: row[name] for name in ("refused", "let_through", "open", "unclear")},
        )
        for row in sums.iter_rows(named=True)
    }
    for name, (low, middle, high) in limits(totals).items():
        found[name] = replace(found[name], low=low, expected=middle, high=high)
    return found


def limits(totals: Mapping[str, Floats]) -> dict[str, tuple[int, int, int]]:
    """The 5 % point, the median and the 95 % point of each unit's draws, in whole messages."""
    if not totals:
        return {}
    points = np.rint(np.quantile(np.column_stack(list(totals.values())), [0.05, 0.5, 0.95], axis=0)).astype(int)
    return {name: (low, middle, high) for name, (low, middle, high) in zip(totals, points.T.tolist(), strict=True)}


def draws(told: pl.DataFrame, enforced: pl.DataFrame, days: tuple[date, int, int], *, on_top: bool = False) -> Draws:
    """What may be refused in days to come: what was refused, and a share of what is open, at each source's level.

    With `on_top`, of what is open alone.
    """
    first, seen, ahead = days
    rows = (
        told.with_columns(failing=pl.sum_horizontal("refused", "let_through", "open"))
        .group_by("source_key", "group", "day", "reporter").agg(pl.col("refused", "open", "failing").sum())
        .filter((pl.col("open" if on_top else "failing").sum().over("source_key") > 0) & (pl.col("failing") > 0))
        .sort("source_key", "day", "reporter")
    )  # fmt: skip
    if rows.is_empty() or seen < 1:
        return Draws({}, {})
    reporters = rows["reporter"].unique().sort().to_list()
    known = rows.select("source_key", "group").unique(maintain_order=True)
    sources, group = known["source_key"].to_list(), known["group"].to_list()
    mail = forecast.Mail(
        unit=rows["source_key"].replace_strict(sources, range(len(sources)), return_dtype=pl.Int64).to_numpy(),
        day=(rows["day"] - first).dt.total_days().clip(0, seen - 1).to_numpy(),
        reporter=rows["reporter"].replace_strict(reporters, range(len(reporters)), return_dtype=pl.Int64).to_numpy(),
        failing=rows["failing"].to_numpy().astype(float),
        sure=rows["refused"].to_numpy().astype(float) * (not on_top),
        open=rows["open"].to_numpy().astype(float),
    )
    manners = shares(enforced, reporters, forecast.DRAWS, np.random.default_rng(forecast.SEED))
    totals = forecast.refusals(mail, (seen, ahead), manners)
    present = [one for one in GROUPS if one in group]
    sums = np.column_stack([totals[:, np.array(group) == one].sum(axis=1) for one in present])
    each = forecast.strayed(totals, np.array([STRAYS["source"][one] for one in group]))
    whole = forecast.strayed(sums, np.array([STRAYS["group"][one] for one in present]))
    return Draws(dict(zip(sources, each.T, strict=True)), dict(zip(present, whole.T, strict=True)))
