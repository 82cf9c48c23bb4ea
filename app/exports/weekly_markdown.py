"""The weekly summary as Markdown: for tickets, chats and plain-text mail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from analysis.weekly import WeeklySummary
from app.exports.weekly_view import Table, Todo, View, view
from app.settings import ReportSettings

# What CommonMark and GitHub's tables take as markup anywhere in a line.
MARKUP: Final = re.compile(r"[\\`*_\[\]<>|!~&#${}]")
# What GitHub makes links of without any markup (GFM, autolinks extension).
LINKS: Final = re.compile(r":(?=//)|(?<=www)\.|@|(?<=mailto):|(?<=xmpp):", re.IGNORECASE)
BAR: Final = 10


def render(summary: WeeklySummary, settings: ReportSettings) -> str:
    """The summary as Markdown text."""
    page = view(summary, settings)
    return "\n".join([*_head(page), *_middle(page), *_tables(page.tables), *_foot(page)]) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no links."""
    return LINKS.sub(lambda match: "\\" + match[0], MARKUP.sub(lambda match: "\\" + match[0], text))


def bar(rate: float) -> str:
    """A share as blocks; what is not nothing shows."""
    return "█" * round(rate * BAR) or ("▏" if rate else "")


def _head(page: View) -> Iterator[str]:
    yield f"# {escaped(f'[{page.verdict.capitalize()}] {page.title}')}"
    yield ""
    yield escaped(page.headline)
    if page.app_url:
        yield ""
        yield f"[Open in the app](<{page.app_url}>)"
    if page.todos:
        yield from ("", "## Do next", "")
        for number, todo in enumerate(page.todos, 1):
            yield from _todo(number, todo)
        if page.more:
            yield from ("", page.more)


def _todo(number: int, todo: Todo) -> Iterator[str]:
    yield f"{number}. **{todo.severity.capitalize()}**: {escaped(todo.title)} ({escaped(todo.owner)}, {todo.age})"
    # A blank at the start of an item's text could make a heading or a list of it, so each is a paragraph.
    yield f"   {escaped(todo.why)}"
    yield f"   Fix: {escaped(todo.fix)}"


def _middle(page: View) -> Iterator[str]:
    if page.changes:
        yield from ("", "## What changed", "")
        yield from (f"- {escaped(change)}" for change in page.changes)
    if page.progress:
        yield from ("", "## Progress", "")
        rows = [(escaped(p.domain), escaped(p.step), p.verdict, p.gates, p.aligned, p.before) for p in page.progress]
        yield from _grid(("Domain", "Policy", "Verdict", "Gates", "Aligned", "Week before"), rows)


def _tables(tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        yield from ("", f"## Sources of {escaped(table.domain)}", "")
        rows = [(escaped(r.name), r.messages, r.aligned, bar(r.rate), r.looks, r.decision) for r in table.rows]
        yield from _grid(("Source", "Messages", "Aligned", "", "Looks", "Decision"), rows)
        if table.rest:
            yield from ("", f"{table.rest}.")


def _foot(page: View) -> Iterator[str]:
    for title, lines in (("Collection", page.health), ("Totals", page.totals)):
        yield from ("", f"## {title}", "")
        yield from (f"- {escaped(line)}" for line in lines)


def _grid(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'|'.join('---' for _ in titles)}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
