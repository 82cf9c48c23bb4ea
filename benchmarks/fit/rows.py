"""What the product counts of each source in tuning worlds, beside what its mail really is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from analysis import evidence, past
from analysis.settings import SourceSettings
from benchmarks.score import product
from benchmarks.score.judged import truths
from benchmarks.worlds.volume import FIRST, day_of
from benchmarks.worlds.world import World, world
from warehouse.connect import Connection, Warehouse
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

LAST_TUNING = 200  # worlds from here on are for scores
TRUTHS = ("aligned", "misaligned", "forwarded", "spoofing")


def rows(seeds: Iterable[int], folder: Path | None, jobs: int) -> pl.DataFrame:
    """One row for each source of the worlds: the columns of `evidence.evidence`, seed, and messages by kind (t_…).

    What was made is kept in a folder, if one is given, and taken from there the next time.
    """
    with ProcessPoolExecutor(jobs) as pool:
        return pl.concat(pool.map(partial(_of_world, folder=folder), seeds), how="vertical_relaxed")


def _of_world(seed: int, folder: Path | None) -> pl.DataFrame:
    made = world(seed)
    if folder is None:
        with TemporaryDirectory(prefix="fit-") as temporary:
            return _counted(made, Path(temporary))
    return _counted(made, folder / str(seed))


def _counted(made: World, folder: Path) -> pl.DataFrame:
    file = folder / "warehouse.duckdb"
    if not (folder / "whole").exists():
        reports = folder / "reports"
        reports.mkdir(parents=True, exist_ok=True)
        made.write(reports)
        product.load(reports, file)
        (folder / "whole").touch()
    # The names anew each time: who is behind an address is part of what is tuned.
    product.name(made, file)
    with Warehouse(file, WarehouseSettings()).reading() as connection:
        scope = Scope((), FIRST, day_of(made.days + 14))
        frames = evidence.fetch(connection, scope, day_of(made.days + 14), SourceSettings())
        keys = pl.DataFrame(_keys(connection), schema=["source_ip", "source_key"], orient="row")
    told = truths(made).filter(pl.col("kind") != "lie").join(keys, on="source_ip")
    shares = told.group_by(past.KEY).agg(
        pl.col("messages").filter(pl.col("truth") == kind).sum().alias(f"t_{kind}") for kind in TRUTHS
    )
    return evidence.evidence(frames).join(shares, on=past.KEY).with_columns(pl.lit(made.seed).alias("seed"))


def _keys(connection: Connection) -> Iterator[tuple[str, str]]:
    yield from connection.execute("SELECT source_ip, source_key FROM address").fetchall()
