"""How long the command line takes to begin, beside Python itself."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.corpus import Shape, corpus
from benchmarks.measure import Cost, child, command_cost
from benchmarks.tables import Document, milliseconds


def startup(document: Document, times: int) -> None:
    """Write what each of a few commands costs from its start to its end."""
    whosends = Path(sys.executable).with_name("whosends")
    made = corpus(Shape("startup", 200, (1, 8)))
    with tempfile.TemporaryDirectory() as scratch:
        warehouse = Path(scratch) / "warehouse.duckdb"
        child("readers.whosends", made.folder, warehouse, "keep")
        commands: dict[str, list[str | Path]] = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "whosends --help": [whosends, "--help"],
            "whosends query": [whosends, "--warehouse", warehouse, "query", "SELECT 1"],
            "whosends status": [whosends, "--warehouse", warehouse, "status"],
        }
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for round_ in range(times + 1):
            for name, command in commands.items():
                cost = command_cost(command)
                if round_:
                    costs[name].append(cost)
    document.section(
        "Start-up",
        f"Whole commands over a warehouse of {made.manifest.reports} reports, median of {times} in turn, in",
        "milliseconds; `bare` is how much more than Python itself.",
    )
    bare = median(cost.cpu for cost in costs["python -c pass"])
    rows = []
    for name, found in costs.items():
        cpu, wall = median(cost.cpu for cost in found), median(cost.wall for cost in found)
        rows.append((name, milliseconds(cpu), milliseconds(min(c.cpu for c in found)), milliseconds(wall),
                     milliseconds(cpu - bare)))  # fmt: skip
    document.table(("Command", "processor", "least", "wall", "over bare"), rows)
