"""The score of forecasts: it is made, and its truth is of the world."""

from __future__ import annotations

import polars as pl

from benchmarks.readiness_worlds.__main__ import COLUMNS, lines, scored
from benchmarks.readiness_worlds.experiment import experiments
from benchmarks.worlds.world import world


def test_an_experiment_knows_nothing_of_what_comes_after() -> None:
    found = [one for seed in (1, 3, 6) for one in experiments(world(seed))]
    assert found
    for one in found:
        newest = one.rows["day"].max()
        assert newest is None or newest < one.day  # type: ignore[operator]
        assert set(one.refused) <= set(one.group)


def test_a_score_is_the_same_each_time() -> None:
    rows = scored(3)
    assert rows == scored(3)
    table = list(lines(pl.DataFrame(rows, schema=COLUMNS, orient="row")))
    assert table[0].split()[:2] == ["n", "held"]
