"""`python -m benchmarks.fit`: fit the weights of a verdict's terms to tuning worlds, and write them as a table.

A source's mail may be of several people: its shares are what is fitted. A source counts by the square root of
its messages, so that neither a botnet's thousand machines nor one newsletter decides alone. Every fifth world
is kept back; on those the temperature is found with which the probabilities are calibrated.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from analysis.term import WHOSE
from analysis.terms import TERMS, amounts
from benchmarks.fit.rows import LAST_TUNING, rows
from benchmarks.fit.softmax import Floats, fit, loss, probabilities

TARGET = Path(__file__).resolve().parents[2] / "analysis" / "weights.py"
HEAD = '''"""Weights of the terms of a verdict, in log-odds: for ours, forwarded, spoofing (term.WHOSE).

Written by `{command}` on {day}; not by hand.
{sources:,} sources in {worlds} worlds of benchmarks/worlds. Log-loss {fitted:.4f} on the worlds that were
fitted, {kept:.4f} on the {back} that were kept back.
"""

from __future__ import annotations

TEMPERATURE = {temperature}

PRIOR = {prior}

WEIGHTS = {{
'''


def main() -> None:
    """Make or read the rows, fit, write."""
    asked = _arguments()
    seeds = range(asked.first_seed, asked.first_seed + asked.worlds)
    if not 0 < seeds[0] <= seeds[-1] <= LAST_TUNING:
        raise SystemExit(f"Worlds 1 to {LAST_TUNING} are for tuning; the others are for scores.")
    table = pl.read_parquet(asked.rows) if asked.rows else rows(seeds, asked.keep, asked.jobs)
    TARGET.write_text(_fitted(table, asked), "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks.fit", description=__doc__)
    parser.add_argument("--worlds", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them (default 1)")
    parser.add_argument("--penalty", type=float, default=1e-4, help="of squared weights (default 0.0001)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the worlds' warehouses there for next time")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="take the counted rows from this Parquet file")
    return parser.parse_args()


def _fitted(table: pl.DataFrame, asked: argparse.Namespace) -> str:
    ours = (pl.col("t_aligned") + pl.col("t_misaligned")).alias("t_ours")
    messages = table.with_columns(ours).select(f"t_{whose}" for whose in WHOSE).to_numpy().astype(np.float64)
    total = messages.sum(axis=1)
    known = total > 0
    found, shares = amounts(table).to_numpy()[known], messages[known] / total[known, None]
    weight, back = 1 + np.sqrt(total[known]), table["seed"].to_numpy()[known] % 5 == 0
    bounds = _bounds()
    weights, prior, fitted = fit(found[~back], shares[~back], weight[~back], asked.penalty, bounds)
    losses = {
        one: loss(probabilities(found[back], weights / one, prior / one), shares[back], weight[back])
        for one in np.round(np.arange(0.8, 2.51, 0.05), 2).tolist()
    }
    temperature = min(losses, key=losses.__getitem__)
    # The table is fitted to all worlds, with the temperature that those kept back asked for.
    weights, prior, _ = fit(found, shares, weight, asked.penalty, bounds)
    head = HEAD.format(
        command=f"python -m benchmarks.fit --worlds {asked.worlds} --first-seed {asked.first_seed}",
        day=datetime.now(UTC).date(), sources=len(found), worlds=table["seed"].n_unique(), fitted=fitted,
        kept=losses[temperature], back=len(set(table["seed"].filter(table["seed"] % 5 == 0))),
        temperature=temperature, prior=_row(prior),
    )  # fmt: skip
    lines = [f'    "{term.code}": {_row(row)},' for term, row in zip(TERMS, weights, strict=True)]
    return head + "\n".join(lines) + "\n}\n"


def _bounds() -> tuple[Floats, Floats]:
    low = np.array([[0.0 if whose in term.pro.split() else -np.inf for whose in WHOSE] for term in TERMS])
    high = np.array([[-term.least if whose in term.con.split() else np.inf for whose in WHOSE] for term in TERMS])
    return low, high


def _row(values: Floats) -> str:
    return f"({', '.join(f'{value:.2f}' for value in values)})"


if __name__ == "__main__":
    main()
