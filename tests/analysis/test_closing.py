"""Closed books save work and change next to nothing: what a full search finds is found, whoever was quiet before."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest

from analysis.change import Change
from analysis.closing import EVERY, SETTLED, Looked, first_day, look, opened, size, spanned
from analysis.screening import screened
from analysis.search import search, stirring
from analysis.searched import Source
from analysis.settings import DriftSettings
from benchmarks.drift_worlds.reporters import DAYS
from benchmarks.drift_worlds.world import FIRST as WORLD
from benchmarks.drift_worlds.world import world
from tests.analysis.test_drift import LAST, from_day, mail

SETTINGS = DriftSettings()
SIZE = size(SETTINGS)
KEY = ["domain", "source_key"]


def looked(days: pl.DataFrame, last: date) -> dict[Source, Looked]:
    """What a look at everything finds."""
    days = spanned(days, SETTINGS, last)
    return look(days, SETTINGS, dict.fromkeys(days.select(KEY).unique().iter_rows(), ""))


def changes(found: dict[Source, Looked]) -> list[Change]:
    return [change for one in found.values() for change in one.changes]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("morning", [90, DAYS])
def test_what_a_search_of_everything_finds_is_found(seed: int, morning: int) -> None:
    last = WORLD + timedelta(days=morning - 1)
    days = world(seed).known(morning)
    found, near = changes(looked(days, last)), spanned(days, SETTINGS, last)
    everything = search(near.join(screened(near, SETTINGS, SIZE), on=KEY, how="semi"), SETTINGS, SIZE)
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
        books = opened(days, SETTINGS, newest)
        closed = {(domain, key): day for domain, key, day in books.select(*KEY, "closed_on").iter_rows()}
        assert all(SETTLED <= (newest - day).days < SETTLED + EVERY for day in closed.values())
        firsts = books["first"].to_list()
        assert min(firsts) >= first_day(SETTINGS, newest)
        # Whatever day it is, the newest one has a place before the books are closed again.
        assert all((newest - first).days < SIZE for first in firsts)
        moved[ahead] = sum(closed[key] != day for key, day in before.items())
        before = closed
    assert sum(moved.values()) == pytest.approx(200 * 2, abs=200)
    # Every day brings its share.
    assert max(moved.values()) < 200 * 4 / EVERY


@pytest.mark.parametrize("begin", [40, 80, 95, 105, 112, 117])
def test_whenever_it_begins_it_stirs_until_the_books_are_closed(begin: int) -> None:
    days = mail(from_day(begin, 0.99, 0.4), source="broken")
    every = spanned(days, SETTINGS, LAST)
    assert stirring(every, SETTINGS, SIZE) == {tuple(days.select(KEY).row(0))}
    assert changes(looked(days, LAST)) == search(every, SETTINGS, SIZE) != []


def test_what_is_calm_does_not_stir() -> None:
    calm = pl.concat(
        [mail(rate, spf=0.5, source=f"calm {rate} {seed}", seed=seed) for rate in (0.99, 0.8) for seed in range(20)]
    )
    assert len(stirring(spanned(calm, SETTINGS, LAST), SETTINGS, SIZE)) < 4


@pytest.mark.parametrize("seed", range(3))
def test_a_source_is_looked_at_for_itself_and_only_when_its_days_change(seed: int) -> None:
    last = WORLD + timedelta(days=DAYS - 1)
    days = world(seed).known(DAYS)
    together = looked(days, last)
    for source, alone in together.items():
        mine = days.filter(domain=source[0], source_key=source[1])
        assert looked(mine, last) == {source: alone}
    # Days pass without mail: until the books are closed again, all is as it was.
    books = {(domain, key): day for domain, key, day in opened(days, SETTINGS, last).select(*KEY, "first").iter_rows()}
    stayed = 0
    for ahead in range(1, EVERY):
        later = last + timedelta(days=ahead)
        after = {(domain, key): day for domain, key, day in opened(days, SETTINGS, later).select(*KEY, "first").rows()}
        same = {source for source in together if after[source] == books[source]}
        found = looked(days.filter(pl.col("source_key").is_in([key for _, key in same])), later)
        assert found == {source: one for source, one in together.items() if source in same}
        stayed += len(same)
    assert stayed > len(together)


def test_whether_a_source_was_restless_is_not_asked_again_while_its_closed_days_are_the_same() -> None:
    days = spanned(mail(from_day(110, 0.99, 0.3), source="broken"), SETTINGS, LAST)
    [source] = days.select(KEY).unique().iter_rows()
    calm = Looked("then", restless=False, changes=())
    [fresh] = look(days, SETTINGS, {source: "then"}, lambda _: [calm]).values()
    assert fresh.changes
    assert not fresh.restless
    # Something stirs in the open days, so that it makes no difference to what is found.
    [other] = look(days, SETTINGS, {source: "now"}, lambda _: [calm]).values()
    assert other.changes == fresh.changes
    assert other.past == "now"
