"""What was read before, by what it was read from: reporters repeat themselves."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SIZE = 4096
_TOTAL = 32 * 2**20


class Memory(Generic[K, V]):
    """Values of pure functions, by keys of 32 million characters together. A key far larger than others is not kept."""

    def __init__(self) -> None:
        self._known: dict[K, V] = {}
        self._total = 0
        self.get = self._known.get

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value whose key holds `size` characters; forget all others once there are too many.

        Which are useful changes with the sender, so none is worth more than another.
        """
        if size <= _SIZE:
            self._total += size
            if self._total > _TOTAL:
                self.clear()
            self._known[key] = value

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
        self._total = 0
