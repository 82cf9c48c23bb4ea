"""How far a long run has come: a bar on a terminal, a line each 1,000 messages elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from analysis.wording import count
from app.render import Screen
from warehouse.load import LoadSummary

EACH = 1000

Report = Callable[[LoadSummary], None]


@contextmanager
def progress(screen: Screen, title: str) -> Iterator[Report]:
    """Give a function that is told after each commit; it prints to standard error."""
    if screen.quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=screen.console(stderr=True), transient=True) as bar:
            task = bar.add_task(title)
            yield lambda summary: bar.update(task, description=f"{title}  {counted(summary)}")
    else:
        yield _Lines(screen, title)


class _Lines:
    def __init__(self, screen: Screen, title: str) -> None:
        self._screen, self._title, self._next = screen, title, EACH

    def __call__(self, summary: LoadSummary) -> None:
        if summary.seen >= self._next:
            self._screen.note(f"{self._title}: {counted(summary)}")
            self._next = summary.seen - summary.seen % EACH + EACH


def counted(summary: LoadSummary) -> str:
    """A run in one line; seen is the sum of the other counts of messages."""
    parts = [
        f"{count(summary.seen, 'message')} seen",
        f"{summary.stored:,} stored ({count(summary.reports, 'report')})",
        count(summary.duplicates, "duplicate"),
        f"{summary.quarantined:,} refused",
        f"{summary.not_reports:,} not reports",
    ]
    return " · ".join(parts)
