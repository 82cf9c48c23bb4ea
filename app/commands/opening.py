"""The warehouse that a command opens. Light: a command that only opens it need not load what answers need."""

from __future__ import annotations

import click

from app.commands.base import Run
from warehouse.connect import Warehouse


def warehouse_of(run: Run) -> Warehouse:
    """The warehouse of this run; it is closed when the command ends."""
    warehouse = Warehouse(run.config.warehouse_path, run.config.warehouse, lingering=True)
    if context := click.get_current_context(silent=True):
        context.call_on_close(warehouse.let_go)
    return warehouse
