"""`python -m benchmarks.drift_worlds [FIRST [COUNT]]`: the scores on worlds FIRST to FIRST + COUNT - 1."""

from __future__ import annotations

import sys
import time

from benchmarks.drift_worlds.alarms import fixed_windows, product, week_over_week
from benchmarks.drift_worlds.reporters import DAYS
from benchmarks.drift_worlds.score import SOON, Score, plain, told
from benchmarks.drift_worlds.world import world

WAYS = {
    "whosends": product,
    "5 points, week over week": week_over_week,
    "z-test, 7 days against 28": fixed_windows,
}


def main(first: int = 2000, count: int = 50) -> None:
    """Print the scores of each way."""
    scores, seconds = {name: Score() for name in WAYS}, dict.fromkeys(WAYS, 0.0)
    for seed in range(first, first + count):
        made = world(seed)
        mornings = sorted({e.reported + SOON for e in made.events if plain(e) and told(e)} & set(range(DAYS)))
        for name, way in WAYS.items():
            started = time.perf_counter()
            alarms = way(made.known(DAYS))
            seconds[name] += time.perf_counter() - started
            scores[name].add(made, alarms, {day: way(made.known(day), day) for day in mornings})
    for name, score in scores.items():
        print(f"{name} (worlds {first} to {first + count - 1}, {seconds[name]:.1f} s)")
        print("\n".join(score.lines()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
