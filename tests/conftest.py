"""What holds for every test."""

from __future__ import annotations

import logging

import pytest

PACKAGES = ("ingest", "warehouse", "analysis", "app")


@pytest.fixture(autouse=True)
def fresh_logs() -> None:
    """Each test finds the logs as Python makes them, whatever a command has set up in this process."""
    for logger in map(logging.getLogger, PACKAGES):
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)
