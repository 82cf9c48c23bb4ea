"""Closed books save work and change next to nothing: what a full search finds is found, whoever was quiet before."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest

from analysis.closing import EVERY, SETTLED, closings, find, first_day
from analysis.screening import screened
from analysis.search import search, stirring
from analysis.settings import DriftSettings
from benchmarks.drift_worlds.reporters import DAYS
from benchmarks.drift_worlds.world import FIRST as WORLD
from benchmarks.drift_worlds.world import world
from tests.analysis.test_drift import LAST, from_day, mail

SETTINGS = DriftSettings()
KEY = ["domain", "source_key"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("morning", [90, DAYS])
def test_what_a_search_of_everything_finds_is_found(seed: int, morning: int) -> None:
    days = world(seed).known(morning)
    last = WORLD + timedelta(days=morning - 1)
    near = days.join(screened(days, SETTINGS, last).sources, on=KEY, how="semi")
    found, everything = find(near, SETTINGS, last), search(near, SETTINGS, last)
    assert everything
    assert all(one in everything for one in found)
    # What is all but chance is told from it a little later, at the next closing.
    assert [one for one in everything if one not in found and one.p_value < 1e-4] == []


def test_a_source_is_closed_on_a_day_of_its_own_that_lasts() -> None:
    days = pl.concat([mail(0.9, source=f"source {number}").head(1) for number in range(200)])
    before = dict[tuple[str, str], date]()
    moved = Counter[int]()
    for ahead in range(2 * EVERY):
        newest = LAST + timedelta(days=ahead)
        closed = {(domain, key): day for domain, key, day in closings(days, newest).iter_rows()}
        assert all(SETTLED <= (newest - day).days < SETTLED + EVERY for day in closed.values())
        assert min(closed.values()) - timedelta(days=SETTINGS.days - 1) >= first_day(SETTINGS, newest)
        moved[ahead] = sum(closed[key] != day for key, day in before.items())
        before = closed
    assert sum(moved.values()) == pytest.approx(200 * 2, abs=200)
    # Every day brings its share.
    assert max(moved.values()) < 200 * 4 / EVERY


@pytest.mark.parametrize("begin", [40, 80, 95, 105, 112, 117])
def test_whenever_it_begins_it_stirs_until_the_books_are_closed(begin: int) -> None:
    days = mail(from_day(begin, 0.99, 0.4), source="broken")
    assert stirring(days, SETTINGS, LAST, None) == {tuple(days.select(KEY).row(0))}
    assert find(days, SETTINGS, LAST) == search(days, SETTINGS, LAST) != []


def test_what_is_calm_does_not_stir() -> None:
    calm = pl.concat(
        [mail(rate, spf=0.5, source=f"calm {rate} {seed}", seed=seed) for rate in (0.99, 0.8) for seed in range(20)]
    )
    assert len(stirring(calm, SETTINGS, LAST, None)) < 4
