"""Instants as DuckDB's TIMESTAMP wants them."""

from __future__ import annotations

from datetime import UTC, datetime


def naive(at: datetime) -> datetime:
    """An instant as DuckDB's TIMESTAMP wants it: UTC, without a zone. One without a zone is UTC already."""
    if at.tzinfo is None:
        return at
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).replace(tzinfo=None)


def utc(at: datetime | None) -> datetime | None:
    """The same for an instant that may be unknown."""
    return naive(at) if at else None
