"""The product as its users meet it: reports go in as files, answers come out as JSON.

Everything that depends on the product's own names is in this file. When its JSON changes, this follows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from analysis import regrouping
from analysis.regrouping import Known
from app.commands.loading import identifier
from benchmarks.score.records import answered
from benchmarks.worlds.volume import FIRST, day_of
from benchmarks.worlds.world import World
from warehouse import addresses, dns
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings

KINDS = ("aligned", "misaligned", "forwarded", "spoofing", "unknown")
LATE = 30  # last days of a world, of which it is asked before them who will appear
_FINE = (0, 1, 3)  # found nothing, found something, too little to tell: each comes with an answer
_ADDRESSES = 1_000_000  # the most that `whosends query` gives


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the product says of one source of one domain.

    `spoof` is the probability that it is not the owner's, `passed_on` how many of its messages came from others.
    """

    domain: str
    source_key: str
    name: str
    kind: str
    confidence: float
    spoof: float
    passed_on: int
    first_seen: date
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """All verdicts about a world, the source of each address, and by domain how many senders are still to appear.

    That is asked as of 30 days before the last report, so that it can be compared; empty while no estimate is offered.
    """

    verdicts: tuple[Verdict, ...]
    sources: dict[str, str]
    unseen: dict[str, tuple[float, float]]


def answers(world: World, folder: Path) -> Answers:
    """Let the product read a world's reports and answer. `folder` is empty, and is left with reports and warehouse."""
    reports, warehouse = folder / "reports", folder / "warehouse.duckdb"
    reports.mkdir()
    world.write(reports)
    if load(reports, warehouse) != len(world.reports):
        raise RuntimeError(f"World {world.seed}: not all of {len(world.reports)} reports were stored.")
    name(world, warehouse)
    listed = _run(warehouse, "sources", "--since", str(FIRST), "--until", str(day_of(world.days + 14)))
    found = _run(warehouse, "query", "SELECT source_ip, source_key FROM address", "--limit", str(_ADDRESSES))
    return Answers(
        tuple(_verdict(source) for source in listed["sources"]),
        {row["source_ip"]: row["source_key"] for row in found["rows"]},
        _unseen(world, warehouse) if "unseen" in listed else {},
    )


def _unseen(world: World, warehouse: Path) -> dict[str, tuple[float, float]]:
    """How many legitimate senders of each domain were still to appear, at least and at most."""
    then = _run(warehouse, "sources", "--since", str(FIRST), "--until", str(day_of(world.days - LATE)))
    return {one["domain"]: (float(one["low"]), float(one["high"])) for one in then["unseen"]}


def load(reports: Path, warehouse: Path) -> int:
    """Let the product read a folder of reports; how many it stored."""
    return int(_run(warehouse, "ingest", str(reports))["stored"])


def name(world: World, warehouse: Path) -> None:
    """Tell the warehouse what DNS says of the addresses and of the organisation's names, as a poll does."""
    instant = datetime.combine(day_of(world.days + 1), datetime.min.time())
    seen = sorted(set(world.truth["source_ip"]))
    hosts = (world.hosts[ip] for ip in seen)
    names = {host.ip: Known(host.ptr, host.confirmed if host.ptr else None, instant) for host in hosts}
    with Warehouse(warehouse, WarehouseSettings()).writing() as connection:
        owners = regrouping.to_ask(connection, instant, 1)
        dns.keep(connection, [(one.domain, told) for one in owners for told in answered(world, one)], instant)
        addresses.renew(
            connection, regrouping.regrouped(connection, identifier(), seen, names, instant.date()), instant
        )


def _run(warehouse: Path, *words: str) -> dict[str, Any]:
    """One command of the product, in a process of its own."""
    program = Path(sys.executable).with_name("whosends")
    # An empty configuration, so that the one of whoever runs this does not matter.
    settings = warehouse.with_name("whosends.toml")
    settings.touch()
    where = ("--config", str(settings), "--warehouse", str(warehouse))
    command = (str(program), *where, "--offline", "--json", *words)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode not in _FINE or not ended.stdout:
        raise RuntimeError(f"{words[0]} ended with {ended.returncode}: {ended.stderr or ended.stdout}")
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def _verdict(source: dict[str, Any]) -> Verdict:
    return Verdict(
        domain=source["domain"],
        source_key=source["source_key"],
        name=source["name"],
        kind=source["kind"],
        confidence=source["confidence"],
        spoof=_spoof(source),
        passed_on=source["path"]["passed_on"],
        first_seen=date.fromisoformat(source["first_seen"]),
        evidence=tuple(f"{one['code']} {one['weight']:+.1f}" for one in source["evidence"]),
    )


def _spoof(source: dict[str, Any]) -> float:
    """The probability of spoofing. Where only a kind and its confidence are given, the rest is shared by the others."""
    given = source.get("probabilities")
    if given:
        return float(given["spoofing"])
    confidence = float(source["confidence"])
    if source["kind"] == "spoofing":
        return confidence
    return 0.5 if source["kind"] == "unknown" else (1 - confidence) / 3
