"""What was read before, by its bytes: reporters repeat themselves."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

_ENTRIES = 4096
_KEY_BYTES = 4096


class Memory(Generic[T]):
    """Values of pure functions of bytes. A larger key is read each time, which bounds it at 16 MiB of keys."""

    def __init__(self) -> None:
        self._known: dict[bytes, T] = {}
        self.get = self._known.get

    def put(self, key: bytes, value: T) -> None:
        """Keep a value; forget all others once there are too many, since which are useful changes with the sender."""
        if len(key) <= _KEY_BYTES:
            if len(self._known) >= _ENTRIES:
                self._known.clear()
            self._known[key] = value

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
