"""Which of the things that the configuration names are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from app.config import meant
from ingest.errors import UsageError

T = TypeVar("T")


def picked(every: Mapping[str, T], names: Sequence[str], what: str) -> list[T]:
    """Those of the given names, each once; all where none is given. Raises UsageError for a name that is none's."""
    for name in names:
        if name not in every:
            raise UsageError(f"There is no {what} {name!r}.", meant(name, every))
    return [every[name] for name in dict.fromkeys(names)] or list(every.values())
