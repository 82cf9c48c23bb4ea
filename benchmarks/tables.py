"""Results as Markdown: what is printed and what is written are the same text."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from os import cpu_count
from pathlib import Path

from benchmarks.measure import ROOT

_PACKAGES = ("duckdb", "lxml", "pyarrow", "polars", "parsedmarc")


class Document:
    """Sections, printed as they come and kept for the file."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def say(self, *lines: str) -> None:
        """Add lines."""
        print("\n".join(lines), flush=True)
        self._lines += lines

    def section(self, title: str, *sentences: str) -> None:
        """Begin a section."""
        self.say("", f"## {title}", "")
        if sentences:
            self.say(" ".join(sentences), "")

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add a table; every column but the first is aligned to the right."""
        cells = [list(titles), *([str(cell) for cell in row] for row in rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
        lines = [_line(row, widths) for row in cells]
        rule = "| " + " | ".join("-" * (w - bool(n)) + ":" * bool(n) for n, w in enumerate(widths)) + " |"
        self.say(lines[0], rule, *lines[1:], "")

    def write(self, path: Path) -> None:
        """Write everything."""
        path.write_text("\n".join(self._lines).strip() + "\n", encoding="utf-8")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "| " + " | ".join(cells) + " |"


def machine() -> list[str]:
    """Where and with what this was measured, without a name or a path of the machine."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [
        f"- {datetime.now(UTC):%Y-%m-%d}, whosends {version('whosends')} at {commit.stdout.strip() or 'no commit'}",
        f"- {cpu_count()} cores, {_processor()}, {_memory()}",
        f"- {platform.system()}, Python {platform.python_version()}, {versions}",
    ]


def _processor() -> str:
    return _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine()


def _memory() -> str:
    size = _field(Path("/proc/meminfo"), "MemTotal").split()
    return f"{int(size[0]) / 2**20:.0f} GiB of memory" if size else "memory unknown"


def _field(path: Path, name: str) -> str:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def milliseconds(seconds: float) -> str:
    """Some seconds as milliseconds, with as many digits as mean something."""
    value = seconds * 1000
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
