"""The weekly summary as one HTML page that mail programs show: tables, inline styles, nothing from outside."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from analysis.weekly import WeeklySummary
from app.exports.weekly_view import view
from app.render import unlinked
from app.settings import ReportSettings

# The app's colours, each at least 4.5:1 on white; a word always stands beside the colour.
COLORS: Final = {
    "go": "#00704F",
    "stop": "#B3261E",
    "unknown": "#5C2751",
    "critical": "#B3261E",
    "high": "#A33F00",
    "medium": "#005A8C",
}


def render(summary: WeeklySummary, settings: ReportSettings, picture: str = "") -> str:
    """The summary as a page; everything in it that came from outside is escaped by the template.

    `picture` is the address of the chart, where there is one: a cid: URL in a mail (RFC 2392).
    """
    return _template().render(page=view(summary, settings), colors=COLORS, picture=picture)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        # Mail programs make links of bare addresses; what is escaped in the template already is our own.
        finalize=lambda value: unlinked(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("weekly.html.j2")
