"""Since when mail comes as it comes now, and whether it grows."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.level import GROWTH, level


def found(messages: list[float]) -> tuple[int, float, float]:
    """The likeliest day on which the present began, how likely it is that there was a turn, and the slope."""
    one = level(np.array([messages]))
    assert one.began.sum() == pytest.approx(1.0)
    return int(one.began[0].argmax()), float(1 - one.began[0, 0]), float(one.slope[0])


def test_even_mail_never_turned_and_does_not_grow() -> None:
    day, turned, slope = found(np.random.default_rng(1).poisson(200, 28).astype(float).tolist())
    assert (day, abs(slope) < 0.002) == (0, True)
    assert turned < 0.2


@pytest.mark.parametrize(("before", "after"), [(0.0, 50.0), (50.0, 0.0), (200.0, 900.0)])
def test_a_turn_is_found_on_its_day(before: float, after: float) -> None:
    day, turned, _ = found([before] * 19 + [after] * 9)
    assert abs(day - 19) <= 1
    assert turned > 0.9


def test_weekends_and_newsletters_are_no_turns() -> None:
    office = [100.0, 110.0, 108.0, 99.0, 95.0, 8.0, 5.0] * 4
    newsletter = ([0.0, 3000.0, 40.0, 0.0, 0.0, 0.0, 0.0] * 4)[:28]
    bursts = [0.0] * 28
    bursts[5], bursts[6], bursts[24] = 900.0, 700.0, 1100.0
    for mail in (office, newsletter, bursts):
        assert found(mail)[1] < 0.5


def test_growth_is_told_by_much_mail_and_hardly_by_little() -> None:
    much = found([400 * 1.02**day for day in range(28)])[2]
    little = found([2 * 1.02**day for day in range(28)])[2]
    assert much == pytest.approx(0.02, abs=0.005)
    assert 0 <= little < much / 2


def test_a_few_days_tell_nothing() -> None:
    one = level(np.array([[5.0, 900.0, 3.0]]))
    assert one.began.tolist() == [[1.0, 0.0, 0.0]]
    assert (one.slope.tolist(), one.doubt.tolist()) == ([0.0], [GROWTH])
    assert level(np.zeros((0, 28))).began.shape == (0, 28)
