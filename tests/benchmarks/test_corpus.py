"""What is made up for benchmarks stays until nobody needs it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.corpus import UNUSED, Shape, cache_folder, corpus

SMALL = Shape("small", 3, (1, 2))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_folder()


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_one_size_leaves_the_other_and_other_checkouts_alone(cache: Path) -> None:
    first = corpus(SMALL)
    world = cache / "world-10-3-0123456789ab.duckdb"
    world.touch()
    second = corpus(replace(SMALL, reports=2))
    assert first.folder != second.folder
    assert first.folder.is_dir()
    assert world.exists()
    assert corpus(SMALL).manifest == first.manifest


def test_what_nobody_used_for_long_goes_with_what_stands_beside_it(cache: Path) -> None:
    first = corpus(SMALL)
    world = cache / "world-10-3-0123456789ab.duckdb"
    beside = [world.with_name(f"{world.name}{end}") for end in (".lock", ".turnstile")]
    for path in (world, *beside):
        path.touch()
    for path in (world, first.folder, first.folder.with_suffix(".json")):
        age(path, UNUSED + 60)
    second = corpus(replace(SMALL, reports=2))
    assert {path.name for path in cache.iterdir()} == {second.folder.name, f"{second.folder.name}.json"}
