"""A range for days to come: whole weeks drawn again, each reporter in its own manner."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis import forecast


def daily(messages: list[float], *, sure: bool = False) -> forecast.Mail:
    """One unit's mail, a row for each day, of one reporter."""
    days, given = np.arange(len(messages)), np.array(messages)
    none = np.zeros(len(messages))
    at = np.zeros(len(messages), np.int64)
    return forecast.Mail(at, days, at, given, given if sure else none, none if sure else given)


def totals(mail: forecast.Mail, ahead: int, honoured: float = 1.0) -> NDArray[np.float64]:
    shares = np.full((forecast.DRAWS, 1), honoured)
    return forecast.strayed(forecast.refusals(mail, (len(mail.day), ahead), shares), np.zeros(1))[:, 0]


def ends(mail: list[float], ahead: int) -> list[float]:
    return [float(one) for one in np.quantile(totals(daily(mail), ahead), [0.05, 0.5, 0.95])]


def test_even_mail_has_a_narrow_range() -> None:
    low, middle, high = ends([500.0] * 28, 14)
    assert 0.9 * 7000 < low < 0.99 * 7000 < middle < 1.01 * 7000 < high < 1.1 * 7000


def test_growth_goes_on() -> None:
    grown = [200 * 1.02**day for day in range(28)]
    low, middle, high = ends(grown, 14)
    to_come = sum(200 * 1.02**day for day in range(28, 42))
    assert low < to_come < high
    assert abs(middle / to_come - 1) < 0.1
    assert middle > 1.3 * sum(grown) / 2  # which is what the window as a whole would say
    down = ends(grown[::-1], 14)[1]
    assert 0.8 < down / sum(200 * 0.98**day for day in range(1, 15)) < 1.25


def test_a_sender_that_began_last_week_goes_on_as_it_began() -> None:
    low, middle, high = ends([0.0] * 21 + [300.0] * 7, 14)
    assert low < 4200 < high
    assert 0.9 < middle / 4200 < 1.1


def test_a_sender_that_was_switched_off_may_stay_so() -> None:
    _, middle, high = ends([300.0] * 20 + [1.0] * 8, 14)
    assert middle < 60
    assert high < 2000


def test_weekdays_come_as_they_came() -> None:
    # Thirty days hold five Mondays or four; two weeks hold two.
    office = [100.0 if day % 7 < 5 else 0.0 for day in range(30)]
    low, middle, high = ends(office, 14)
    assert 0.75 * 1000 < low < middle < high < 1.3 * 1000


def test_one_burst_may_come_twice_or_not_at_all() -> None:
    found = totals(daily([0.0] * 20 + [1000.0] + [0.0] * 9), 30)
    assert np.quantile(found, 0.05) == 0
    assert 1900 < np.quantile(found, 0.95) < 3500


def test_what_is_sure_does_not_hang_on_manners() -> None:
    assert totals(daily([90.0] * 28), 28, honoured=0.0).max() == 0
    assert totals(daily([90.0] * 28, sure=True), 28, honoured=0.0).min() > 1500


def test_the_same_input_gives_the_same_range() -> None:
    mail = daily(np.random.default_rng(1).poisson(20, 30).astype(float).tolist())
    assert np.array_equal(totals(mail, 14), totals(mail, 14))


def test_nobody_and_nothing_are_no_trouble() -> None:
    none = np.zeros(0)
    at = np.zeros(0, np.int64)
    empty = forecast.refusals(forecast.Mail(at, at, at, none, none, none), (1, 14), np.ones((400, 0)))
    assert empty.shape == (400, 0)
    assert ends([7.0], 14)[1] > 0  # one day seen is all there is


def test_many_senders_share_their_weeks_and_keep_their_own_present() -> None:
    # A campaign and its forwarder: both or neither.
    burst = np.array([0.0] * 20 + [500.0] + [0.0] * 7)
    unit, day = np.repeat([0, 1], 28), np.tile(np.arange(28), 2)
    sent = np.concatenate([burst, burst / 5])
    mail = forecast.Mail(unit, day, np.zeros(56, np.int64), sent, np.zeros(56), sent)
    found = forecast.refusals(mail, (28, 14), np.ones((forecast.DRAWS, 1)))
    assert np.corrcoef(found[:, 0], found[:, 1])[0, 1] > 0.4


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_the_range_holds_about_as_often_as_it_says(spread: float) -> None:
    # Bursty mail: does the next month fall within the range of this one? Both vary, and the level does not stray.
    random, held = np.random.default_rng(7), []
    for _ in range(150):
        mail = random.poisson(random.gamma(1 / spread, spread * 40, 60)).astype(float)
        low, high = np.quantile(totals(daily(mail[:30].tolist()), 30), [0.05, 0.95])
        held.append(low <= mail[30:].sum() <= high)
    assert 0.6 <= np.mean(held) <= 0.97
