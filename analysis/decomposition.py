"""Why did the domain's rate move? Each source's own rate, the mix of sources, and who reported, apart.

A rate is a mean of rates weighted by mail; its change splits exactly into what the rates did and what the weights
did (Kitagawa 1955). Here twice: over sources within the reporters that saw both stretches, and for the reporters
that saw but one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from analysis.drift import Drift
from analysis.genuine import counted
from analysis.series import MECHANISMS
from warehouse import reads_changes
from warehouse.connect import Warehouse
from warehouse.scope import Scope

WIDTH = 28  # days on either side
SEEN = 0.2  # of the days of a stretch on which a reporter must have reported to be there


@dataclass(frozen=True, slots=True)
class Effect:
    """A part of the change in points of the domain's rate (between -100 and 100).

    `kind` is rate (the source's own rate moved), mix (it sends more or less of the mail), or coverage (a
    reporter came or went; then `key` names it). `share` is how many points of the domain's mail it tells of more than
    before, 0 for a rate.
    """

    kind: str
    key: str
    points: float
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A domain's rate in two stretches of days, and what it is made of: the effects sum to `after - before`."""

    domain: str
    mechanism: str
    early: tuple[date, date]
    late: tuple[date, date]
    before: float
    after: float
    effects: tuple[Effect, ...]

    @property
    def points(self) -> float:
        """The whole change in points."""
        return 100 * (self.after - self.before)


def days_moved(found: Sequence[Drift]) -> dict[str, date]:
    """Each domain in which a source's DMARC alignment drifted, and the day its largest drift began."""
    largest = dict[str, date]()
    for drift in found:
        if drift.mechanism == "dmarc":
            largest.setdefault(drift.domain, drift.started_on)
    return largest


def of_domains(warehouse: Warehouse, scope: Scope, moved: Mapping[str, date]) -> list[Decomposition]:
    """What moved each domain around its day; the scope has these domains, from WIDTH days before the first of those."""
    with warehouse.reading() as session:
        days = reads_changes.told_days(session, counted(session, scope))
    parts = [around(days, domain, day) for domain, day in moved.items()]
    return [part for part in parts if part]


def around(days: pl.DataFrame, domain: str, when: date, mechanism: str = "dmarc") -> Decomposition | None:
    """The domain's change from four weeks before `when` to four from then on; None where either has no mail."""
    newest = days["day"].max()
    last = min(newest, when + timedelta(days=WIDTH - 1)) if isinstance(newest, date) else when
    early = (when - timedelta(days=WIDTH), when - timedelta(days=1))
    return decomposed(days.filter(pl.col("domain") == domain), domain, mechanism, early, (when, last))


def decomposed(
    days: pl.DataFrame, domain: str, mechanism: str, early: tuple[date, date], late: tuple[date, date]
) -> Decomposition | None:
    """The change between two stretches of one domain's days, as reads_changes.told_days gives them."""
    spans = {"early": pl.col("day").is_between(*early), "late": pl.col("day").is_between(*late)}
    table = (
        days.filter((spans["early"] | spans["late"]) & (pl.col("messages") > 0))
        .group_by("source_key", "reporter")
        .agg(
            pl.col(column).filter(span).sum().alias(f"{name}_{when}")
            for when, span in spans.items()
            for name, column in (("n", "messages"), ("good", MECHANISMS[mechanism]))
        )
    )
    whole = table.select(pl.col("n_early", "n_late", "good_early", "good_late").sum()).row(0, named=True)
    if not whole["n_early"] or not whole["n_late"]:
        return None
    before, after = whole["good_early"] / whole["n_early"], whole["good_late"] / whole["n_late"]
    there = _there(days, early, late)
    both = table.filter(pl.col("reporter").is_in(there))
    if not both["n_early"].sum() or not both["n_late"].sum():
        return None
    found = [*_coverage(table, there, whole), *_by_source(both)]
    # What is left is rounding, and the reporters' effect on each other; it belongs to coverage.
    rest = 100 * (after - before) - sum(effect.points for effect in found)
    if abs(rest) > 1e-9:
        found.append(Effect("coverage", "", rest))
    found.sort(key=_largest_first)
    return Decomposition(domain, mechanism, early, late, before, after, tuple(found))


def _largest_first(effect: Effect) -> tuple[float, str, str]:
    return -abs(effect.points), effect.kind, effect.key


def _there(days: pl.DataFrame, early: tuple[date, date], late: tuple[date, date]) -> list[str]:
    """The reporters that reported on some of the days of both stretches."""
    told = days.filter(pl.col("messages") > 0).select("reporter", "day").unique()
    kept = set(told["reporter"])
    for span in (early, late):
        inside = told.filter(pl.col("day").is_between(*span))
        least = SEEN * max(1, inside["day"].n_unique())
        often = inside.group_by("reporter").agg(pl.len()).filter(pl.col("len") >= least)
        kept &= set(often["reporter"])
    return sorted(kept)


def _coverage(table: pl.DataFrame, there: Sequence[str], whole: dict[str, int]) -> list[Effect]:
    """What each reporter that is not in both stretches does to the rate of the one that it is in.

    Taking one out of the whole moves the rate by its share of the mail times its distance from the others.
    """
    gone = (
        table.filter(~pl.col("reporter").is_in(there))
        .group_by("reporter")
        .agg(pl.exclude("source_key").sum())
        .sort("reporter")
    )
    stay = table.filter(pl.col("reporter").is_in(there)).select(pl.exclude("source_key", "reporter").sum())
    rest = stay.row(0, named=True)
    found = []
    for row in gone.iter_rows(named=True):
        points, part = 0.0, {when: row[f"n_{when}"] / whole[f"n_{when}"] for when in ("early", "late")}
        for when, sign in (("early", -1), ("late", 1)):
            if row[f"n_{when}"]:
                own = row[f"good_{when}"] / row[f"n_{when}"]
                others = rest[f"good_{when}"] / rest[f"n_{when}"]
                points += sign * part[when] * (own - others)
        found.append(Effect("coverage", row["reporter"], 100 * points, 100 * (part["late"] - part["early"])))
    return found


def _by_source(both: pl.DataFrame) -> list[Effect]:
    """Kitagawa's two parts for each source, over the reporters that were there all the time.

    A source's mix effect is its gain in share times its distance from the domain's mean rate.
    """
    # In order, so that the same mail always adds up to the same last digit.
    rows = both.group_by("source_key").agg(pl.exclude("source_key", "reporter").sum()).sort("source_key")
    total = {when: int(rows[f"n_{when}"].sum()) for when in ("early", "late")}
    mean = sum(int(rows[f"good_{when}"].sum()) / total[when] for when in total) / 2
    found = []
    for row in rows.iter_rows(named=True):
        share = {when: row[f"n_{when}"] / total[when] for when in total}
        rates = {when: row[f"good_{when}"] / row[f"n_{when}"] for when in total if row[f"n_{when}"]}
        # A source in one stretch only has no rate to change: all of it is mix.
        early, late = rates.get("early", rates.get("late", 0.0)), rates.get("late", rates.get("early", 0.0))
        own = (late - early) * (share["early"] + share["late"]) / 2
        grown = share["late"] - share["early"]
        mixed = grown * ((early + late) / 2 - mean)
        key = row["source_key"]
        found += [Effect("rate", key, 100 * own), Effect("mix", key, 100 * mixed, 100 * grown)]
    return found
