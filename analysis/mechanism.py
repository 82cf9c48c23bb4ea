"""Does a source's mail still align by what it is expected to, and if not, since when?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from analysis.numbers import Floats, np
from analysis.settings import AnalysisSettings
from analysis.source import ALIGNED_FROM

COLUMNS = {"dkim": "dkim_aligned", "spf": "spf_aligned", "": "aligned"}
BEFORE = 28  # days with mail that tell how it was before
NAMES = {"dkim": "DKIM", "spf": "SPF", "": "DKIM or SPF"}


@dataclass(frozen=True, slots=True)
class Break:
    """A mechanism that does not align as expected: `aligned` of the last `messages`, and `before` of those before.

    `since` is the first day of it; None where no earlier mail aligned by it.
    """

    by: str
    messages: int
    aligned: int
    before: float
    since: date | None


def breaks(rows: pl.DataFrame, expects: str | None, newest: date, rules: AnalysisSettings) -> Iterator[Break]:
    """What is broken now. `rows` are one declaration's: day, messages and the aligned counts.

    `expects` is dkim, spf or both, None where either will do. A source that was not seen lately breaks nothing.
    """
    for one in ("dkim", "spf") if expects == "both" else (expects or "",):
        found = _break(rows, one, newest, rules)
        if found:
            yield found


def _break(rows: pl.DataFrame, one: str, newest: date, rules: AnalysisSettings) -> Break | None:
    days = (
        rows.filter(pl.col("day") > newest - timedelta(days=rules.sources.history_days))
        .group_by("day")
        .agg(n=pl.col("messages").sum(), ok=pl.col(COLUMNS[one]).sum())
        .sort("day")
    )
    last = days["day"].max()
    if not isinstance(last, date) or last <= newest - timedelta(days=rules.readiness.days):
        return None
    at = _worst_from(ALIGNED_FROM * days["n"].to_numpy() - days["ok"].to_numpy())
    recent = days.filter(pl.col("day") > last - timedelta(days=rules.sources.recent_days))
    late = days[at:] if days.height - at < recent.height else recent
    n, ok = int(late["n"].sum()), int(late["ok"].sum())
    if n < rules.sources.new_messages or ok >= ALIGNED_FROM * n:
        return None
    earlier = days[:at].tail(BEFORE)
    before = int(earlier["ok"].sum()) / max(1, int(earlier["n"].sum()))
    return Break(NAMES[one], n, ok, before, days["day"][at] if before >= ALIGNED_FROM else None)


def _worst_from(lacking: Floats) -> int:
    """The place from which on most is lacking, no further back than where something made up for all of it."""
    sums = np.cumsum(lacking[::-1])
    made_up = np.flatnonzero(sums <= 0)
    sums = sums[: made_up[0]] if made_up.size else sums
    return lacking.size - 1 - int(sums.argmax()) if sums.size else 0
