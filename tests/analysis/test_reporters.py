"""Each reporter by its own habits: who is usual, who has fallen silent, and who only writes now and then."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from analysis.reporters import Reporter, reporters

DAYS = 120
LAST = date(2026, 11, 22)  # a Sunday
FIRST = LAST - timedelta(days=DAYS - 1)
DAY = np.arange(DAYS)
WEEKEND = (DAY + FIRST.weekday()) % 7 >= 5
SEEDS = range(10)


def written(**messages: NDArray[np.int64]) -> pl.DataFrame:
    """Rows as reads.reporter_days gives them."""
    rows = [
        (name, "example.com", FIRST + timedelta(days=int(day)), int(counts[day]))
        for name, counts in messages.items()
        for day in np.flatnonzero(counts)
    ]
    schema = {"reporter": pl.String, "domain": pl.String, "day": pl.Date, "messages": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def poisson(mean: float | NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).poisson(np.broadcast_to(mean, DAYS))


def ask(**messages: NDArray[np.int64]) -> dict[str, Reporter]:
    return {found.reporter: found for found in reporters(written(**messages), LAST)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_daily_reporter_that_stops_is_silent(seed: int) -> None:
    answer = ask(large=poisson(200, seed), gone=np.where(DAY < 110, poisson(40, seed + 50), 0))
    assert answer["gone"].silent_since == FIRST + timedelta(days=110)
    assert answer["gone"].usual
    assert answer["large"].silent_since is None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mean", [0.05, 0.3, 1.0, 4.0, 100.0])
def test_reporters_that_write_as_ever_are_not(seed: int, mean: float) -> None:
    answer = ask(large=poisson(500, seed), other=poisson(mean, seed + 50))
    assert [found.silent_since for found in answer.values()] == [None] * len(answer)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reporter_of_working_days_is_not_silent_on_sunday(seed: int) -> None:
    office = np.where(WEEKEND, 0, poisson(8, seed))
    everyday = np.where(WEEKEND, poisson(20, seed), poisson(300, seed))
    assert ask(office=office, everyday=everyday)["office"].silent_since is None


@pytest.mark.parametrize("seed", SEEDS)
def test_clumps_of_mail_make_gaps_usual(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # A newsletter every ten days or so, and for some days afterwards nothing.
    campaign = np.zeros(DAYS, dtype=np.int64)
    sent = np.cumsum(rng.integers(5, 15, 30))
    campaign[sent[sent < DAYS]] = 300
    assert ask(large=poisson(500, seed), clumps=campaign)["clumps"].silent_since is None


def test_a_small_reporter_is_given_more_time() -> None:
    def gone(after: int) -> date | None:
        small = np.where(DAY % 6 == 0, 2, 0)
        return ask(large=poisson(500, 1), small=np.where(DAYS - after > DAY, small, 0))["small"].silent_since

    assert gone(8) is None
    assert gone(15) is None
    assert gone(60) is not None


def test_reports_are_late_by_days() -> None:
    whole = poisson(100, 1)
    for late in (1, 2):
        answer = ask(large=poisson(500, 2), late=np.where(DAYS - late > DAY, whole, 0))
        assert answer["late"].silent_since is None


def test_when_there_was_no_mail_nobody_is_silent() -> None:
    # The shop was closed for ten days; one reporter saw some stray messages.
    closed = DAY >= DAYS - 10
    answer = ask(stray=np.where(closed, 1, poisson(500, 1)), other=np.where(closed, 0, poisson(20, 2)))
    assert answer["other"].silent_since is None


def test_a_new_reporter_has_no_habits_yet() -> None:
    answer = ask(large=poisson(500, 1), new=np.where((DAY >= 100) & (DAY < 103), 50, 0))
    assert (answer["new"].silent_since, answer["new"].usual, answer["new"].days) == (None, False, 3)


def test_usual_means_most_days_and_is_forgotten_after_two_months() -> None:
    answer = ask(
        large=poisson(500, 1),
        rare=np.where(DAY % 5 == 0, 9, 0),
        gone=np.where(DAY < 80, 50, 0),
        forgotten=np.where(DAY < 50, 50, 0),
    )
    assert {name: found.usual for name, found in answer.items()} == {
        "large": True,
        "gone": True,
        "rare": False,
        "forgotten": False,
    }
    assert answer["forgotten"].silent_since == FIRST + timedelta(days=50)


def test_the_sums_are_over_domains_and_the_largest_comes_first() -> None:
    frame = pl.concat(
        [
            written(large=np.full(DAYS, 3), small=np.full(DAYS, 1)),
            written(large=np.full(DAYS, 4)).with_columns(domain=pl.lit("example.net")),
        ]
    )
    large, small = reporters(frame, LAST)
    assert (large.reporter, large.messages, large.days, large.share) == ("large", 840, 120, 0.875)
    assert (large.first_day, large.last_day) == (FIRST, LAST)
    assert (small.messages, small.share) == (120, 0.125)


def test_what_came_later_is_not_looked_at() -> None:
    frame = written(large=np.full(DAYS, 3), gone=np.where(DAY < 60, 3, 0))
    answer = {found.reporter: found for found in reporters(frame, FIRST + timedelta(days=59))}
    assert answer["gone"].silent_since is None
    assert answer["large"].days == 60


def test_nothing_gives_nothing() -> None:
    assert reporters(written(), LAST) == []
    assert reporters(written(large=np.full(DAYS, 3)), FIRST - timedelta(days=1)) == []


def test_a_reporter_that_is_the_only_one_is_never_missed() -> None:
    """Its days are the only days there are; that no reports come at all is for others to say."""
    assert ask(alone=np.where(DAY < 100, 3, 0))["alone"].silent_since is None
