"""The same seed gives the same reports; and what is committed is what the generator writes."""

from __future__ import annotations

import zlib
from datetime import date
from pathlib import Path

import pytest

from sample_reports.generate import DEFAULT_SEED, generate, main
from sample_reports.timeline import timeline
from tests.sample_reports.reading import documents

# Compressors differ in their bytes (zlib-ng, for one); the committed files were made with the usual zlib.
PROBE = b"".join(b"<source_ip>192.0.2.%d</source_ip>" % (n * n % 251) for n in range(400))
USUAL_ZLIB = zlib.crc32(zlib.compress(PROBE, 9)) == 4223329644


def contents(folder: Path) -> dict[str, bytes]:
    found = [*folder.glob("mail/*"), *folder.glob("files/*"), folder / "truth.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def told(path: Path) -> list[bytes]:
    try:
        return documents(path)
    except EOFError:  # the one that breaks off
        return []


def test_twice_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        generate(tmp_path / name, 7, timeline(date(2026, 11, 22), 6))
    first = contents(tmp_path / "first")
    assert first == contents(tmp_path / "second")
    assert len(first) > 50


def test_another_seed_gives_other_reports(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate(tmp_path / str(seed), seed, timeline(date(2026, 11, 22), 3))
    assert contents(tmp_path / "1") != contents(tmp_path / "2")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fresh")
    generate(out, DEFAULT_SEED, timeline())
    return out


def test_committed_truth_and_file_names_are_fresh(fresh: Path, folder: Path) -> None:
    assert (fresh / "truth.json").read_text() == (folder / "truth.json").read_text()
    assert contents(fresh).keys() == contents(folder).keys()


def test_committed_files_are_fresh(fresh: Path, folder: Path) -> None:
    ours, theirs = contents(fresh), contents(folder)
    differing = [path for path in ours if ours[path] != theirs[path]]
    if not USUAL_ZLIB:
        differing = [path for path in differing if told(fresh / path) != told(folder / path)]
    assert differing == []


def test_what_an_earlier_run_left_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "old.eml").write_bytes(b"old")
    main(["--out", str(tmp_path), "--days", "1", "--seed", "3", "--end", "2026-03-01"])
    assert not (tmp_path / "mail" / "old.eml").exists()
    assert str(tmp_path) in capsys.readouterr().out


def test_a_period_has_at_least_one_day() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        timeline(days=0)


def test_small_enough_to_be_committed(folder: Path) -> None:
    assert sum(len(content) for content in contents(folder).values()) < 8_000_000
