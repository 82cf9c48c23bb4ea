"""`whosends poll`: new reports from the configured mailboxes, once or for ever."""

from __future__ import annotations

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.blocklisting import ask_blocklists
from app.commands.loading import add, mail_loader_of, tell, warm_up
from app.commands.picking import picked
from app.commands.progress import progress
from app.commands.renaming import rename
from app.commands.watching import watch_all
from app.render import Screen
from ingest.errors import MailboxError, UsageError
from ingest.inputs.boxes import box, is_local
from ingest.settings import MailboxSettings
from warehouse.load import Failure, LoadSummary, load


@click.command("poll", cls=Command)
@click.option("--watch", is_flag=True, help="Go on until stopped; new mail is read as it arrives.")
@click.option("--mailbox", "names", multiple=True, metavar="NAME", help="Only this mailbox; repeatable.")
@click.pass_obj
def command(run: Run, watch: bool, names: tuple[str, ...]) -> int:
    """Read new reports from the configured mailboxes.

    The signatures of the mails are verified, so that forged reports are told from genuine ones. With
    --offline only mailboxes on this machine are read, and neither keys nor names are asked for.
    Nothing in a mailbox is changed unless its setting 'after' says so, and then only when the
    reports are stored. A message that was refused is kept in quarantine and does not change the exit
    code: anybody can send one. Ends with 75 when a mailbox could not be reached.

    Then the answers that people will ask for first are worked out, for warehouse.warm seconds at the most.

    --watch also tells the alert channels of the configuration, as 'whosends alert run' does: after what
    arrived, and every quarter of an hour.
    """
    mailboxes = _chosen(run.config.mailboxes, names)
    if run.config.offline and not all(is_local(settings) for settings in mailboxes):
        raise UsageError(
            "poll needs the network, and --offline forbids it.",
            "Use 'whosends ingest' for files; only mailboxes on this machine (127.0.0.1, localhost) are read offline.",
        )
    screen = Screen(run)
    if watch:
        return watch_all(run, screen, mailboxes)
    summary, code = LoadSummary(), exitcodes.OK
    for settings in mailboxes:
        found = LoadSummary()
        try:
            _read(run, screen, settings, found)
        except MailboxError as error:
            # The other mailboxes are read all the same; the exit code tells of this one.
            screen.note(f"Error: {settings.name}: {error.message}\n{error.hint}")
            summary.failures.append(Failure(settings.name, "mailbox", error.message))
            code = max(code, error.exit_code)
        add(summary, found)
    rename(run)
    ask_blocklists(run)
    tell(screen, summary)
    screen.stream().flush()
    warm_up(run, summary)
    return code


def _read(run: Run, screen: Screen, settings: MailboxSettings, found: LoadSummary) -> None:
    """Read one mailbox; `found` tells what was stored, whatever ends it."""
    with progress(screen, f"Reading {settings.name}") as report:

        def told(summary: LoadSummary) -> None:
            found.become(summary)
            report(summary)

        found.become(load(box(settings, run.config.limits), mail_loader_of(run, told)))


def _chosen(mailboxes: tuple[MailboxSettings, ...], names: tuple[str, ...]) -> tuple[MailboxSettings, ...]:
    if not mailboxes:
        raise UsageError("No mailbox is configured.", "Run 'whosends init', or use 'whosends ingest' for files.")
    return tuple(picked({settings.name: settings for settings in mailboxes}, names, "mailbox"))
