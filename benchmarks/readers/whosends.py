"""The product, as `whosends ingest FOLDER` runs it: from bytes on disk to committed, deduplicated, rolled-up rows."""

from __future__ import annotations

import resource
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from multiprocessing import forkserver
from pathlib import Path

from app.commands.loading import identify
from app.without import for_good, without
from benchmarks.measure import Clock, Peak, tell
from ingest.alignment import organizational_domain
from ingest.inputs.files import FileInput
from ingest.settings import UnpackLimits
from warehouse.connect import Warehouse
from warehouse.load import Loader, load
from warehouse.settings import WarehouseSettings

TOTALS = """
SELECT (SELECT count(*) FROM aggregate_report), count(*), coalesce(sum(messages), 0)::BIGINT,
       (SELECT coalesce(sum(messages), 0)::BIGINT FROM daily),
       (SELECT coalesce(sum(messages), 0)::BIGINT FROM aggregate_report)
FROM aggregate_record
"""


def main(folder: Path, warehouse: Path, keep_documents: bool, jobs: int) -> None:
    """Load everything, and tell what it cost and what is stored. `readers` is what further processes took."""
    limits = UnpackLimits()
    target = Warehouse(warehouse, WarehouseSettings(keep_documents=keep_documents))
    with target.writing():
        pass
    prepare = partial(for_good, "pandas")
    loader = Loader(target, limits, identify, lambda: datetime.now(UTC), jobs=jobs, prepare=prepare)
    peak, clock = Peak(), Clock()
    # What a process reads once: the databases of networks and of services, the public suffixes.
    identify(["8.8.8.8"])
    organizational_domain("example.com")
    once, clock = clock.read(), Clock()
    summary = load(FileInput([folder], limits), loader)
    cost, memory, readers = clock.read(), peak.read(), _others()
    with target.reading() as connection:
        row = connection.execute(TOTALS).fetchone()
    assert row is not None
    tell(
        once=asdict(once),
        cost=asdict(cost),
        memory=memory,
        readers=readers.ru_utime + readers.ru_stime,
        bytes=warehouse.stat().st_size,
        totals=dict(zip(("reports", "records", "messages", "daily", "declared"), map(int, row), strict=True)),
        summary={name: getattr(summary, name) for name in ("seen", "stored", "duplicates", "records", "messages")},
    )


def _others() -> resource.struct_rusage:
    """What other processes took. One that others were forked from tells of them once it has ended."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # it has no public way to end
    return resource.getrusage(resource.RUSAGE_CHILDREN)


if __name__ == "__main__":
    with without("pandas"):  # as app/cli.py does
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "keep", int(sys.argv[4]) if sys.argv[4:] else 1)
