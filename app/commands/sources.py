"""`whosends sources`: who sends, what each looks like, and what people decided about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from analysis.missing import missing, sentences
from analysis.sources import Source, each, sources
from app import exitcodes
from app.commands.asking import Asked, scope_of, scoped, today
from app.commands.base import Group, Run
from app.commands.deciding import add_decisions
from app.commands.declaring import add_declarations
from app.commands.explaining import add_explanations
from app.commands.opening import warehouse_of
from app.render import Screen, share

KINDS = ("aligned", "misaligned", "forwarded", "unknown", "spoofing")
SHOWN = 50
COLUMNS = (
    "Domain", "Source", "Name", "Verdict", "Sure", "Mine by", "Messages", "Aligned", "Passed on", "First seen",
    "Last seen", "Decision", "Owner",
)  # fmt: skip


def _listing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of the list; it is asked for with and without its name."""
    for option in (
        click.option("--kind", type=click.Choice(KINDS), help="Only sources that look so."),
        click.option(
            "--new", is_flag=True, help="Only sources that are new, and what to ask whom; ends with 1 if any."
        ),
        click.option("--undecided", is_flag=True, help="Only sources without a decision; ends with 1 if there are."),
        click.option("--all", "everything", is_flag=True, help=f"All of them in the table, not the {SHOWN} largest."),
        scoped,
    ):
        command = option(command)
    return command


@click.group("sources", cls=Group, invoke_without_command=True)
@_listing
@click.pass_context
def command(context: click.Context, /, asked: Asked, **chosen: Any) -> int:
    """Who sends as me, and is it mine?

    Without a sub-command, lists the sources of the last 30 days with data, the largest first; ends
    with 3 where those days hold no reports. The sub-commands record decisions, also from a file, and
    hold what is seen against them; they change nothing in DNS.
    """
    return _list(context.obj, asked, **chosen) if context.invoked_subcommand is None else exitcodes.OK


@command.command("list")
@_listing
@click.pass_obj
def list_(run: Run, /, asked: Asked, **chosen: Any) -> int:
    """List the sources, the largest first."""
    return _list(run, asked, **chosen)


def _list(run: Run, asked: Asked, kind: str | None, new: bool, undecided: bool, everything: bool) -> int:
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = scope_of(warehouse, asked, run.config.readiness.days)
    every = sources(warehouse, scope, today(), run.config.sources)
    told = enumerate(each(every, "kind", "decided", "is_new"))
    found = every.chosen(
        [
            at
            for at, (looks, decided, is_new) in told
            if (not kind or looks == kind) and not (undecided and decided) and (is_new or not new)
        ]
    )
    estimates = missing(warehouse, scope, every)
    if screen.json:
        screen.document(sources=found, unseen=estimates)
    elif found:
        shown = found if everything else found[:SHOWN]
        asks = [(source.question,) if new else () for source in shown]
        titles = (*COLUMNS, "Ask") if new else COLUMNS
        screen.table(titles, [(*_row(source), *ask) for source, ask in zip(shown, asks, strict=True)])
        if len(shown) < len(found):
            screen.note(f"The {SHOWN} largest of {len(found):,}; --all lists all.")
        for sentence in sentences(estimates):
            screen.note(sentence)
        screen.note("'whosends sources show SOURCE' tells why, and what to ask whom.")
    else:
        screen.note(
            "There is no such source."
            if every and not new
            else "No source is new."
            if every
            else "No source sent in these days."
        )
    if not every:
        return exitcodes.UNKNOWN
    return exitcodes.FOUND if (undecided or new) and found else exitcodes.OK


def _row(source: Source) -> tuple[object, ...]:
    return (
        source.domain,
        source.source_key,
        source.name,
        source.verdict,
        share(source.confidence),
        source.proof,
        source.messages,
        share(source.aligned, source.messages),
        _passed_on(source),
        source.first_seen,
        source.last_seen,
        source.decided or _expired(source),
        source.owner,
    )


def _passed_on(source: Source) -> str:
    """How much of its mail it only passed on."""
    path = source.path
    return share(path.passed_on, path.direct + path.passed_on) if path else ""


def _expired(source: Source) -> str | None:
    """A decision whose last day is over is one to look at again."""
    return "expired decision" if source.decision else None


add_decisions(command)
add_declarations(command)
add_explanations(command)
