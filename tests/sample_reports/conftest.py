from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sample_reports.reading import Read, documents, read

FOLDER = Path(__file__).parents[2] / "sample_reports"


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    known: dict[str, Any] = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))
    return known


@pytest.fixture(scope="session")
def by_file(truth: dict[str, Any]) -> dict[str, list[Read]]:
    """What the independent reader finds in every file that is not broken."""
    return {
        entry["path"]: [read(document) for document in documents(FOLDER / entry["path"])]
        for entry in truth["files"]
        if entry.get("reason") != "truncated" and "kind" not in entry
    }


@pytest.fixture(scope="session")
def reports(truth: dict[str, Any], by_file: dict[str, list[Read]]) -> list[Read]:
    """Every report that counts, once."""
    found: dict[tuple[str, str, str], Read] = {}
    for entry in truth["files"]:
        if entry["outcome"] == "stored" and "kind" not in entry:
            for report in by_file[entry["path"]]:
                found.setdefault(report.identity, report)
    return list(found.values())
