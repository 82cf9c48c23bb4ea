"""What can go wrong with the warehouse, said so that a person knows what to do."""

from __future__ import annotations

from ingest.errors import Error, Transient, UsageError


class WarehouseError(Error):
    """The warehouse cannot do what was asked; trying again will not help."""


class WarehouseBusy(Transient, WarehouseError):
    """Other processes held the warehouse for longer than the time to wait."""


class WarehouseFull(Transient, WarehouseError):
    """The disk is full. What was committed is safe; the batch at hand was not stored."""


class MemoryShort(WarehouseError):
    """What was asked does not fit into the memory that DuckDB may take; nothing of it was done."""


class WarehouseMissing(UsageError):
    """There is no warehouse at this path yet."""


class WarehouseDamaged(WarehouseError):
    """The file is no DuckDB file, or is damaged."""


class SchemaTooNew(WarehouseError):
    """A newer whosends has written this warehouse."""


class QueryRefused(UsageError):
    """A person's SQL is wrong, or asks for something that queries may not do."""


class DecisionRefused(UsageError):
    """A decision about something that is not there, or in a word that is none."""


class FindingRefused(UsageError):
    """A finding that is not there, or something that cannot be done with it."""
