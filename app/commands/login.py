"""`whosends login`: a person consents, once, and the program keeps the refresh token."""

from __future__ import annotations

import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.config import meant
from app.render import Screen, clean
from ingest.errors import UsageError
from ingest.inputs.oauth_device import Prompt
from ingest.inputs.oauth_login import log_in
from ingest.inputs.web import is_loopback
from ingest.settings import MailboxSettings


@click.command("login", cls=Command)
@click.argument("mailbox", required=False)
@click.option("--paste", is_flag=True, help="The browser runs on another machine: paste the address it ends at.")
@click.pass_obj
def command(run: Run, mailbox: str | None, paste: bool) -> int:
    """Consent to reading a mailbox with OAuth2.

    Shows an address, and a code where the provider works with codes; open it in any browser, as the
    mailbox's user. The refresh token is kept in the mailbox's oauth_token_file (mode 0600), and is
    shown nowhere. A mailbox with its own secret or key needs no login.
    """
    settings = _chosen(run, mailbox)
    if run.config.offline and not is_loopback(urlsplit(settings.oauth_token_url).hostname or ""):
        raise UsageError("login needs the network, and --offline forbids it.")
    screen = Screen(run)
    log_in(settings, _telling(settings), _asking if paste else None)
    if screen.json:
        screen.document(mailbox=settings.name, token_file=settings.oauth_token_file)
        return exitcodes.OK
    screen.line(f"Logged in to {clean(settings.name)}. The token is kept in {clean(settings.oauth_token_file)} (0600).")
    screen.note("Next: whosends doctor")
    return exitcodes.OK


def _chosen(run: Run, name: str | None) -> MailboxSettings:
    mailboxes = {settings.name: settings for settings in run.config.mailboxes}
    if name is not None:
        if name not in mailboxes:
            raise UsageError(f"There is no mailbox {name!r}.", meant(name, mailboxes) if mailboxes else "")
        return mailboxes[name]
    waiting = [settings for settings in mailboxes.values() if settings.auth == "oauth2"]
    if len(waiting) != 1:
        said = ", ".join(settings.name for settings in waiting)
        hint = f"Say which one: {said}." if waiting else "Set auth = oauth2 and oauth_provider; see docs/mailboxes.md."
        raise UsageError(f"{len(waiting)} mailboxes log in with OAuth2.", hint)
    return waiting[0]


def _telling(settings: MailboxSettings) -> Callable[[Prompt], None]:
    def tell(prompt: Prompt) -> None:
        # On standard error, whatever --quiet says: without it nothing can go on.
        click.echo(f"To let whosends read {clean(settings.user or settings.name)}, open this address:", err=True)
        click.echo(f"\n    {clean(prompt.address)}\n", err=True)
        if prompt.code:
            click.echo(f"and enter the code {clean(prompt.code)} within {prompt.seconds / 60:.0f} minutes.", err=True)

    return tell


def _asking() -> str:
    click.echo("Afterwards the browser shows that it cannot open a page. Paste that page's address here:", err=True)
    return sys.stdin.readline()
