"""What must hold when any messages whatever are loaded into a warehouse, and loaded again."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.claims import Broken
from tests.warehouse.build import ListInput, loader, message, one, warehouse
from warehouse.connect import Warehouse
from warehouse.load import LoadSummary, load

_SUMS = """
    SELECT (SELECT coalesce(sum(messages), 0) FROM aggregate_record),
           (SELECT coalesce(sum(messages), 0) FROM aggregate_report),
           (SELECT coalesce(sum(messages), 0) FROM daily)
"""
_TABLES = "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type = 'VARCHAR' AND NOT internal"
_ACTIVE = r"[\x00-\x1f\x7f-\x9f\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}\x{feff}]"


def check(raws: Sequence[bytes]) -> None:
    """Load them in two batches, then all of them once more."""
    with tempfile.TemporaryDirectory() as folder:
        target = warehouse(Path(folder))
        first = _loaded(target, raws)
        _adds_up(first, len(raws))
        _sums(target, first)
        _inert(target)
        before = one(target, _SUMS)
        second = _loaded(target, raws)
        _adds_up(second, len(raws))
        if second.messages or one(target, _SUMS) != before:
            raise Broken("loading again adds nothing", f"{second.messages} messages, {before} → {one(target, _SUMS)}")


def _loaded(target: Warehouse, raws: Sequence[bytes]) -> LoadSummary:
    messages = [message(raw, f"message {number}") for number, raw in enumerate(raws)]
    half = len(messages) // 2
    try:
        return load(ListInput([messages[:half], messages[half:]]), loader(target))
    except Exception as fault:
        raise Broken("a load never raises", repr(fault)) from fault


def _adds_up(summary: LoadSummary, seen: int) -> None:
    ended = summary.stored + summary.duplicates + summary.quarantined + summary.not_reports
    if not summary.seen == seen == ended:
        raise Broken("every message ends once", summary)


def _sums(target: Warehouse, summary: LoadSummary) -> None:
    sums = one(target, _SUMS)
    if sums != (summary.messages,) * 3:
        raise Broken("stored what was told", f"{sums}, told {summary.messages}")


def _inert(target: Warehouse) -> None:
    with target.reading() as connection:
        for table, column in connection.execute(_TABLES).fetchall():
            found = connection.execute(
                f'SELECT "{column}" FROM "{table}" WHERE regexp_matches("{column}", ?) LIMIT 1', [_ACTIVE]
            ).fetchone()
            if found:
                raise Broken("stored texts are inert", f"{table}.{column} {found[0]!r}")
