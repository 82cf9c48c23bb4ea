"""`python -m benchmarks.score`: make worlds, let the product answer, compare."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import polars as pl

from benchmarks.score.judged import judged
from benchmarks.score.product import answers
from benchmarks.score.report import lines
from benchmarks.worlds.world import world


def main() -> None:
    """Score some worlds and print it."""
    asked = _arguments()
    seeds = range(asked.first_seed, asked.first_seed + (5 if asked.quick else asked.worlds))
    started = time.monotonic()
    rows = pl.concat(_scored(seeds, asked.jobs))
    if asked.rows:
        rows.write_parquet(asked.rows)
    print("\n".join(lines(rows)))
    print(f"\nWorlds {seeds[0]} to {seeds[-1]} in {time.monotonic() - started:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks.score", description=__doc__)
    parser.add_argument("--worlds", type=int, default=50, help="how many (default 50)")
    parser.add_argument("--first-seed", type=int, default=1000, help="1000 and above: scores; 1 to 200: for tuning")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--quick", action="store_true", help="five worlds")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="keep truth and verdicts, as Parquet")
    return parser.parse_args()


def _scored(seeds: range, jobs: int) -> Iterator[pl.DataFrame]:
    with ProcessPoolExecutor(jobs) as pool:
        for number, rows in enumerate(pool.map(_score, seeds), start=1):
            print(
                f"\r{number} of {len(seeds)} worlds",
                end="\n" if number == len(seeds) else "",
                file=sys.stderr,
                flush=True,
            )
            yield rows


def _score(seed: int) -> pl.DataFrame:
    made = world(seed)
    with tempfile.TemporaryDirectory(prefix="world-") as folder:
        return judged(made, answers(made, Path(folder)))


if __name__ == "__main__":
    main()
