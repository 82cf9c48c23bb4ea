"""Is it the source, or the one reporter that says so? Its word elsewhere is put beside that of others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from analysis.change import Change
from analysis.series import MECHANISMS

AROUND = timedelta(days=28)
ELSEWHERE = 300  # sources, the largest of a reporter, by which it is judged
FEWEST = 10  # messages in each of the four cells for a comparison
SOMETHING = 0.2  # aligned share from which a source has something to lose


def upheld(changes: Sequence[Change], days: pl.DataFrame) -> list[Change]:
    """The changes without those for which only a reporter speaks whose word does not hold elsewhere.

    Once it is found at fault for one mechanism of a source, what it says of the others then falls too. `days` is
    as reads_changes.told_days gives it, and has the ELSEWHERE largest sources of each such reporter at least.
    """
    faulty = list[Change]()
    for reporter in {change.sole_reporter for change in changes} - {None}:
        around = _largest(days, str(reporter))
        faulty += [one for one in changes if one.sole_reporter == reporter and contradicted(one, around)]
    return [
        change
        for change in changes
        if not any(change.sole_reporter == fault.sole_reporter and change.meets(fault) for fault in faulty)
    ]


def _largest(days: pl.DataFrame, reporter: str) -> pl.DataFrame:
    """What everybody tells of the sources that a reporter tells most of."""
    names = ["domain", "source_key"]
    mine = days.filter(reporter=reporter).group_by(names).agg(pl.col("messages").sum())
    top = mine.sort("messages", *names, descending=[True, False, False]).head(ELSEWHERE)
    return days.join(top, on=names, how="semi")


def contradicted(change: Change, days: pl.DataFrame) -> bool:
    """Whether the change's only reporter saw the like at other sources, where other reporters saw nothing.

    `days` is as reads.source_days gives it. Compared is the share of what could be lost (or was won back),
    so that a reporter whose checks fail for half of all mail shows it at every source alike.
    """
    if change.sole_reporter is None:
        return False
    rows = _around(change, days)
    better, worse = ("early", "late") if change.loss else ("late", "early")
    comparable = (
        rows.filter(pl.all_horizontal(pl.col(name) >= FEWEST for name in ("mine_early", "mine_late")))
        .filter(pl.all_horizontal(pl.col(name) >= FEWEST for name in ("others_early", "others_late")))
        .with_columns(
            (pl.col(f"{who}_{when}_aligned") / pl.col(f"{who}_{when}")).alias(f"{who}_{when}_rate")
            for who in ("mine", "others")
            for when in ("early", "late")
        )
        .filter(pl.col(f"mine_{better}_rate") >= SOMETHING)
    )
    calm = comparable.filter(
        pl.col(f"others_{better}_rate") - pl.col(f"others_{worse}_rate")
        < (pl.col(f"mine_{better}_rate") - pl.col(f"mine_{worse}_rate")) / 2
    )
    if calm.is_empty() or calm.height * 2 < comparable.height:
        return False
    sums = calm.select(
        lost=(pl.col("mine_late") * (pl.col(f"mine_{better}_rate") - pl.col(f"mine_{worse}_rate"))).sum(),
        had=(pl.col("mine_late") * pl.col(f"mine_{better}_rate")).sum(),
    ).row(0)
    here = abs(change.after - change.before) / max(change.after, change.before)
    return bool(sums[0] / sums[1] >= here / 2)


def _around(change: Change, days: pl.DataFrame) -> pl.DataFrame:
    """The reporter's other sources: messages and aligned, early and late, by it and by others."""
    last = change.started_on + AROUND
    if change.until:
        last = min(last, change.until)
    early = pl.col("day") < change.started_on
    mine = pl.col("reporter") == change.sole_reporter
    inside = days.filter(
        (pl.col("day") >= change.started_on - AROUND)
        & (pl.col("day") < last)
        & ((pl.col("domain") != change.domain) | (pl.col("source_key") != change.source_key))
    )
    parts = {"mine_early": mine & early, "mine_late": mine & ~early}
    parts |= {"others_early": ~mine & early, "others_late": ~mine & ~early}
    return inside.group_by("domain", "source_key").agg(
        *(pl.col("messages").filter(part).sum().alias(name) for name, part in parts.items()),
        *(
            pl.col(MECHANISMS[change.mechanism]).filter(part).sum().alias(f"{name}_aligned")
            for name, part in parts.items()
        ),
    )
