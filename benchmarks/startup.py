"""How long the command line takes to begin, beside Python itself, and every command that reads over the sample."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import pages as opening
from benchmarks.measure import ROOT, Cost, command_cost
from benchmarks.tables import Document, milliseconds

WHOSENDS = Path(sys.executable).with_name("whosends")
READING = (
    "query SELECT_1", "config show", "services list", "audit", "status", "findings", "sources", "selectors", "drift",
    "changes", "readiness northlight.example", "report weekly", "reporters", "tls", "failures", "bounces",
    "quarantine list", "doctor --offline",
)  # fmt: skip


@contextmanager
def demonstration() -> Iterator[Path]:
    """The demonstration's warehouse."""
    with tempfile.TemporaryDirectory() as scratch:
        warehouse = Path(scratch) / "sample.duckdb"
        subprocess.run(
            [WHOSENDS, "--warehouse", warehouse, "-q", "demo", "--no-serve"],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        yield warehouse


def pages(document: Document) -> None:
    """Write when the pages of the app are there."""
    with demonstration() as warehouse:
        opening.pages(document, warehouse)


def commands(document: Document, times: int) -> None:
    """Write what each command costs from its start to its end."""
    with demonstration() as warehouse:
        _commands(document, warehouse, times)


def _commands(document: Document, warehouse: Path, times: int) -> None:
    asked: dict[str, list[str | Path]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "whosends --help": [WHOSENDS, "--help"],
    }
    for name in READING:
        words = [word.replace("_", " ") for word in name.split()]
        asked[f"whosends {' '.join(words)}"] = [WHOSENDS, "--warehouse", warehouse, *words]
    costs: dict[str, list[Cost]] = {name: [] for name in asked}
    for round_ in range(times + 1):
        for name, command in asked.items():
            cost = command_cost(command)
            if round_:
                costs[name].append(cost)
    document.section(
        "Commands",
        f"Whole commands over the demonstration's warehouse (`whosends demo`), {times} of each in turn, in",
        "milliseconds: median and least of the processor's time and of the clock on the wall. `over bare` is how much",
        "more the least is than Python itself.",
    )
    bare = min(cost.cpu for cost in costs["python -c pass"])
    rows = []
    for name, found in costs.items():
        cpu, wall = [cost.cpu for cost in found], [cost.wall for cost in found]
        figures = (median(cpu), min(cpu), median(wall), min(wall), min(cpu) - bare)
        rows.append((name, *(milliseconds(figure) for figure in figures)))
    document.table(("Command", "processor", "least", "wall", "least wall", "over bare"), rows)
