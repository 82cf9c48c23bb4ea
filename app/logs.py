"""Logs: one line an event on standard error, `noun.verb key=value`, whatever the values hold."""

from __future__ import annotations

import logging
import re
import sys
from typing import Final

PACKAGES: Final = ("ingest", "warehouse", "analysis", "app")

# What could start a new line, move the cursor or reorder text: values come from mail and DNS.
UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class OneLine(logging.Formatter):
    """A formatter whose lines cannot be broken or forged by what is logged."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; a traceback, where there is one, follows indented."""
        text = one_line(f"{record.levelname.lower()} {record.name} {record.getMessage()}")
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            text += "".join("\n  | " + one_line(line) for line in trace.splitlines())
        return text


def configure(verbosity: int) -> None:
    """Send our own logs to standard error: -1 errors, 0 warnings, 1 what was done, 2 everything."""
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}.get(max(-1, verbosity), logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    for name in PACKAGES:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def one_line(text: str) -> str:
    """`text` with everything escaped that could break or forge a line."""
    return UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
