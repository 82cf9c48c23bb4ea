"""The command line: which commands there are, and how a run ends. Each command is a file in app/commands."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from app import config, exitcodes
from app.commands.base import LazyGroup, OutputClosed, Run
from app.logs import one_line
from app.without import without
from ingest.errors import Error

COMMANDS = {
    "init": "Set up a mailbox: connect, count, write the configuration.",
    "login": "Consent to reading a mailbox (OAuth2), once.",
    "doctor": "Check the installation, the warehouse, DNS and the mailboxes.",
    "demo": "Show the app with the reports of an invented organisation.",
    "ingest": "Read reports from files, folders, mailbox files or standard input.",
    "poll": "Read new reports from the configured mailboxes.",
    "status": "How does each domain stand?",
    "findings": "What should I do first? List, assign, note, fix, snooze, close.",
    "sources": "Who sends as me, and is it mine? List and decide.",
    "selectors": "Which DKIM selectors are in use, and which may go?",
    "drift": "Whose alignment changed, when, and why?",
    "changes": "What else changed? Sources, volumes, forged mail, policy, selectors, reporters.",
    "readiness": "What would a stricter policy block?",
    "reporters": "Who writes the reports, and are they genuine?",
    "services": "Which services are known, and how are they set up?",
    "tls": "Do others reach my mail servers encrypted?",
    "failures": "Which single messages failed authentication?",
    "bounces": "What was not delivered, and why?",
    "report": "The week on one page, for people and mail.",
    "alert": "Tell people of findings: webhook, mail, chat.",
    "audit": "Who did what, and is the log of it whole?",
    "quarantine": "What was refused, and why; show it, try again, write it out, drop it.",
    "reparse": "Read stored reports again with this version.",
    "backup": "Copy the whole warehouse, while others use it.",
    "restore": "Put a copy in the warehouse's place.",
    "prune": "Remove what is older than its days.",
    "query": "Ask the warehouse in SQL, read-only.",
    "export": "Write a table as CSV, Parquet or NDJSON.",
    "config": "Show the settings and where each comes from.",
    "app": "Start the web app on this machine.",
}

log = logging.getLogger(__name__)


@click.group(
    cls=LazyGroup,
    sentences=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="whosends", message="%(prog)s %(version)s")
def cli() -> None:
    """Read DMARC aggregate reports: who sends as you, what changed, what p=reject would break.

    The options below may stand before or after the command.
    """


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run that did not succeed ends: one or two lines for a person, a code for a program."""

    message: str
    hint: str
    exit_code: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code; never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _steady()
    try:
        # Streamlit brings pandas along. DuckDB and pyarrow load it wherever they can, at the first value they are
        # given, only to tell its missing values apart; no command has any, and each would wait 0.2 s for it.
        with without("pandas"), _rare_collections():
            result = cli.main(given, prog_name="whosends", standalone_mode=False, obj=Run(config.environment()))
        _flush()
    except OutputClosed:
        _silence()
        return exitcodes.CLOSED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a person sees a line or two, no traceback
        ending, as_json = _ending(error), "--json" in (given[: given.index("--")] if "--" in given else given)
        if isinstance(error, click.exceptions.NoArgsIsHelpError) and not as_json:
            sys.stderr.write(f"{error.format_message()}\n")
        else:
            _tell(ending, as_json=as_json)
        return ending.exit_code
    return result if isinstance(result, int) else exitcodes.OK


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles seldom: an answer makes many objects, and none of them is in one. It saves a tenth."""
    before = gc.get_threshold()
    gc.set_threshold(50 * before[0], *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _ending(error: BaseException) -> Ending:
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        hint = f"Try '{context.command_path} --help'." if context else ""
        asked = isinstance(error, click.exceptions.NoArgsIsHelpError)  # whose message is the help itself
        return Ending("Missing command." if asked else error.format_message(), hint, exitcodes.USAGE)
    if isinstance(error, Error):
        log.debug("command.fail", exc_info=error)
        return Ending(error.message, error.hint, error.exit_code)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Ending("Stopped.", "", exitcodes.INTERRUPTED)
    log.info("command.fail", exc_info=error)
    if isinstance(error, OSError):
        return Ending(f"{error.strerror or error}: {error.filename or 'input or output'}.", "", exitcodes.FAILED)
    hint = "This is a fault in whosends. Run again with --verbose to see where, and report it."
    return Ending(f"{type(error).__name__}: {error}", hint, exitcodes.FAILED)


def _tell(ending: Ending, *, as_json: bool) -> None:
    """Say what happened on standard error, and as a document on standard output where one is wanted."""
    lines = [f"Error: {ending.message}", *([ending.hint] if ending.hint else [])]
    try:
        sys.stderr.write("".join(f"{one_line(line)}\n" for line in lines))
        if as_json:
            document = {"schema_version": 1, "error": dataclasses.asdict(ending)}
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
        _flush()
    except (OSError, OutputClosed):
        _silence()


def _steady() -> None:
    """What the terminal's encoding cannot say is replaced, not a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error


def _silence() -> None:
    """Keep the interpreter from complaining, at its exit, about what it could not write."""
    with contextlib.suppress(OSError, ValueError):  # a test's stdout has no file number
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
