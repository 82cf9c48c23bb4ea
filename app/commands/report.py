"""`whosends report`: the week on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from analysis.weekly import WeeklySummary, iso_week, weekly
from app import exitcodes
from app.commands.asking import known, known_domain, today
from app.commands.base import Group, Run
from app.commands.drift import document
from app.commands.opening import warehouse_of
from app.exports import weekly_csv, weekly_html, weekly_markdown
from app.render import SCHEMA_VERSION, Screen, plain, to_json
from app.settings import ReportSettings


def _document(summary: WeeklySummary) -> dict[str, object]:
    return {"schema_version": SCHEMA_VERSION, **plain(summary), "drifts": [document(one) for one in summary.drifts]}


FORMATS: dict[str, Callable[[WeeklySummary, ReportSettings], str]] = {
    "md": weekly_markdown.render,
    "html": weekly_html.render,
    "csv": lambda summary, _: weekly_csv.render(summary),
    "json": lambda summary, _: to_json(_document(summary)) + "\n",
}


@click.group("report", cls=Group)
def command() -> None:
    """The week on one page, for people and mail."""


@command.command("weekly")
@click.option("--week", default="", metavar="WEEK", help="ISO week like 2026-W47; else the last one that is over.")
@click.option("--domain", "-d", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; repeatable.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="Markdown (md) unless said otherwise.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write a file there.")
@click.pass_obj
def weekly_(run: Run, week: str, domains: tuple[str, ...], form: str | None, out: Path | None) -> int:
    """Summarise a week: what to do, what changed, how each domain and its sources did.

    A quiet week is a summary too: its absence is the alarm. Ends with 0 whatever the verdict is;
    'whosends status' ends with the verdict.
    """
    screen, form = Screen(run), form or ("json" if run.json else "md")
    summary = _summary(run, week, domains)
    text = FORMATS[form](summary, run.config.report)
    if out is None:
        screen.stream().write(text)
        return exitcodes.OK
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"whosends-{summary.week}.{form}"
    file.write_text(text, encoding="utf-8")
    if run.json:
        screen.document(week=summary.week, verdict=summary.verdict, subject=summary.subject, out=str(file))
    else:
        screen.note(f"{summary.subject}: {file}")
    return exitcodes.OK


def _summary(run: Run, week: str, domains: tuple[str, ...]) -> WeeklySummary:
    warehouse = warehouse_of(run)
    if week:
        iso_week(week)  # a wrong one is refused before the warehouse is asked anything
    held = known(warehouse)
    wanted = tuple(known_domain(held, domain) for domain in domains)
    return weekly(warehouse, week, today(), run.config.analysis, wanted, run.config.targets)
