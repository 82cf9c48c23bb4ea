"""Keeping a module from being loaded by libraries that would only look for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from importlib.abc import Loader

PATIENCE: Final = 5_000  # refusals, at 6 µs each


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let `import name` fail meanwhile, as if it were not installed; one that is loaded already stays.

    Whoever asks again for every value is let in after PATIENCE times: by then loading is cheaper than refusing.
    """
    if name in sys.modules:
        yield
        return
    refusal = _Refusal(name)
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)


def for_good(name: str) -> None:
    """Let `import name` fail from now on."""
    sys.meta_path.insert(0, _Refusal(name))


class _Refusal:
    """Finds the module, so that whoever asks only whether it is there goes on as ever, but loads nothing.

    A finder and a loader by what it does: their base classes are in `importlib.abc`, which takes 10 ms to load.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = PATIENCE

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, cast("Loader", self)) if fullname == self._name and self._left > 0 else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        self._left -= 1
        raise ImportError(f"{spec.name} is left out here", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Never reached: there is no module to run."""
