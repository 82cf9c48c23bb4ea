"""Every odd TLS report, failure report and bounce, beside what it must be read as."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.accept import expected_file
from tests.ingest.reports.mailed import CASES, KINDS, cases, mailed

ALL = [case for kind in KINDS for case in cases(kind)]


@pytest.mark.parametrize("case", ALL, ids=[f"{case.parent.name}/{case.stem}" for case in ALL])
def test_case(case: Path) -> None:
    assert mailed(case) == json.loads(expected_file(case).read_text("utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_expected_file_has_its_case(kind: str) -> None:
    assert {expected_file(case) for case in cases(kind)} == set((CASES / kind).glob("*.expected.json"))


@pytest.mark.parametrize("kind", KINDS)
def test_cases_are_numbered_without_gaps(kind: str) -> None:
    assert [int(case.name[:3]) for case in cases(kind)] == list(range(1, len(cases(kind)) + 1))
