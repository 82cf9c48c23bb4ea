"""`whosends ingest`: reports from files; never uses the network."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click

from app import exitcodes
from app.commands.base import Command, Run
from app.commands.loading import loader_of, tell, warm_up
from app.commands.progress import progress
from app.commands.upgrading import upgrade
from app.render import Screen
from app.without import for_good
from ingest.inputs.files import FileInput
from warehouse.load import load


@click.command("ingest", cls=Command)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that read, beside the one that stores; worth it from ten thousand files on.",
)
@click.pass_obj
def command(run: Run, paths: tuple[str, ...], jobs: int) -> int:
    """Read reports from files, folders, Maildir, mbox, zip files of mails or standard input (-).

    Files may be XML, gzip, zip, tar or whole mails. Reading the same file again changes nothing. Never
    uses the network. A message that was refused is kept in quarantine with the reason and does not
    change the exit code: anybody can send one, and all else was stored. Then the answers that people will
    ask for first are worked out, for warehouse.warm seconds at the most.
    """
    screen = Screen(run)
    with progress(screen, "Reading") as report:
        loader = replace(loader_of(run, report), jobs=jobs, prepare=partial(for_good, "pandas"))
        summary = load(FileInput(paths, run.config.limits), loader)
    upgrade(run)
    tell(screen, summary)
    screen.stream().flush()
    warm_up(run, summary)
    return exitcodes.OK
