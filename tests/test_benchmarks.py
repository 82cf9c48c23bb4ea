"""What measures the product goes through the product's own doors, and so has to move with them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.warehouse.build import row, xml

ROOT = Path(__file__).parents[1]


def test_the_stages_of_an_ingest_can_be_measured(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.xml").write_bytes(xml(row(), report_id=f"r{number}"))
    command = [sys.executable, "-m", "benchmarks.stages", str(folder), str(tmp_path / "warehouse.duckdb")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    stages = json.loads(ran.stdout.splitlines()[-1])["stages"]
    assert {"read", "inflate", "parse", "rows", "identify", "save: commit"} <= stages.keys()
