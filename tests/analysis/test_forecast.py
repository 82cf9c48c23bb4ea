"""A range for a month of mail: whole weeks drawn again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis import forecast


def of(*columns: list[float]) -> NDArray[np.float64]:
    return np.array(columns, dtype=float).T


def test_even_mail_has_no_range() -> None:
    low, high = forecast.ranges(of([5.0] * 30))
    assert (low.tolist(), high.tolist()) == ([150], [150])


def test_one_burst_may_come_twice_or_not_at_all() -> None:
    low, high = forecast.ranges(of([0.0] * 20 + [100.0] + [0.0] * 9))
    assert low[0] == 0
    assert high[0] in (200, 300)


def test_no_days_and_no_sources_are_no_trouble() -> None:
    for shape in ((0, 3), (30, 0), (0, 0), (1, 2)):
        low, high = forecast.ranges(np.zeros(shape))
        assert low.shape == high.shape == (shape[1],)


def test_the_same_input_gives_the_same_range_whatever_stands_beside_it() -> None:
    random = np.random.default_rng(1)
    daily = random.poisson(20, (30, forecast.CHUNK + 5)).astype(float)
    low, high = forecast.ranges(daily)
    alone_low, alone_high = forecast.ranges(daily[:, -1:])
    assert (low[-1], high[-1]) == (alone_low[0], alone_high[0])


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_the_range_holds_about_as_often_as_it_says(spread: float) -> None:
    # Bursty mail: does the next month fall within the range of this one, 9 times in 10? Both months
    # vary, so that a range from one alone can only hold less often.
    random = np.random.default_rng(7)
    rates = random.gamma(1 / spread, spread * 40, (60, 400))
    mail = random.poisson(rates).astype(float)
    low, high = forecast.ranges(mail[:30])
    expected = 30 * 40
    held = float(np.mean((low <= expected) & (expected <= high)))
    assert 0.7 <= held <= 0.97
