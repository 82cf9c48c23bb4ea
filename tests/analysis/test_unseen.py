"""Senders not seen yet: the estimate against invented ones, and the guard at the months' ends."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from analysis.unseen import saw_turn, unseen

DAYS = [date(2026, 9, 20) + timedelta(days=n) for n in range(60)]


def test_as_the_paper_reckons() -> None:
    # 10 senders on one day, 4 on two: (59 / 60) * 10 * 9 / (2 * 5) more.
    found = unseen([1] * 10 + [2] * 4 + [30] * 6, 60, DAYS)
    assert found.seen == 20
    assert found.expected == pytest.approx(8.85)
    assert found.low < 8.85 < found.high
    assert found.more_days is not None


@pytest.mark.parametrize("active", [[], [60, 60], [1], [0, 0]])
def test_nothing_to_estimate_from(active: list[int]) -> None:
    found = unseen(active, 60, DAYS)
    assert (found.expected, found.more_days) == (0, None)
    assert found.complete


@pytest.mark.parametrize("chance", ["even", "regulars and rare ones"])
def test_it_holds_nine_times_in_ten_where_senders_are_alike(chance: str) -> None:
    random, held = np.random.default_rng(3), []
    for _ in range(300):
        rates = np.full(40, 0.03) if chance == "even" else np.where(random.random(40) < 0.6, 0.6, 0.025)
        active = random.binomial(60, rates)
        found, missing = unseen(active.tolist(), 60, DAYS), int((active == 0).sum())
        held.append(found.low - 0.5 <= missing <= found.high + 0.5)
    assert 0.82 <= np.mean(held) <= 0.98


def test_it_is_a_lower_bound_where_some_hardly_ever_send() -> None:
    random = np.random.default_rng(4)
    gaps = []
    for _ in range(200):
        active = random.binomial(60, random.beta(0.5, 6, 40))
        gaps.append(unseen(active.tolist(), 60, DAYS).expected - int((active == 0).sum()))
    assert np.mean(gaps) < 0


def test_a_month_without_its_end_is_not_complete() -> None:
    middle = [date(2026, 11, 4) + timedelta(days=n) for n in range(22)]
    found = unseen([20, 20], 22, middle)
    assert not found.month_end
    assert not found.complete
    assert saw_turn([*middle, *(date(2026, 11, n) for n in (28, 29, 30)), date(2026, 12, 1)], range(1, 13))
    assert not saw_turn(DAYS[30:], (3, 6, 9, 12))
    assert saw_turn(DAYS, (9,))
