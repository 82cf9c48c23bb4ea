"""`whosends readiness`: what a stricter policy would block, what stands in between, and which record comes next."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

import click

from analysis.backtest import backtest
from analysis.candidate import Candidate, parse
from analysis.ledger import ledger
from analysis.next_record import next_record
from analysis.readiness import TARGETS, judge, owned, with_dns
from app import exitcodes
from app.commands.asking import Known, known, known_domain, today
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.commands.readiness_text import print_backtest, print_readiness
from app.render import Screen
from ingest.errors import UsageError
from warehouse.connect import Warehouse
from warehouse.scope import Scope

if TYPE_CHECKING:
    from ingest.probes.dmarc import DmarcObservation

PCT: Final = re.compile(r";\s*pct\s*=[^;]*", re.IGNORECASE)  # the next record has none, whatever this one says


@click.command("readiness", cls=Command)
@click.argument("domain", required=False)
@click.option(
    "--target", type=click.Choice(["quarantine", "reject"]), help="The policy to judge; else the domain's own target."
)
@click.option("--candidate", metavar="RECORD", help="A record to try, such as 'p=reject; sp=quarantine; adkim=s'.")
@click.option("--without-include", metavar="HOST", help="Try the SPF record without this include.")
@click.option("--dkim-alone", is_flag=True, help="Try how mail fares where only DKIM counts, as after forwarding.")
@click.option("--record", metavar="RECORD", help="The record as published, so that the next one keeps its tags.")
@click.option("--dns", "asking", is_flag=True, help="Ask DNS for that record, and whether reports may be sent there.")
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

    Where reports may be sent is guessed from whether they arrive; --dns looks, and keeps the tags of the record that
    it finds in the next one to publish.

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
    found, judged = judge(warehouse, {domain: target}, today(), run.config.analysis)
    answer, looked = judged[domain], _looked(run, domain) if asking else None
    if looked:
        answer = with_dns(answer, looked)
        present = present or _present(looked)
    answer = owned(answer, run.config.owner_of(domain))
    days = Scope((domain,), answer.since or today(), answer.until or today())
    told = ledger(warehouse, days, wish, found)
    step = next_record(answer.policy, target, present) if answer.verdict == "go" else None
    screen = Screen(run)
    if screen.json:
        parts = {one.name: getattr(answer, one.name) for one in fields(answer)}
        screen.document(**parts, ledger=told, next=step, dns=looked)
    else:
        print_readiness(screen, answer, told, step)
    return exitcodes.VERDICTS[answer.verdict]


def _looked(run: Run, domain: str) -> DmarcObservation:
    if run.config.offline:
        raise UsageError("--dns needs the network, and --offline forbids it.")
    from ingest.probes.dmarc import probe  # noqa: PLC0415 - nobody else here asks DNS
    from ingest.probes.resolver import Resolver  # noqa: PLC0415

    return probe(domain, Resolver(run.config.resolver))


def _present(looked: DmarcObservation) -> Candidate | None:
    """The record as it stands; None where it is another domain's, or not one that we can keep as it is."""
    if looked.record is None or looked.found_at != looked.domain:
        return None
    try:
        return parse(PCT.sub("", looked.record))
    except UsageError:
        return None


def _backtest(run: Run, warehouse: Warehouse, names: Known, domain: str | None) -> int:
    asked = (known_domain(names, domain),) if domain else ()
    found = backtest(warehouse, asked, today(), run.config.analysis)
    screen = Screen(run)
    if screen.json:
        screen.document(**{one.name: getattr(found, one.name) for one in fields(found)})
    else:
        print_backtest(screen, found)
    return exitcodes.OK if found.experiments else exitcodes.UNKNOWN
