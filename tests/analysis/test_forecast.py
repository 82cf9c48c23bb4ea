"""A range for days to come: whole weeks drawn again, each reporter in its own manner."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis import forecast

NO_SPREAD = np.zeros(1)


def daily(messages: list[float], *, sure: bool = False) -> forecast.Mail:
    """One unit's mail, a row for each day, of one reporter."""
    days, given = np.arange(len(messages)), np.array(messages)
    none = np.zeros(len(messages))
    at = np.zeros(len(messages), np.int64)
    return forecast.Mail(at, days, at, given if sure else none, none if sure else given)


def totals(mail: forecast.Mail, ahead: int, honoured: float = 1.0) -> NDArray[np.float64]:
    shares = np.full((forecast.DRAWS, 1), honoured)
    return forecast.refusals(mail, (len(mail.day), ahead), shares, NO_SPREAD)[:, 0]


def test_even_mail_has_a_narrow_range() -> None:
    low, middle, high = np.quantile(totals(daily([500.0] * 28), 14), [0.05, 0.5, 0.95])
    assert 0.95 * 7000 < low < middle < high < 1.05 * 7000


def test_one_burst_may_come_twice_or_not_at_all() -> None:
    found = totals(daily([0.0] * 20 + [1000.0] + [0.0] * 9), 30)
    assert np.quantile(found, 0.05) == 0
    assert 1900 < np.quantile(found, 0.95) < 3200


def test_what_is_sure_does_not_hang_on_manners() -> None:
    assert totals(daily([90.0] * 28), 28, honoured=0.0).max() == 0
    assert totals(daily([90.0] * 28, sure=True), 28, honoured=0.0).min() > 2000


def test_the_same_input_gives_the_same_range() -> None:
    mail = daily(np.random.default_rng(1).poisson(20, 30).astype(float).tolist())
    assert np.array_equal(totals(mail, 14), totals(mail, 14))


def test_nobody_and_nothing_are_no_trouble() -> None:
    none = np.zeros(0)
    at = np.zeros(0, np.int64)
    empty = forecast.refusals(forecast.Mail(at, at, at, none, none), (1, 14), np.ones((400, 0)), none)
    assert empty.shape == (400, 0)


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_the_range_holds_about_as_often_as_it_says(spread: float) -> None:
    # Bursty mail: does the next month fall within the range of this one? Both vary, and the level does not stray.
    random, held = np.random.default_rng(7), []
    for _ in range(150):
        mail = random.poisson(random.gamma(1 / spread, spread * 40, 60)).astype(float)
        low, high = np.quantile(totals(daily(mail[:30].tolist()), 30), [0.05, 0.95])
        held.append(low <= mail[30:].sum() <= high)
    assert 0.6 <= np.mean(held) <= 0.97
