"""What was read before, by what it was read from: reporters repeat themselves."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_ENTRIES = 16_384
_SIZE = 4096


class Memory(Generic[K, V]):
    """Values of pure functions. What is larger than others is read each time, which bounds what all keys take."""

    def __init__(self) -> None:
        self._known: dict[K, V] = {}
        self.get = self._known.get

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value whose key holds `size` characters; forget all others once there are too many.

        Which are useful changes with the sender, so none is worth more than another.
        """
        if size <= _SIZE:
            if len(self._known) >= _ENTRIES:
                self._known.clear()
            self._known[key] = value

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
