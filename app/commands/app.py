"""`whosends app`: the web app, on this machine only."""

from __future__ import annotations

import click

from app.commands.base import Command, Run
from app.commands.serving import free_port, serve
from app.render import Screen


@click.command("app", cls=Command)
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Port; else 8501, or the next free one.")
@click.pass_obj
def command(run: Run, port: int | None) -> int:
    """Start the web app on this machine.

    It listens on 127.0.0.1 only, has no login of its own, and sends nothing anywhere. Ctrl-C or
    SIGTERM ends it.
    """
    return serve(Screen(run), free_port(port), passed_on(run))


def passed_on(run: Run) -> dict[str, str]:
    """The environment that gives the app's process the settings of this run."""
    environ = {**run.environ, "WHOSENDS_WAREHOUSE": str(run.config.warehouse_path.absolute())}
    if run.config.file:
        environ["WHOSENDS_CONFIG"] = str(run.config.file)
    if run.config.offline:
        environ["WHOSENDS_OFFLINE"] = "true"
    return environ
