"""`python -m benchmarks.readiness_worlds`: do nine of ten ranges hold what receivers then refuse?

Worlds 1 to 1999 are for tuning `analysis.level` and `analysis.outlook.STRAYS`, 2000 and above for scores.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date

import polars as pl

from analysis.outlook import GROUPS, draws, limits
from analysis.rejudge import Situation, judged
from benchmarks.readiness_worlds.experiment import AFTER, BEFORE, Experiment, experiments
from benchmarks.worlds.world import world

LEAST = 10  # messages refused, or expected to be, from which a source is worth scoring
COLUMNS = {
    "seed": pl.Int64, "what": pl.String, "group": pl.String, "low": pl.Int64, "expected": pl.Int64, "high": pl.Int64,
    "actual": pl.Int64,
}  # fmt: skip


def scored(seed: int) -> list[tuple[object, ...]]:
    """The rows of one world: for each group of a domain, and for each source, the range and what came."""
    return [row for one in experiments(world(seed)) for row in _rows(one)]


def _rows(one: Experiment) -> Iterator[tuple[object, ...]]:
    told = judged(one.rows, one.seen, Situation(one.domain, one.candidate))
    told = told.with_columns(group=pl.col("source_key").replace_strict(one.group))
    first = one.rows["day"].min()
    assert isinstance(first, date)
    drawn = draws(told, one.enforced, (first, BEFORE, AFTER))
    totals = limits(drawn.group)
    actual: dict[str, int] = {}
    for key, messages in one.refused.items():
        actual[one.group[key]] = actual.get(one.group[key], 0) + messages
    for group in GROUPS:
        if group in totals:
            yield (one.seed, "group", group, *totals[group], actual.get(group, 0))
        elif actual.get(group, 0) >= LEAST:
            yield (one.seed, "unheard of", group, 0, 0, 0, actual[group])
    for key, (low, expected, high) in limits(drawn.source).items():
        if max(expected, one.refused.get(key, 0)) >= LEAST:
            yield (one.seed, "source", one.group[key], low, expected, high, one.refused.get(key, 0))


def lines(rows: pl.DataFrame) -> Iterator[str]:
    """The table: coverage, bias of the middle, and the width of ranges against what came."""
    held = (pl.col("low") <= pl.col("actual")) & (pl.col("actual") <= pl.col("high"))
    width = (pl.col("high") - pl.col("low")) / pl.max_horizontal("actual", "expected", 1)
    table = (
        rows.group_by("what", "group")
        .agg(
            pl.len().alias("n"),
            held=held.mean(),
            below=(pl.col("actual") < pl.col("low")).mean(),
            above=(pl.col("actual") > pl.col("high")).mean(),
            bias=pl.col("expected").sum() / pl.col("actual").sum() - 1,
            miss=((pl.col("expected") - pl.col("actual")).abs() / pl.max_horizontal("actual", "expected", 1)).median(),
            width=width.median(),
        )
        .sort("what", "group")
    )
    yield f"{'':12}{'':14}{'n':>6}{'held':>8}{'below':>8}{'above':>8}{'bias':>8}{'miss':>8}{'width':>8}"
    for row in table.iter_rows(named=True):
        shares = "".join(f"{100 * row[name]:7.1f}%" for name in ("held", "below", "above", "bias", "miss", "width"))
        yield f"{row['what']:12}{row['group']:14}{row['n']:6}{shares}"
    for what in ("group", "source"):
        all_of = rows.filter(pl.col("what") == what)
        yield f"{what:12}{'all':14}{all_of.height:6}{100 * float(all_of.select(held.mean()).item() or 0):7.1f}%"


def main(arguments: Sequence[str] | None = None) -> None:
    """Score some worlds and print it."""
    parser = argparse.ArgumentParser("benchmarks.readiness_worlds", description=__doc__)
    parser.add_argument("--worlds", type=int, default=300, help="how many (default 300)")
    parser.add_argument("--first-seed", type=int, default=2000, help="2000 and above: scores; 1 to 1999: for tuning")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    asked = parser.parse_args(arguments)
    seeds, started = range(asked.first_seed, asked.first_seed + asked.worlds), time.monotonic()
    with ProcessPoolExecutor(asked.jobs) as pool:
        found = [row for part in pool.map(scored, seeds, chunksize=5) for row in part]
    print("\n".join(lines(pl.DataFrame(found, schema=COLUMNS, orient="row"))))
    print(f"\nWorlds {seeds[0]} to {seeds[-1]} in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
