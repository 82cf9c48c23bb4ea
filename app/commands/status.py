"""`whosends status`: one line a domain."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta

import click

from analysis.completeness import of_domains, so_far
from analysis.status import DomainStatus, Status, status
from analysis.wording import count
from app import exitcodes
from app.commands.asking import UNTOLD, Asked, known, scope_of, scoped, today
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen, share

BARS = "▁▂▃▄▅▆▇█"
TREND = 14  # days drawn; more would not fit beside the rest
COLUMNS = ("Domain", "Policy", "Verdict", "Aligned", "Messages", "Trend", "Undecided", "New", "Top issue", "Owner")


@click.command("status", cls=Command)
@scoped
@click.pass_obj
def command(run: Run, asked: Asked) -> int:
    """How does each domain stand?

    The verdict is about the next policy: go, stop or unknown. Ends with 1 where a domain's verdict
    is stop, with 3 where none is but one is unknown, or there is no data at all.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = scope_of(warehouse, asked, run.config.readiness.days)
    answer = status(warehouse, scope, today(), run.config.analysis, run.config.targets)
    newest = of_domains(warehouse, scope, datetime.now(UTC))
    if (last := answer.data_until) and last > today() + timedelta(days=1):
        screen.note(f"This machine's clock says {today()}, and reports tell of days up to {last}: check it.")
    if screen.json:
        screen.document(**_document(answer), completeness=[asdict(one) for one in newest])
    elif answer.domains:
        screen.table(COLUMNS, [_row(domain, run) for domain in answer.domains])
        screen.note(_freshness(answer))
        for sentence in so_far(newest):
            screen.note(sentence)
    elif known(warehouse).last_days:
        screen.note(UNTOLD)
    else:
        screen.note("No reports yet. Receivers send the first ones 24 to 48 hours after rua= is published.")
        screen.note("Next: whosends doctor")
    verdicts = {exitcodes.VERDICTS[domain.verdict] for domain in answer.domains}
    for code in (exitcodes.FOUND, exitcodes.UNKNOWN):
        if code in verdicts:
            return code
    return exitcodes.OK if verdicts else exitcodes.UNKNOWN


def _document(answer: Status) -> dict[str, object]:
    return {one.name: getattr(answer, one.name) for one in fields(answer)}


def _row(domain: DomainStatus, run: Run) -> tuple[object, ...]:
    return (
        domain.domain,
        domain.policy,
        domain.verdict,
        share(domain.aligned, domain.messages),
        domain.messages,
        trend(domain.trend[-TREND:]),
        domain.undecided,
        domain.new_sources,
        domain.top_issue,
        domain.owner or run.config.owner_of(domain.domain),
    )


def trend(rates: tuple[float | None, ...]) -> str:
    """Shares as bars, a dot where nothing is known."""
    return "".join("·" if rate is None else BARS[min(7, int(rate * 8))] for rate in rates)


def _freshness(answer: Status) -> str:
    sentence = f"Data to {answer.data_until or 'no day yet'} (UTC)"
    if answer.usual_reporters:
        sentence += f", {answer.reporters} of {answer.usual_reporters} usual reporters"
    if answer.quarantined:
        sentence += f", {count(answer.quarantined, 'message')} in quarantine"
    return sentence + "."
