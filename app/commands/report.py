"""`whosends report`: the week on one page, shown, written or sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from analysis.weekly import iso_week, owned, weekly
from app import exitcodes
from app.commands.asking import instant, known, known_domain, today
from app.commands.base import Group, Run
from app.commands.opening import warehouse_of
from app.commands.paths import Place
from app.commands.report_sending import send
from app.exports.bundle import BINARY, FORMATS, Bundle
from app.exports.shares import Share, share_of
from app.render import Screen
from app.settings import RecipientSettings
from app.tracking import recorded
from ingest.errors import UsageError
from warehouse import findings
from warehouse.connect import Warehouse
from warehouse.known import began, known_at


@click.group("report", cls=Group)
def command() -> None:
    """The week on one page, for people and mail."""


@command.command("weekly")
@click.option("--week", default="", metavar="WEEK", help="ISO week like 2026-W47; else the last one that is over.")
@click.option("--domain", "-d", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; repeatable.")
@click.option("--client", default="", metavar="CLIENT", help="Only the domains of this client.")
@click.option("--owner", default="", metavar="WHO", help="Only what this person or team is to act on.")
@click.option("--known-at", metavar="TIME", help="Only what was known then (UTC): 2026-11-23, or 2026-11-23T07:00.")
@click.option(
    "--format",
    "forms",
    type=click.Choice(FORMATS),
    multiple=True,
    help="Markdown (md) unless said otherwise; repeatable.",
)
@click.option("--out", type=Place(file=False), metavar="DIR", help="Write files and a manifest.")
@click.option("--send", "sending", is_flag=True, help="Mail it to the recipients of the configuration, each its part.")
@click.option("--to", "names", multiple=True, metavar="NAME", help="Only to this recipient; repeatable.")
@click.option("--resend", is_flag=True, help="Send what was sent before, or may have been.")
@click.pass_obj
def weekly_(run: Run, /, **asked: Any) -> int:
    """Summarise a week: what to do, what changed, how each domain and its sources did.

    A quiet week is a summary too: its absence is the alarm. The same week with the same --known-at gives the
    same bytes; --out writes a manifest with the hash of each file. --send sends each recipient's mail once a
    week, however often it is run; where a crash or a lost connection leaves it open whether a mail went out, it
    is not sent again but told of, with exit code 3. Otherwise ends with 0 whatever the verdict is;
    'whosends status' ends with the verdict.
    """
    if asked["week"]:
        iso_week(asked["week"])  # a wrong one is refused before the warehouse is asked anything
    if (asked["names"] or asked["resend"]) and not asked["sending"]:
        raise UsageError("--to and --resend are about mail.", "Add --send; without it nothing is sent.")
    if asked["sending"]:
        at = instant(asked["known_at"])
        if at is None:
            recorded(warehouse_of(run), today(), run.config)  # what reports have proved belongs into the mail
        with known_at(warehouse_of(run), at) as warehouse:
            return send(run, asked, lambda share: _bundle(run, warehouse, asked["week"], share, at))
    with _asked(run, asked) as bundle:
        return _show(run, bundle, asked["forms"] or (("json",) if run.json else ("md",)), asked["out"])


@contextmanager
def _asked(run: Run, asked: dict[str, Any]) -> Iterator[Bundle]:
    held = known(warehouse_of(run))
    domains = tuple(known_domain(held, domain) for domain in asked["domains"])
    wanted = RecipientSettings("", (), domains, asked["client"], asked["owner"])
    with warehouse_of(run).reading() as connection:
        people, first = findings.owners(connection), began(connection)
    share = Share(domains)
    if asked["client"] or asked["owner"]:
        found = share_of(run.config, wanted, tuple(held.last_days), people)
        if found is None:
            raise UsageError("None of these domains has reports.", "'whosends status' lists those that have.")
        share = found
    at = instant(asked["known_at"])
    if at and first and at < first:
        Screen(run).note(f"Nothing was known by then: the first report was stored on {first:%Y-%m-%d at %H:%M} UTC.")
    with known_at(warehouse_of(run), at) as warehouse:
        yield _bundle(run, warehouse, asked["week"], share, at)


def _bundle(run: Run, warehouse: Warehouse, week: str, share: Share, at: datetime | None) -> Bundle:
    on, config = min(today(), at.date()) if at else today(), run.config
    summary = weekly(warehouse, week, on, config.analysis, share.domains, config.targets)
    owners = {one.domain: config.owner_of(one.domain) for one in summary.domains}
    return Bundle(owned(summary, owners, share.owner), warehouse, config, at)


def _show(run: Run, bundle: Bundle, forms: Sequence[str], out: Path | None) -> int:
    screen, summary = Screen(run), bundle.summary
    if out is None:
        if len(forms) > 1 or forms[0] in BINARY:
            raise UsageError("Only one form, and only text, goes to standard output.", "Add --out DIR.")
        screen.stream().write(bundle.render(forms[0]).decode())
        return exitcodes.OK
    files = bundle.write(out, forms)
    if run.json:
        named = [str(file) for file in files]
        screen.document(week=summary.week, verdict=summary.verdict, subject=summary.subject, out=named[0], files=named)
    else:
        screen.note(f"{summary.subject}: {', '.join(str(file) for file in files)}")
    return exitcodes.OK
