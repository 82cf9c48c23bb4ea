"""What holds for every test."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

PACKAGES = ("ingest", "warehouse", "analysis", "app")


@pytest.fixture(autouse=True)
def fresh_logs() -> None:
    """Each test finds the logs as Python makes them, whatever a command has set up in this process."""
    for logger in map(logging.getLogger, PACKAGES):
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """A page that was run without a browser does not stay this process's main module, which processes begin with."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
