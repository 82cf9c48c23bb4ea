"""The scores of `python -m benchmarks.drift_worlds` do not fall unnoticed: a few worlds, generous bounds."""

from __future__ import annotations

from benchmarks.drift_worlds.alarms import product, week_over_week
from benchmarks.drift_worlds.reporters import DAYS
from benchmarks.drift_worlds.score import Score, plain, share
from benchmarks.drift_worlds.world import world


def test_much_is_found_and_little_is_claimed() -> None:
    ours, usual = Score(), Score()
    for seed in range(12):
        made = world(seed)
        ours.add(made, product(made.known(DAYS)))
        usual.add(made, week_over_week(made.known(DAYS)))
    assert share([outcome.off is not None for outcome in ours.outcomes]) > 0.75
    assert share([outcome.off is not None for outcome in ours.of(plain)]) > 0.9
    assert ours.false * 200 / ours.source_months < 2
    assert usual.false > 20 * max(1, ours.false)


def test_a_world_is_the_same_each_time() -> None:
    one, other = world(3), world(3)
    assert one.frame.equals(other.frame)
    assert one.events == other.events
