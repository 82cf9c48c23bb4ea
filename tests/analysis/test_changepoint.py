"""Steps and slides in plain series, and probabilities beside tables of them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis import chance
from analysis.changepoint import (
    FEWEST_DAYS,
    STILL,
    Slide,
    cost,
    departure,
    levels,
    slide,
    steps,
    trust,
    wander,
    weights,
)
from analysis.compare import by_day

Floats = NDArray[np.float64]

DAYS = 120
DAY = np.arange(DAYS)


def noisy(rate: Floats, seed: int = 1, scatter: float = 0.02) -> tuple[Floats, Floats]:
    rate = rate + np.random.default_rng(seed).normal(0, scatter, DAYS)
    return rate, np.full(DAYS, 1 / scatter**2)


def test_a_level_series_has_no_steps() -> None:
    rate, weight = noisy(np.full(DAYS, 0.9))
    assert steps(rate[None], weight[None]) == [[]]


@pytest.mark.parametrize("day", [3, 40, 60, 117])
def test_a_step_is_found_on_its_day(day: int) -> None:
    rate, weight = noisy(np.where(day <= DAY, 0.6, 0.9))
    assert steps(rate[None], weight[None]) == [[day]]


def test_many_series_at_once_are_each_as_alone() -> None:
    made = [noisy(np.where(day <= DAY, 0.6, 0.9), seed=day) for day in range(5, 110, 5)]
    rate, weight = (np.stack(part) for part in zip(*made, strict=True))
    assert steps(rate, weight) == [steps(*(part[None] for part in one))[0] for one in made]


def test_several_steps_are_found_in_order() -> None:
    rate, weight = noisy(np.select([DAY < 30, DAY < 50, DAY < 90], [0.9, 0.4, 0.95], 0.7))
    assert steps(rate[None], weight[None]) == [[30, 50, 90]]


def test_days_without_mail_count_for_nothing() -> None:
    rate, weight = noisy(np.where(DAY >= 60, 0.6, 0.9))
    weight[DAY % 7 != 2] = 0
    # The new level begins on its first day with mail.
    assert steps(rate[None], weight[None]) == [[65]]


def test_a_level_has_days_enough() -> None:
    rate, weight = noisy(np.where(DAY >= DAYS - FEWEST_DAYS + 1, 0.1, 0.9))
    [found] = steps(rate[None], weight[None])
    assert all(part <= DAYS - FEWEST_DAYS for part in found)
    few = np.where(DAY < 2, weight, 0.0)
    assert steps(rate[None], few[None]) == [[]]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 5000)), min_size=1, max_size=40))
def test_steps_never_cost_more_than_none(days: list[tuple[float, float]]) -> None:
    rate, weight = (np.array(part) for part in zip(*days, strict=True))
    [found] = steps(rate[None], weight[None])
    assert found == sorted(set(found))
    assert all(0 < day < rate.size and weight[day] > 0 for day in found)
    assert cost(rate, weight, found) <= cost(rate, weight, []) + 1e-6
    edges = [0, *found, rate.size]
    if found:
        for start, end in pairwise(edges):
            assert (weight[start:end] > 0).sum() >= FEWEST_DAYS


def test_levels_are_weighted_means() -> None:
    fitted = levels(np.array([0.0, 1.0, 0.5, 0.7]), np.array([1.0, 3.0, 1.0, 1.0]), [2])
    assert fitted == pytest.approx([0.75, 0.75, 0.6, 0.6])


def test_a_slide_is_found_with_its_ends() -> None:
    rate, weight = noisy(0.9 - 0.6 * np.clip((DAY - 40 + 1) / 30, 0, 1), scatter=0.01)
    found = slide(rate, weight)
    assert found
    assert abs(found.first - 40) <= 2
    assert abs(found.settled - 69) <= 2
    assert (found.before, found.after) == pytest.approx((0.9, 0.3), abs=0.01)
    assert found.cost == pytest.approx(DAYS, rel=0.4)


def test_a_slide_costs_what_its_line_leaves() -> None:
    rate, weight = noisy(np.linspace(0.9, 0.2, DAYS), scatter=0.05)
    found = slide(rate, weight)
    assert found
    gone = np.clip((DAY - found.first + 1) / (found.settled - found.first + 1), 0, 1)
    left = rate - (found.before + (found.after - found.before) * gone)
    assert found.cost == pytest.approx(float(weight @ left**2))


def test_a_short_series_has_no_room_for_a_slide() -> None:
    assert slide(np.full(6, 0.5), np.ones(6)) is None


def test_an_uneven_slide_begins_where_the_rate_leaves_its_level() -> None:
    rate, weight = noisy(np.where(DAY >= 60, 0.5, 0.9), scatter=0.01)
    assert departure(rate, weight, Slide(50, 80, 0.9, 0.5, 0.0)) == 60
    even, weight = noisy(0.9 - 0.4 * np.clip((DAY - 49) / 31, 0, 1), scatter=0.03)
    assert departure(even, weight, Slide(50, 80, 0.9, 0.5, 0.0)) == 50


def test_much_mail_on_a_day_is_bounded() -> None:
    messages = np.where(DAY == 50, 1e6, 100.0)[None]
    rate = np.random.default_rng(1).binomial(100, 0.9, DAYS)[None] / 100
    weight = weights(rate, messages, np.array([0.9]))
    assert weight[0, 50] <= 1 / STILL**2
    assert weight[0, 50] / weight[0, 49] < 20
    trusted = trust(weight, messages, np.array([0.9]))
    assert trusted[0, 50] < 0.01
    assert trusted.max() <= 1


def test_a_restless_series_trusts_its_days_less() -> None:
    rng, messages = np.random.default_rng(1), np.full((2, DAYS), 1000.0)
    rate = np.stack([rng.normal(0.5, 0.016, DAYS), rng.normal(0.5, 0.2, DAYS)])
    calm, restless = weights(rate, messages, np.full(2, 0.5)).mean(axis=1)
    assert restless == pytest.approx(1 / 0.2**2, rel=0.4)
    assert calm > 20 * restless


def test_a_step_is_no_restlessness() -> None:
    rate = np.where(DAY >= 60, 0.1, 0.9)[None] + np.random.default_rng(1).normal(0, 0.01, (1, DAYS))
    assert weights(rate, np.full((1, DAYS), 1000.0), np.array([0.5])).min() > 1000


def test_the_daily_rate_is_freed_of_who_reported() -> None:
    # Reporter 0 sees 60 %, reporter 1 sees 100 %; from day 60 on only reporter 0 writes.
    messages = np.stack([np.full(DAYS, 50.0), np.where(DAY < 60, 50.0, 0.0)])
    aligned = messages * np.array([[0.6], [1.0]])
    rate = by_day(messages, aligned, np.zeros(2, dtype=np.int64))
    assert np.ptp(rate) < 0.01


# -- chance ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [(2.571, 5, 0.05), (4.032, 5, 0.01), (2.228, 10, 0.05), (4.587, 10, 0.001), (1.96, 1e6, 0.05), (3.850, 20, 0.001)],
)
def test_student_is_as_in_the_tables(t: float, freedom: float, p: float) -> None:
    assert chance.student(t, freedom) == pytest.approx(p, rel=0.04)
    assert chance.student(-t, freedom) == chance.student(t, freedom)


def test_student_without_freedom_knows_nothing() -> None:
    assert chance.student(100, 0) == 1.0


def test_hypergeometric_counts_draws() -> None:
    # The lady tasting tea: all four of four, eight cups.
    assert chance.hypergeometric(4, 4, 4, 8) == pytest.approx(1 / 70)
    assert chance.hypergeometric(3, 4, 4, 8) == pytest.approx(17 / 70)
    assert chance.hypergeometric(0, 4, 4, 8) == pytest.approx(1)
    assert chance.hypergeometric(0, 5, 5, 5) == pytest.approx(1)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 40))
def test_hypergeometric_is_a_probability(drawn: int, marked: int, total: int) -> None:
    drawn, marked = min(drawn, total), min(marked, total)
    tail = [chance.hypergeometric(hits, drawn, marked, total) for hits in range(min(drawn, marked) + 1)]
    assert tail[0] == pytest.approx(1)
    assert all(a >= b - 1e-12 for a, b in pairwise(tail))
    exact = sum(
        math.comb(marked, hits) * math.comb(total - marked, drawn - hits)
        for hits in range(len(tail))
        if drawn - hits <= total - marked
    )
    assert exact == math.comb(total, drawn)


def test_discoveries_are_benjamini_and_hochbergs() -> None:
    # Their own example of 15 comparisons: the four smallest count at 5 %.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1,
    ]
    assert chance.discoveries(p, 15, 0.05) == 0.0095
    assert chance.discoveries(p[:5], 15, 0.05) == 0.0095
    assert chance.discoveries([0.5], 100, 0.05) == 0.0
    assert chance.discoveries([], 100, 0.05) == 0.0


# -- sources that drift to and fro -----------------------------------------------------------------


def wandering(memory: float, seed: int) -> tuple[Floats, Floats]:
    shock = np.random.default_rng(seed).normal(0, 0.02, DAYS)
    for at in range(1, DAYS):
        shock[at] += memory * shock[at - 1]
    return 0.7 + shock, np.full(DAYS, 1 / 0.02**2)


def test_weeks_that_differ_more_than_their_days_are_noticed() -> None:
    assert np.median([wander(*wandering(0.9, seed)) for seed in range(40)]) > 5
    assert sum(wander(*wandering(0.9, seed)) == 1.0 for seed in range(40)) <= 4


def test_independent_days_and_a_step_are_hardly_ever_taken_for_wandering() -> None:
    stepped = np.where(DAY >= 60, 0.4, 0.9)
    assert sum(wander(*wandering(0.0, seed)) > 1 for seed in range(40)) <= 2
    assert sum(wander(*noisy(stepped, seed)) > 1 for seed in range(40)) <= 5


def test_a_source_with_bad_days_does_not_wander() -> None:
    for seed in range(20):
        bad = np.random.default_rng(seed).choice(DAYS, 7, replace=False)
        rate, weight = wandering(0.0, seed)
        rate[bad] -= 0.5
        assert wander(rate, weight) == 1.0, seed


def test_a_few_weeks_tell_nothing_of_wandering() -> None:
    rate, weight = wandering(0.9, 1)
    assert wander(rate[:50], weight[:50]) == 1.0
    assert wander(rate, np.where(DAY % 7 < 2, weight, 0)) == 1.0
