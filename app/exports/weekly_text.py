"""The weekly summary as plain text: the first part of the mail, for whoever reads mail without HTML."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from analysis.weekly import WeeklySummary
from app.exports.weekly_view import View, view
from app.render import unlinked
from app.settings import ReportSettings

WIDTH: Final = 76  # RFC 5322 section 2.1.1 asks for lines of at most 78 characters

TOGETHER: Final = "\N{NO-BREAK SPACE}%"  # a number keeps its sign beside it


def render(summary: WeeklySummary, settings: ReportSettings) -> str:
    """The page as text; a quiet week is one line."""
    page = view(summary, settings)
    if page.quiet:
        return f"{unlinked(page.headline)}\n"
    return "\n".join(_lines(page)).strip() + "\n"


def _lines(page: View) -> Iterator[str]:
    yield from _wrapped(f"[{page.verdict.capitalize()}] {page.title}")
    yield from _wrapped(page.headline)
    if page.app_url:
        yield page.app_url
    if page.todos:
        yield from ("", "DO NEXT")
    for number, todo in enumerate(page.todos, 1):
        said = f"{todo.severity.capitalize()}: {todo.title} ({todo.owner}, {todo.age})"
        yield from _wrapped(said, "   ", f"{number}. ")
        yield from _wrapped(todo.why, "   ")
        yield from _wrapped(f"Fix: {todo.fix}", "   ")
    if page.more:
        yield f"   {page.more}"
    for title, lines in (("WHAT CHANGED", page.changes), ("PROGRESS", _progress(page)), ("SOURCES", _sources(page))):
        if lines:
            yield from ("", title)
        for line in lines:
            yield from _wrapped(line, "   ", "- ")
    for title, lines in (("COLLECTION", page.health), ("TOTALS", page.totals)):
        yield from ("", title)
        for line in lines:
            yield from _wrapped(line, "   ", "- ")


def _progress(page: View) -> tuple[str, ...]:
    return tuple(
        f"{one.domain}: {one.step}, {one.verdict}, {one.gates}, aligned {one.aligned} ({one.before} before)"
        for one in page.progress
    )


def _sources(page: View) -> tuple[str, ...]:
    return tuple(
        f"{table.domain}: {row.name}, {row.messages} {'message' if row.messages == '1' else 'messages'}, "
        f"{row.aligned} aligned, {row.looks}"
        for table in page.tables
        for row in table.rows
    )


def _wrapped(text: str, indent: str = "", first: str = "") -> list[str]:
    start = indent[: len(indent) - len(first)] + first if first else indent
    lines = wrap(
        unlinked(text).replace(" %", TOGETHER), WIDTH, initial_indent=start, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,  # a name that is cut at one reads as two
    )  # fmt: skip
    return [line.replace(TOGETHER, " %") for line in lines]
