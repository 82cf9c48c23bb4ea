"""`whosends readiness`: what a stricter policy would block, what stands in between, and which record comes next."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import click

from analysis.backtest import backtest
from analysis.below import below
from analysis.candidate import Candidate, parse
from analysis.ledger import ledger
from analysis.next_record import next_record, present_of
from analysis.readiness import TARGETS, owned, readiness, with_dns
from analysis.sources import sources
from analysis.tree import Tree, tree_of
from app import exitcodes
from app.commands.asking import Known, known, known_domain, now, today
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.commands.readiness_text import print_backtest, print_readiness
from app.commands.two_rules_text import print_looked
from app.render import Screen
from ingest.errors import UsageError
from warehouse.connect import Warehouse
from warehouse.scope import Scope

if TYPE_CHECKING:
    from app.looking import Looked


@click.command("readiness", cls=Command)
@click.argument("domain", required=False)
@click.option(
    "--target", type=click.Choice(["quarantine", "reject"]), help="The policy to judge; else the domain's own target."
)
@click.option("--candidate", metavar="RECORD", help="A record to try, such as 'p=reject; sp=quarantine; adkim=s'.")
@click.option("--without-include", metavar="HOST", help="Try the SPF record without this include.")
@click.option("--dkim-alone", is_flag=True, help="Try how mail fares where only DKIM counts, as after forwarding.")
@click.option("--record", metavar="RECORD", help="The record as published, so that the next one keeps its tags.")
@click.option("--dns", "asking", is_flag=True, help="Ask DNS: that record, where reports may go, the tree of names.")
@click.option("--backtest", "tested", is_flag=True, help="Hold earlier forecasts against what receivers then refused.")
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 -- click hands over each option
    run: Run,
    domain: str | None,
    target: str | None,
    candidate: str | None,
    without_include: str | None,
    dkim_alone: bool,
    record: str | None,
    asking: bool,
    tested: bool,
) -> int:
    """What would a stricter policy block?

    Judges each row of the reports again under the candidate: what receivers refused already is told apart from what
    they would refuse, which has a range. Ends with 0 for go, 1 for stop, 3 for unknown: too little or too old data
    proves nothing.

    --dns asks DNS for the record as it stands and keeps its tags in the next one to publish; whether those who get its
    reports say that they take them; and for every name that mail carries whose record applies to it and which names are
    aligned with it, by RFC 9989's tree walk. What DNS says is kept: it is asked again when its TTL is over, and counts
    without --dns too, with its day.

    --backtest takes each time that a policy turned stricter as an experiment; DOMAIN may then be left out.
    """
    wish, present = (parse(text) if text is not None else None for text in (candidate, record))
    warehouse = warehouse_of(run)
    names = known(warehouse)
    if tested:
        return _backtest(run, warehouse, names, domain)
    if domain is None:
        raise UsageError("Say which domain.", "whosends status lists those with reports.")
    domain = known_domain(names, domain)
    target = target or (wish.p if wish and wish.p in TARGETS else run.config.targets.get(domain, "reject"))
    wish = replace(wish or Candidate(target), dkim_alone=dkim_alone, without_include=without_include or "")
    return _answer(run, warehouse, (domain, target), wish, present, asking=asking)


def _answer(
    run: Run, warehouse: Warehouse, aim: tuple[str, str], wish: Candidate, present: Candidate | None, *, asking: bool
) -> int:
    """Judge a domain and target, and print it."""
    domain, target = aim
    judged = readiness(warehouse, domain, target, today(), run.config.analysis)
    days = Scope((domain,), judged.since or today(), judged.until or today())
    found = sources(warehouse, days, today(), run.config.sources)
    looked = _asked(run, warehouse, days) if asking else None
    tree = looked.tree if looked else _kept(warehouse, days)
    answer = with_dns(judged, tree.observation) if asking else judged
    answer = owned(answer, run.config.owner_of(domain))
    told = ledger(warehouse, days, wish, found, tree)
    names = below(warehouse, days, wish, found, today(), run.config.sources)
    present = present or (present_of(tree.observation) if asking else None)
    step = next_record(answer.policy, target, present) if answer.verdict == "go" else None
    screen = Screen(run)
    if screen.json:
        parts = {one.name: getattr(answer, one.name) for one in fields(answer)}
        screen.document(**parts, ledger=told, below=names, next=step, **_dns(tree, asked=asking))
    else:
        print_readiness(screen, answer, told, names, step)
        if looked:
            print_looked(screen, looked)
    return exitcodes.VERDICTS[answer.verdict]


def _dns(tree: Tree, *, asked: bool) -> dict[str, object]:
    """What DNS says of the record, and since when that is known; nothing where it was never asked."""
    at = tree.observed_at
    return {"dns": tree.observation if asked or at else None, "dns_seen_at": at}


def _asked(run: Run, warehouse: Warehouse, days: Scope) -> Looked:
    if run.config.offline:
        raise UsageError("--dns needs the network, and --offline forbids it.")
    from app.looking import ask_dns  # noqa: PLC0415 - nobody else here asks DNS

    return ask_dns(warehouse, days, run.config.resolver, now())


def _kept(warehouse: Warehouse, days: Scope) -> Tree:
    with warehouse.reading() as connection:
        return tree_of(connection, days)


def _backtest(run: Run, warehouse: Warehouse, names: Known, domain: str | None) -> int:
    asked = (known_domain(names, domain),) if domain else ()
    found = backtest(warehouse, asked, today(), run.config.analysis)
    screen = Screen(run)
    if screen.json:
        screen.document(**{one.name: getattr(found, one.name) for one in fields(found)})
    else:
        print_backtest(screen, found)
    return exitcodes.OK if found.experiments else exitcodes.UNKNOWN
