"""The warehouse that a command opens. Light: a command that only opens it need not load what answers need."""

from __future__ import annotations

from app.commands.base import Run
from warehouse.connect import Warehouse


def warehouse_of(run: Run) -> Warehouse:
    """The warehouse of this run."""
    return Warehouse(run.config.warehouse_path, run.config.warehouse)
