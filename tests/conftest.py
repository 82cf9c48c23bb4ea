"""What holds for every test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

PACKAGES = ("ingest", "warehouse", "analysis", "app")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that runs inside a test configures the logs of this process; they go back after it."""
    loggers = [logging.getLogger(name) for name in PACKAGES]
    before = [(logger.handlers, logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
