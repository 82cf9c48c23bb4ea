"""`whosends alert`: tell people of findings where they are."""

from __future__ import annotations

from collections.abc import Sequence

import click

from app import exitcodes
from app.alerts.run import probe, run
from app.commands.asking import today
from app.commands.base import Group, Run
from app.commands.opening import warehouse_of
from app.commands.picking import picked
from app.render import Screen, clean
from app.sending import Sent
from app.settings import AlertSettings
from ingest.errors import Error, UsageError


@click.group("alert", cls=Group)
def command() -> None:
    """Tell people of findings where they are: webhook, mail, chat."""


@command.command("run")
@click.option("--to", "names", multiple=True, metavar="NAME", help="Only to this channel; repeatable.")
@click.pass_obj
def run_(run_of: Run, /, names: tuple[str, ...]) -> int:
    """Tell each channel what it does not know yet; run it after each poll (poll --watch does so itself).

    One message when a finding opens or comes back, one when it becomes worse, one when it is verified or
    closed. Nothing is told twice, whatever crashes and however many run at once: where it is open whether a
    message went out, it counts as sent. Ends with 75 where something failed; the next run tries again.
    """
    screen = Screen(run_of)
    made = run(warehouse_of(run_of), today(), run_of.config, _channels(run_of, names))
    if screen.json:
        screen.document(sent=made)
    else:
        for one in made:
            screen.line(_line(one))
        if not made:
            screen.note("Nothing new to tell.")
    return exitcodes.AGAIN if any(one.state == "failed" for one in made) else exitcodes.OK


@command.command("test")
@click.option("--to", "names", multiple=True, metavar="NAME", help="Only to this channel; repeatable.")
@click.pass_obj
def test(run_of: Run, names: tuple[str, ...]) -> int:
    """Send a message that says that it is a test.

    Ends with 75 where all that failed may work later (busy, unreachable), with 4 where something refused it.
    """
    screen, made, codes = Screen(run_of), list[Sent](), set[int]()
    for channel in _channels(run_of, names):
        try:
            probe(channel, run_of.config, today())
        except Error as error:
            made.append(Sent(channel.name, "test", "failed", str(error)))
            codes.add(error.exit_code)
        else:
            made.append(Sent(channel.name, "test", "sent"))
    if screen.json:
        screen.document(sent=made)
    else:
        for one in made:
            screen.line(_line(one))
    if codes == {exitcodes.AGAIN}:
        return exitcodes.AGAIN
    return exitcodes.FAILED if codes else exitcodes.OK


def _channels(run_of: Run, names: Sequence[str]) -> list[AlertSettings]:
    every = {one.name: one for one in run_of.config.alerts}
    if not every:
        raise UsageError("No alert is configured.", "Add [[alert]] with name, kind and url; see docs/alerts.md.")
    return picked(every, names, "alert")


def _line(one: Sent) -> str:
    what = " ".join(one.purpose.split()[:2])  # the finding and the event; how often it came back is for the table
    return clean(f"{one.recipient}: {what}: {one.state}. {one.detail}").strip()
