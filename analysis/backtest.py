"""How good are the forecasts? Each time a policy turned stricter is an experiment that has been made already.

The forecast is made from the 28 days before, as it would have been on that day, and held against what receivers
refused in the 14 days after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.candidate import Candidate
from analysis.genuine import counted
from analysis.history import PolicyChange, policy_history
from analysis.ledger import Frames, fetch, groups, reckoned
from analysis.outlook import GROUPS, draws, limits
from analysis.period import newest_day
from analysis.policy import STRICTNESS, Published, published
from analysis.settings import AnalysisSettings
from analysis.sources import sources
from warehouse import reads, reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.scope import Scope

BEFORE, AFTER = 28, 14
ENOUGH = 0.75  # share of the days on each side that must have reports
LEAST = 10  # messages refused, or expected to be, from which a source is worth comparing


@dataclass(frozen=True, slots=True)
class Compared:
    """What was forecast to be refused and what was: of a group of sources, or of one source."""

    what: str
    name: str
    group: str
    low: int
    expected: int
    high: int
    actual: int

    @property
    def held(self) -> bool:
        """Whether the range held it."""
        return self.low <= self.actual <= self.high


@dataclass(frozen=True, slots=True)
class Experiment:
    """A domain whose policy turned stricter on `day`, from `before` to `after` (as p or "p; sp=…")."""

    domain: str
    day: date
    before: str
    after: str
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """All experiments. `skipped` changes had too few days on a side. Shares are None where nothing was compared.

    `held`: share of ranges that held what came. `error`: of all groups together, what was forecast too much (above 0)
    or too little, as a share of what came. `miss`: the median miss of a single group, as a share of the larger number.
    """

    experiments: tuple[Experiment, ...]
    skipped: int
    ranges: int
    held: float | None
    error: float | None
    miss: float | None


def backtest(
    warehouse: Warehouse, domains: Sequence[str], today: date, settings: AnalysisSettings, until: date | None = None
) -> Backtest:
    """Every policy change of these domains (all where none is named) that can be tested."""
    with warehouse.reading() as connection:
        newest = newest_day(connection, today, until) or today
        scope = counted(connection, Scope(tuple(domains), None, newest))
        days = reads.policy_days(connection, scope)
        turns = _turns(days)
        ready = [one for one in turns if _has_days(days, *one)]
        fetched = [(day, _fetched(connection, scope, days, domain, day)) for domain, day in ready]
    found = [_experiment(warehouse, day, got, settings) for day, got in fetched if got]
    kept = tuple(one for one in found if one.compared)
    return _summary(kept, len(turns) - len(kept))


def _turns(days: pl.DataFrame) -> list[tuple[str, date]]:
    """When a policy turned stricter, by domain: p, or sp alone."""
    return sorted({(one.domain, one.day) for one in policy_history(days) if _stricter(one)})


def _stricter(change: PolicyChange) -> bool:
    strict = STRICTNESS.get(change.after, 0) > STRICTNESS.get(change.before, 0)
    ended = change.tag == "testing" and (change.before, change.after) == ("y", "n")
    return (change.tag in ("p", "sp") and strict) or ended


def _has_days(days: pl.DataFrame, domain: str, day: date) -> bool:
    mine = set(days.filter(pl.col("domain") == domain)["day"])
    before = sum(day - timedelta(days=n) in mine for n in range(1, BEFORE + 1))
    after = sum(day + timedelta(days=n) in mine for n in range(AFTER))
    return before >= ENOUGH * BEFORE and after >= ENOUGH * AFTER


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What was known on the eve of a change, the record before and after it, and what was refused of each source."""

    frames: Frames
    old: Published
    new: Published
    refused: dict[str, int]


def _fetched(connection: Connection, scope: Scope, days: pl.DataFrame, domain: str, day: date) -> _Fetched | None:
    before = replace(scope, domains=(domain,), since=day - timedelta(days=BEFORE), until=day - timedelta(days=1))
    later = replace(before, since=day, until=day + timedelta(days=AFTER - 1))
    mine = days.filter(pl.col("domain") == domain)
    old, new = (published(mine.filter(pl.col("day").is_between(one.since, one.until))) for one in (before, later))
    if old is None or new is None:
        return None
    sums = reads_sources.blockable(connection, later).group_by("source_key").agg(pl.col("blocked").sum())
    return _Fetched(fetch(connection, before, _candidate(new)), old, new, dict(sums.iter_rows()))


def _candidate(new: Published) -> Candidate:
    return Candidate(new.p or "none", new.sp, new.np, testing=new.testing == "y")


def _experiment(warehouse: Warehouse, day: date, got: _Fetched, settings: AnalysisSettings) -> Experiment:
    scope, enforced = got.frames.scope, got.frames.enforced
    assert scope.since is not None
    found = sources(warehouse, replace(scope, without=()), day, settings.sources)
    told, group = reckoned(got.frames, _candidate(got.new), found), groups(found)
    days = (scope.since, BEFORE, AFTER)
    by_group = dict.fromkeys(GROUPS, 0)
    for key, messages in got.refused.items():
        by_group[group.get(key, "undecided")] += messages
    names = {one.source_key: one.name for one in found}
    drawn = draws(told, enforced, days)
    whole = [Compared("group", name, name, *ends, by_group[name]) for name, ends in limits(drawn.group).items()]
    each = [
        Compared("source", names[key], group[key], *ends, got.refused.get(key, 0))
        for key, ends in limits(drawn.source).items()
        if key in group
    ]
    each = [one for one in each if max(one.expected, one.actual) >= LEAST]
    each.sort(key=lambda one: (-one.actual, -one.expected, one.name))
    return Experiment(scope.domains[0], day, _said(got.old), _said(got.new), (*whole, *each))


def _said(policy: Published) -> str:
    """A policy in words of the record; `Published` holds no text from reports but the three policies."""
    sp = f"; sp={policy.sp}" if policy.sp and policy.sp != policy.p else ""
    return f"p={policy.p or 'none'}{sp}{'; t=y' if policy.testing == 'y' else ''}"


def _summary(found: tuple[Experiment, ...], skipped: int) -> Backtest:
    every = [one for experiment in found for one in experiment.compared]
    groups = [one for one in every if one.what == "group"]
    came = sum(one.actual for one in groups)
    misses = sorted(abs(one.expected - one.actual) / max(one.expected, one.actual, 1) for one in groups)
    return Backtest(
        experiments=found,
        skipped=skipped,
        ranges=len(every),
        held=sum(one.held for one in every) / len(every) if every else None,
        error=sum(one.expected for one in groups) / came - 1 if came else None,
        miss=misses[len(misses) // 2] if misses else None,
    )
