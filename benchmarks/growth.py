"""What a batch costs in warehouses of several sizes: `python -m benchmarks.growth BATCHES RECORDS...` as a child."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from app.commands.loading import identify
from benchmarks.corpus import SEED, Shape, corpus
from benchmarks.measure import Clock, Cost, child, tell, timed
from benchmarks.tables import Document, milliseconds
from benchmarks.watched import Ledger, WatchedWarehouse
from benchmarks.world import World, copied
from ingest.inputs.base import Cursors, Message, Position
from ingest.inputs.files import FileInput
from ingest.outcome import Outcome
from ingest.reading import PRIVATE, read
from ingest.settings import UnpackLimits
from warehouse import melting
from warehouse.load import Loader, load
from warehouse.settings import WarehouseSettings

LIMITS = UnpackLimits()
BATCH = 20_000
REPORTS = 2200  # of about nine records each
MELTED = 40  # turns of melting that are timed
AFTER = 60  # days after the corpus's first, beyond the last day of the warehouses


def world(records: int) -> World:
    """The warehouse with so many records; smaller ones have fewer domains, not emptier reports."""
    return World(records, max(5, min(300, records * 300 // 10_000_000)))


@dataclass
class Poll:
    """A mailbox that has one batch of new mail, which it marks once it is stored."""

    messages: Sequence[Message]
    name: str = "main"
    acts: bool = True
    remote: bool = True

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """The batch."""
        yield self.messages

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Marking costs the mail server, not us."""

    def redo(self, owed: Sequence[Position]) -> None:
        """Nothing is left over."""


@dataclass
class Grown:
    """A warehouse, and what each batch cost in it: the whole, and by statement."""

    target: WatchedWarehouse
    whole: list[Cost] = field(default_factory=list)
    parts: list[dict[str, Cost]] = field(default_factory=list)

    def take(self, batch: Sequence[Message]) -> int:
        """Load a batch, as a poll does; how many records it brought."""
        self.target.ledger = Ledger()
        loader = Loader(self.target, LIMITS, identify, lambda: datetime.now(UTC))
        clock = Clock()
        summary = load(Poll(batch), loader)
        self.whole.append(clock.read())
        self.parts.append(self.target.ledger.costs)
        return summary.records


def batches(count: int) -> Iterator[list[Message]]:
    """Batches of reports about a few days each, one after the other, already parsed once."""
    for number in range(count):
        made = corpus(Shape(f"batch{number}", REPORTS, (2, 24), start=AFTER + 3 * number, days=3, seed=SEED + number))
        found = [message for batch in FileInput([made.folder], LIMITS).fetch({}) for message in batch]
        for message in found:
            read(message, LIMITS, PRIVATE)
        yield [
            Message(one.raw, one.origin, one.size, one.received_at, Position("main", "INBOX", 1, number * 10**5 + n))
            for n, one in enumerate(found)
        ]


def main(sizes: Sequence[int], count: int) -> None:
    """Load the same batches into each warehouse in turn; the first one warms up."""
    with tempfile.TemporaryDirectory() as scratch:
        grown = []
        for size in sizes:
            folder = Path(scratch) / str(size)
            folder.mkdir()
            path = copied(world(size), folder).path if size else folder / "warehouse.duckdb"
            grown.append(Grown(WatchedWarehouse(path, WarehouseSettings())))
        records = [max([one.take(batch) for one in grown]) for batch in batches(count + 1)]
        turns = [_melted(one) for one in grown]
    tell(
        sizes=sizes,
        records=records[1:],
        cpu=[[cost.cpu for cost in one.whole[1:]] for one in grown],
        wall=[[cost.wall for cost in one.whole[1:]] for one in grown],
        parts=[_parts(one) for one in grown],
        turns=turns,
    )


def _parts(one: Grown) -> dict[str, float]:
    names = dict.fromkeys(name for costs in one.parts[1:] for name in costs)
    nothing = Cost(0.0, 0.0)
    return {name: median(costs.get(name, nothing).cpu for costs in one.parts[1:]) for name in names}


def _melted(one: Grown) -> list[float]:
    """Melt what is due after the batches, as if nothing had been melted before; the wall seconds of each turn."""
    one.target.ledger = Ledger()
    with one.target.writing() as connection:
        pieces = melting.due(connection, everything=True)
    return [timed(partial(melting.melt, one.target, [piece]))[0].wall for piece in pieces[-MELTED:]]


def growth(document: Document, sizes: Sequence[int], count: int) -> None:
    """Write the curve, and which statement bends it."""
    found = child("growth", count, *sizes)
    per = median(found["records"])
    document.section(
        "Growth",
        f"A batch of {per:,.0f} records ({REPORTS:,} reports as files, a few days' worth) into warehouses of several",
        "sizes, as a poll loads it: run, parse, dedupe, records, rollup, documents, cursor, commit, file opened and",
        f"closed. Milliseconds of processor time, median of {count}; the same batches in turn.",
    )
    names = [f"{size:,} records" for size in sizes]
    document.table(("Batch", *names), _curve(found))
    parts = found["parts"]
    steps = sorted(dict.fromkeys(name for one in parts for name in one), key=lambda n: -parts[-1].get(n, 0.0))
    rows = [(name, *(milliseconds(one.get(name, 0.0)) for one in parts)) for name in steps]
    document.table(("Statement", *names), [row for row in rows if any(float(v.replace(",", "")) >= 1 for v in row[1:])])


def _curve(found: dict[str, Any]) -> list[tuple[str, ...]]:
    middle = [median(costs) for costs in found["cpu"]]
    return [
        ("processor", *map(milliseconds, middle)),
        ("least", *(milliseconds(min(costs)) for costs in found["cpu"])),
        ("wall clock", *(milliseconds(median(costs)) for costs in found["wall"])),
        ("times the first", *(f"{cost / middle[0]:.2f}" for cost in middle)),
        ("turns to melt a rollup, longest", *(milliseconds(max(turns)) for turns in found["turns"])),
        ("median", *(milliseconds(median(turns)) for turns in found["turns"])),
    ]


if __name__ == "__main__":
    main([int(size) for size in sys.argv[2:]], int(sys.argv[1]))
