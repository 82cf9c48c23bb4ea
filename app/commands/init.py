"""`whosends init`: a mailbox is named, looked into, and written to the configuration."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import click

from app import config, exitcodes
from app.choices import at_home
from app.commands.base import Command, Run
from app.commands.mailboxes import folders, sample, told
from app.render import Screen, clean
from ingest.errors import UsageError
from ingest.inputs.oauth_login import wants_person
from ingest.settings import MailboxSettings

FILES = {"password_file", "ca_file", "oauth_client_secret_file", "oauth_key_file"}
SET = {one.name for one in fields(MailboxSettings)}


@click.command("init", cls=Command)
@click.option(
    "--kind", type=click.Choice(["imap", "gmail", "graph"]), default="imap", show_default=True, help="How it is read."
)
@click.option("--host", metavar="NAME", help="IMAP server.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port; else 993 with TLS, 143 otherwise."
)
@click.option("--security", type=click.Choice(["tls", "starttls", "plain"]), default="tls", show_default=True)
@click.option(
    "--ca-file", default="", metavar="FILE", help="PEM of the authority that signed the server's certificate."
)
@click.option("--user", metavar="NAME", help="Login name.")
@click.option("--password-command", default="", metavar="COMMAND", help="Command that prints the password.")
@click.option("--password-file", default="", metavar="FILE", help="File of mode 0600 that holds the password.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--oauth-provider", type=click.Choice(["google", "microsoft", "custom"]), help="Log in with OAuth2.")
@click.option("--oauth-client-id", default="", metavar="ID", help="Id of your application at that provider.")
@click.option("--oauth-client-secret-file", default="", metavar="FILE", help="File that holds its secret.")
@click.option("--oauth-key-file", default="", metavar="FILE", help="File that holds its key, instead of a secret.")
@click.option("--oauth-tenant", default="", metavar="ID", help="Microsoft tenant.")
@click.option("--folder", "folders", multiple=True, default=("INBOX",), show_default=True, help="Folder; repeatable.")
@click.option("--name", default="main", show_default=True, help="What the mailbox is called in messages.")
@click.pass_obj
def command(run: Run, /, password_stdin: bool, **given: object) -> int:
    """Set up a mailbox: connect, count, write the configuration.

    Asks for what is not given. Looks into the mailbox without changing anything in it; with
    --offline, or before somebody has consented (see login), it does not even look. Passwords and
    secrets are never taken from the command line.
    """
    screen = Screen(run)
    file, existing = _target(run)
    if given["name"] in {mailbox.name for mailbox in existing.mailboxes}:
        raise UsageError(f"{file} has a mailbox {given['name']!r} already.", "Edit the file, or choose another --name.")
    settings = _asked(given, password_stdin)
    offline = existing.offline or bool(run.options.get("offline"))
    first = f"whosends login {settings.name}" if wants_person(settings) else ""
    found = {} if offline or first else folders(settings)
    seen = sample(settings, existing.limits, found)
    _write(file, settings)
    if screen.json:
        counts = {folder: messages for folder, (messages, _, _) in found.items()}
        screen.document(file=str(file), mailbox=settings.name, folders=counts, sample=seen)
        return exitcodes.OK
    for line in told(settings, found, seen):
        screen.line(clean(line))
    screen.line(f"Configuration written to {file} (0600).")
    next_step = first or ("whosends doctor" if offline else "whosends poll")
    screen.note(f"Next, with the network: {next_step}" if offline else f"Next: {next_step}")
    return exitcodes.OK


def _target(run: Run) -> tuple[Path, config.Config]:
    """Where to write, and what stands there already."""
    named = run.options.get("config") or run.environ.get("WHOSENDS_CONFIG")
    file = at_home(Path(named), "--config") if named else config.locate(None, run.environ) or config.user_file()
    if not file.is_file():
        return file, config.Config()
    return file, config.load(file, {}, {})


def _asked(given: dict[str, object], password_stdin: bool) -> MailboxSettings:
    """The settings, from the options and, where those are silent, from the person."""
    values = {key: value for key, value in given.items() if key in SET}
    values["oauth_provider"] = values["oauth_provider"] or ""
    values["auth"] = "oauth2" if values["oauth_provider"] else "password"
    if values["kind"] != "imap" and values["auth"] != "oauth2":
        raise UsageError(f"--kind {values['kind']} is read with OAuth2.", "Give --oauth-provider.")
    for key, title in (("host", "IMAP host"), ("user", "User")):
        if key == "user" or values["kind"] == "imap":
            values[key] = values[key] or _prompted(title, f"--{key}")
    values["host"] = values["host"] or ""
    if values["auth"] == "oauth2":
        pass
    elif password_stdin:
        values["password"] = sys.stdin.readline().rstrip("\r\n")
    elif not values["password_command"] and not values["password_file"]:
        values["password"] = _prompted("Password", "--password-file, --password-command or --password-stdin", hide=True)
    for key in FILES & values.keys():
        given_as = f"--{key.replace('_', '-')}"
        values[key] = str(at_home(Path(str(values[key])), given_as).absolute()) if values[key] else ""
    return MailboxSettings(**values)  # type: ignore[arg-type]


def _prompted(title: str, option: str, *, hide: bool = False) -> object:
    if not sys.stdin.isatty():
        raise UsageError(f"{title} is not given, and there is nobody to ask.", f"Give {option}.")
    return click.prompt(title, hide_input=hide, err=True)


def _write(file: Path, settings: MailboxSettings) -> None:
    default = MailboxSettings()
    lines = ["[[mailbox]]", f"name = {config.toml(settings.name)}"]
    for one in fields(settings):
        value = getattr(settings, one.name)
        if value != getattr(default, one.name) and one.name != "name":
            lines.append(f"{one.name} = {config.toml(value)}")
    config.append(file, "\n".join(lines) + "\n")
