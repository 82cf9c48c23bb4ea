"""`whosends reparse`: stored documents read again by a newer parser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import click

from analysis.wording import count
from app import exitcodes
from app.commands.asking import now
from app.commands.base import Command, Run
from app.commands.loading import identify
from app.commands.opening import warehouse_of
from app.render import Screen
from warehouse.reparse import Reparsed, reparse


@click.command("reparse", cls=Command)
@click.option("--all", "everything", is_flag=True, help="Every report, not only those an older version read.")
@click.pass_obj
def command(run: Run, everything: bool) -> int:
    """Read stored reports again with this version.

    Reports of every kind keep their keys; only what they say may change, and in which columns is told. The
    mails of failure reports and bounces are there only where 'privacy' is full. Of reports that an older
    version took for two and that are one, the first stays; one that says otherwise goes to quarantine. Exits 1
    where a document that was read before is refused now: what was stored of it stays.
    """
    screen = Screen(run)
    summary = reparse(
        warehouse_of(run),
        identify,
        now(),
        privacy=run.config.privacy,
        everything=everything,
        progress=_told(screen),
    )
    if screen.json:
        screen.document(**asdict(summary))
    else:
        screen.line(f"{count(summary.reports, 'report')} read again · {summary.changed:,} changed")
        for table, told in summary.kinds.items():
            _tell(screen, NAMES[table], told)
    return exitcodes.FOUND if summary.refused else exitcodes.OK


def _told(screen: Screen) -> Callable[[int], None]:
    """Say every some thousand reports how many were read again."""
    last = 0

    def tell(done: int) -> None:
        nonlocal last
        if done - last >= TOLD_EACH:
            last = done
            screen.note(f"Read again: {done:,} reports")

    return tell


TOLD_EACH = 5000
NAMES = {
    "aggregate_report": "Aggregate reports", "tls_report": "TLS reports", "failure_report": "Failure reports",
    "delivery_status": "Bounces",
}  # fmt: skip


def _tell(screen: Screen, name: str, told: Reparsed) -> None:
    if told.reports:
        screen.line(f"{name}: {told.reports:,} read again · {told.changed:,} changed")
    for column, times in told.fields.most_common():
        screen.line(f"  {column}: {times:,}")
    if told.refused:
        screen.note(f"{name}: {told.refused:,} are refused now and stay as they were.")
    if told.duplicates:
        screen.note(f"{name}: {told.duplicates:,} turned out to be reports that are stored already, and are gone.")
    if told.conflicts:
        screen.note(
            f"{name}: {told.conflicts:,} say otherwise than another of the same id and period: see 'quarantine'."
        )
    if told.without_document:
        screen.note(f"{name}: {told.without_document:,} were stored without their document and stay as they were.")
