"""The reference pages say what the program says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["cli.md", "settings.md", "schema.md", "services.md"])
def test_the_page_is_up_to_date(page: str) -> None:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    assert spec
    assert spec.loader
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    written = (DOCS / page).read_text("utf-8")
    assert written == reference.PAGES[page](), f"run: {Path(sys.executable).name} docs/reference.py"
