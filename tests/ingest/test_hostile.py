"""Hostile messages end in time, in little memory, and with a reason. Each is read in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ingest.hostile import ATTACKS

SECONDS = 5.0
MEBIBYTES = 200.0

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, object]]:
    """All attacks at once, each forked from one process that has imported everything."""
    command = [sys.executable, "-m", "tests.ingest.hostile_reader"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert finished.returncode == 0, finished.stderr
    return {one["name"]: one for one in map(json.loads, finished.stdout.splitlines())}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, measured: dict[str, dict[str, object]]) -> None:
    result = measured[name]
    expected = ATTACKS[name][1]
    assert result["crash"] is None
    assert result["reasons"] or not expected
    assert {*result["reasons"]} <= {*expected} or not expected  # type: ignore[misc]
    assert "unexpected" not in result["reasons"]  # type: ignore[operator]
    assert float(str(result["seconds"])) < SECONDS
    assert float(str(result["mebibytes"])) < MEBIBYTES
