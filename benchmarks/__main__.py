"""`python -m benchmarks`, or `make bench`: measure everything, print it, and write docs/performance.md."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bulk
from benchmarks.growth import growth
from benchmarks.growth import world as of_size
from benchmarks.measure import ROOT, Clock
from benchmarks.queries import ASKED, queries
from benchmarks.startup import commands, pages
from benchmarks.tables import Document, machine

MILLION = 1_000_000
PAGE = ROOT / "docs" / "performance.md"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    sizes: bulk.Sizes
    growth: tuple[int, ...]
    batches: int
    queries: tuple[int, ...]
    patience: float  # seconds after which the answers about a domain, or all, are given up
    starts: int
    asked: tuple[str, ...] = tuple(ASKED)


QUICK = Plan(bulk.QUICK, (0, MILLION // 10), 1, (MILLION // 10,), 60.0, 1, ("middling domain",))
USUAL = Plan(bulk.USUAL, (0, MILLION, 10 * MILLION), 3, (10 * MILLION,), 600.0, 7)
FULL = Plan(bulk.FULL, (0, MILLION, 10 * MILLION, 100 * MILLION), 5, (10 * MILLION, 100 * MILLION), 3600.0, 15)


def _bulk(document: Document, plan: Plan) -> None:
    made = bulk.against(document, plan.sizes)
    bulk.waterfall(document, made)


def _queries(document: Document, plan: Plan) -> None:
    for size in plan.queries:
        queries(document, of_size(size), plan.patience, plan.asked)


PARTS: dict[str, Callable[[Document, Plan], None]] = {
    "bulk": _bulk,
    "disk": lambda document, plan: bulk.on_disk(document, plan.sizes),
    "growth": lambda document, plan: growth(document, plan.growth, plan.batches),
    "queries": _queries,
    "commands": lambda document, plan: commands(document, plan.starts),
    "pages": lambda document, _: pages(document),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what whosends costs.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="within a minute; writes nothing unless --out is given")
    size.add_argument("--full", action="store_true", help="a hundred million records too; takes an hour")
    parser.add_argument(
        "--only", choices=PARTS, nargs="+", help="these parts alone; writes nothing unless --out is given"
    )
    parser.add_argument("--out", type=Path, help="file to write to; else docs/performance.md")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL if options.full else USUAL
    command = "make bench" + (' ARGS="--full"' if options.full else "")
    document, clock = Document(), Clock()
    document.say("# Performance", "", f"Written by `{command}`; benchmarks/README.md says how it measures.", "")
    document.say(*machine())
    for name in options.only or PARTS:
        PARTS[name](document, plan)
    print(f"({clock.read().wall:.0f} s)")
    out = options.out or (None if options.quick or options.only else PAGE)
    if out:
        document.write(out)


if __name__ == "__main__":
    main()
