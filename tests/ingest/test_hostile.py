"""Hostile messages end as they should, in time and in little memory. Each is read in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.outcome import Reason
from tests.ingest.hostile import ATTACKS
from tests.ingest.hostile_fields import FIELDS
from tests.ingest.hostile_mail import NOT_A_REPORT, STORED

SECONDS = 5.0  # of the processor, so that a busy machine does not change the answer
MEBIBYTES = 300.0

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, object]]:
    """All attacks at once, each forked from one process that has imported everything."""
    command = [sys.executable, "-m", "tests.ingest.hostile_reader"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=290, check=False)
    assert finished.returncode == 0, finished.stderr
    return {one["name"]: one for one in map(json.loads, finished.stdout.splitlines())}


def test_there_are_many_and_each_has_an_expected_end() -> None:
    assert len(ATTACKS) >= 150
    assert len(FIELDS) >= 80
    known = {*Reason, *STORED, *NOT_A_REPORT} - {Reason.UNEXPECTED}
    assert all(expected and set(expected) <= known for _, expected in ATTACKS.values())


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, measured: dict[str, dict[str, object]]) -> None:
    result = measured[name]
    assert result["crash"] is None
    assert result["ended"] in ATTACKS[name][1]
    assert float(str(result["seconds"])) < SECONDS
    assert float(str(result["mebibytes"])) < MEBIBYTES
