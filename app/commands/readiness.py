"""`whosends readiness`: what a stricter policy would have blocked, and what stands in between."""

from __future__ import annotations

from dataclasses import fields

import click

from analysis.readiness import Readiness, readiness
from app import exitcodes
from app.commands.asking import known, known_domain, today
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen, clean

SHOWN = 20


@click.command("readiness", cls=Command)
@click.argument("domain")
@click.option(
    "--target", type=click.Choice(["quarantine", "reject"]), help="The policy to judge; else the domain's own target."
)
@click.pass_obj
def command(run: Run, domain: str, target: str | None) -> int:
    """What would a stricter policy have blocked?

    Ends with 0 for go, 1 for stop, 3 for unknown: too little or too old data proves nothing.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    domain = known_domain(known(warehouse), domain)
    target = target or run.config.targets.get(domain, "reject")
    answer = readiness(warehouse, domain, target, today(), run.config.analysis)
    if screen.json:
        screen.document(**{one.name: getattr(answer, one.name) for one in fields(answer)})
    else:
        _print(screen, answer)
    return exitcodes.VERDICTS[answer.verdict]


def _print(screen: Screen, answer: Readiness) -> None:
    screen.line(f"{answer.domain}, p={answer.published or 'none'} to p={answer.target}: {answer.verdict}")
    screen.line(
        f"{answer.messages:,} messages on {answer.days} days with reports; p={answer.target} would have blocked "
        f"{answer.legitimate_blocked:,} legitimate, {answer.forwarded_blocked:,} forwarded, "
        f"{answer.undecided_blocked:,} undecided, and stopped {answer.spoofing_blocked:,} spoofed."
    )
    screen.line("")
    screen.table(
        ("Gate", "State", "Evidence", "Fix", "Owner"),
        [(gate.id, gate.state, gate.evidence, gate.fix, gate.owner) for gate in answer.gates],
    )
    # What hurts comes first: spoofed mail is meant to be blocked.
    blocked = sorted((s for s in answer.sources if s.would_block), key=lambda s: (s.kind == "spoofing", -s.would_block))
    if blocked:
        screen.line("")
        screen.table(
            ("Source", "Name", "Looks", "Decision", "Would block", "At least", "At most", "Blocked already"),
            [
                (s.source_key, clean(s.name), s.kind, s.decision, s.would_block, s.low, s.high, s.already_blocked)
                for s in blocked[:SHOWN]
            ],
        )
        if len(blocked) > SHOWN:
            screen.note(f"The first {SHOWN} of {len(blocked):,} sources; --json gives all.")
