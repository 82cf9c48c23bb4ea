"""Where the time of a bulk ingest goes: `python -m benchmarks.stages FOLDER WAREHOUSE`, a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.commands.loading import identify
from app.without import without
from benchmarks.measure import tell
from benchmarks.watched import Ledger, WatchedWarehouse
from ingest.alignment import organizational_domain
from ingest.inputs.base import Message
from ingest.inputs.files import FileInput
from ingest.message import Budget, documents
from ingest.reading import Privacy
from ingest.reports.aggregate import parse
from ingest.settings import UnpackLimits
from ingest.sniff import kind
from ingest.unpack import unpack
from warehouse import runs, settle
from warehouse.instants import naive
from warehouse.load import commits
from warehouse.packing import document_hash, packed
from warehouse.portion import How, Portion, portions, tuned
from warehouse.rollup import ROLLUPS
from warehouse.rows import Arrived, staged
from warehouse.settings import WarehouseSettings
from warehouse.terms import Terms

LIMITS = UnpackLimits()
SAVE = {
    "INSERT INTO aggregate_report": "save: reports",
    "INSERT INTO aggregate_record": "save: records",
    **{f"INSERT INTO {name}": "save: rollups" for one in ROLLUPS for name in (one.name, one.months)},
    "INSERT INTO raw_document": "save: documents",
    "INSERT INTO address": "save: addresses",
    "COMMIT": "save: commit",
    "open the file": "save: open, close",
    "close the file": "save: open, close",
}


class Stages:
    """Reads batches stage by stage, each over the whole batch, then settles what the product itself read."""

    def __init__(self, warehouse: Path) -> None:
        self.ledger, self.statements = Ledger(), Ledger()
        self.target = WatchedWarehouse(warehouse, WarehouseSettings())
        self.target.ledger = Ledger()
        self.now = naive(datetime.now(UTC))
        with self.target.writing() as connection:
            self.run = runs.begin(connection, "benchmark", self.now)
        self.target.ledger = self.statements

    def read(self, messages: Sequence[Message]) -> None:
        """The stages of one batch up to its rows, one after the other. What they make is thrown away."""
        under = self.ledger.under
        with under("unwrap"):
            found = [one for message in messages for one in documents(message.raw, message.origin, Budget(LIMITS))]
        with under("inflate"):
            inflated = [one for document in found for one in unpack(document, Budget(LIMITS))]
        with under("sniff"):
            for document in inflated:
                kind(document)
        with under("hash"):
            hashes = [document_hash(document.data) for document in inflated]
        with under("compress"):
            for document in inflated:
                packed(document.data, document.deflated)
        with under("parse"):
            reports = [parse(document.data) for document in inflated]
        with under("rows"):
            staged([Arrived(report, name, "", None) for report, name in zip(reports, hashes, strict=True)])

    def settle(self, portion: Portion) -> None:
        """The product's own transaction for a batch."""
        ledger = self.ledger

        def watched_identify(source_ips: Sequence[str]) -> Sequence[object]:
            with ledger.under("identify"):
                return identify(source_ips)

        terms = Terms(self.run, self.now, watched_identify)  # type: ignore[arg-type]
        with ledger.under("settle"), self.target.writing() as connection:
            settle.settle(connection, portion, terms)


def main(folder: Path, warehouse: Path) -> None:
    """Print seconds of processor time by stage."""
    stages = Stages(warehouse)
    identify(["8.8.8.8"])
    organizational_domain("example.com")
    batches = FileInput([folder], LIMITS).fetch({})
    while True:
        with stages.ledger.under("read"):
            batch = next(batches, None)
        if batch is None:
            break
        stages.read(batch)
        _product(stages, batch)
    costs = {name: cost.cpu for name, cost in stages.ledger.costs.items()}
    statements = {name: cost.cpu for name, cost in stages.statements.costs.items()}
    tell(stages=_waterfall(costs, statements), statements=statements)


def _product(stages: Stages, batch: Sequence[Message]) -> None:
    """The batch again, now as warehouse.load reads and cuts it. The parser's memory is warm by now."""
    for portion in commits([*portions(batch, How(LIMITS, Privacy(), keep_documents=True)), None]):
        stages.settle(portion)


def _waterfall(costs: dict[str, float], statements: dict[str, float]) -> dict[str, float]:
    """The stages in the order of a report's way; what `settle` does besides is the rest."""
    order = ("read", "unwrap", "inflate", "sniff", "parse", "hash", "rows", "compress", "identify")
    found = {name: costs.get(name, 0.0) for name in order}
    for statement, name in SAVE.items():
        found[name] = found.get(name, 0.0) + statements.get(statement, 0.0)
    known = sum(statements.get(name, 0.0) for name in SAVE)
    found["save: the rest"] = max(0.0, costs["settle"] - known - costs.get("identify", 0.0))
    return found


if __name__ == "__main__":
    with without("pandas"), tuned():  # as app/cli.py and warehouse/load.py do
        main(Path(sys.argv[1]), Path(sys.argv[2]))
