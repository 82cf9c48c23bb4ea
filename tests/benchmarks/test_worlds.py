"""Invented organisations: the same number makes the same bytes, and the truth counts what the reports tell."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from benchmarks.worlds.services import catalogue
from benchmarks.worlds.world import world

SEED = 5


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def test_a_number_makes_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    world(SEED).write(here)
    # Another order of sets and dictionaries by hash must not matter.
    program = "import sys; from pathlib import Path; from benchmarks.worlds.world import world\n"
    program += f"world({SEED}).write(Path(sys.argv[1]))"
    changed = {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", program, str(there)], env=changed, check=True)
    assert any(here.iterdir())
    assert digest(here) == digest(there)


@pytest.mark.parametrize("seed", [SEED, 16])
def test_the_truth_counts_what_the_reports_tell(seed: int, tmp_path: Path) -> None:
    made = world(seed)
    made.write(tmp_path)
    told: Counter[tuple[str, str, bool]] = Counter()
    for path in tmp_path.iterdir():
        report = ElementTree.fromstring(path.read_text("utf-8"))
        domain = report.findtext("{*}policy_published/{*}domain")
        for record in report.iterfind("{*}record"):
            results = {record.findtext(f"{{*}}row/{{*}}policy_evaluated/{{*}}{name}") for name in ("dkim", "spf")}
            key = (str(domain), str(record.findtext("{*}row/{*}source_ip")), "pass" in results)
            told[key] += int(str(record.findtext("{*}row/{*}count")))
    true: Counter[tuple[str, str, bool]] = Counter()
    for row in made.truth.iter_rows(named=True):
        true[row["domain"], row["source_ip"], row["aligned"]] += row["messages"]
    assert told == true
    assert told.total() > 1000


def test_what_stands_in_a_world_hangs_together() -> None:
    made = world(SEED)
    assert set(made.truth["stream"]) <= set(made.streams)
    assert set(made.truth["source_ip"]) <= set(made.hosts)
    assert set(made.truth["domain"]) <= {domain.name for domain in made.organisation.domains}
    # An address is one operator's, unless it is rented out to forgers through a service.
    spoofs = {key for key, stream in made.streams.items() if not stream.legitimate}
    owners: dict[str, set[str]] = {}
    for ip, stream in zip(made.truth["source_ip"], made.truth["stream"], strict=True):
        owners.setdefault(ip, set()).add(made.streams[stream].operator)
    behind_filters = {stream.operator for stream in made.streams.values() if stream.style == "deliver"}
    assert not [ip for ip, names in owners.items() if len(names - behind_filters - spoofs) > 1]


def test_a_turn_is_seen_in_the_mail() -> None:
    made = world(34)
    (turn,) = made.turns
    mail = made.truth.filter(pl.col("stream") == turn.stream)
    for is_after, aligns in ((False, turn.before), (True, turn.after)):
        # Reports over several days may hold both.
        far = mail.filter(pl.col("day") >= turn.day if is_after else pl.col("day") < turn.day - 7)
        share = far.filter("aligned")["messages"].sum() / far["messages"].sum()
        assert share > 0.9 if aligns else share < 0.1


def test_the_catalogue_is_large_and_complete() -> None:
    services = catalogue().values()
    assert len(services) >= 40
    assert not [one.name for one in services if not one.networks or not one.ptr]
