"""`whosends failures`: single messages that failed authentication, as failure reports tell of them."""

from __future__ import annotations

import click

from app import exitcodes
from app.commands.asking import Asked, scoped
from app.commands.base import Command, Run
from app.commands.mail_asking import SHOWN, mail_scope, table
from app.commands.opening import warehouse_of
from app.render import Screen
from warehouse import reads_mail

SOURCES = {
    "domain": "Domain",
    "header_from": "From",
    "source_ip": "Source",
    "incidents": "Messages",
    "spf_result": "SPF",
    "mail_from_domain": "SPF domain",
    "dkim_result": "DKIM",
    "dkim_domain": "DKIM domain",
    "dkim_selector": "Selector",
    "delivery_result": "Delivery",
    "reporters": "Reporters",
    "first_day": "First day",
    "last_day": "Last day",
}
REPORTS = {
    "arrival_at": "Arrived",
    "domain": "Domain",
    "source_ip": "Source",
    "reporter": "Reporter",
    "delivery_result": "Delivery",
    "authentication_results": "Results",
}


@click.command("failures", cls=Command)
@click.option("--reports", "single", is_flag=True, help="Report by report, the latest first.")
@click.option("--complaints", is_flag=True, help="Complaints (abuse and the like) in the place of failures.")
@click.option("--all", "everything", is_flag=True, help=f"All rows in the table, not the first {SHOWN}.")
@scoped
@click.pass_obj
def command(run: Run, asked: Asked, single: bool, complaints: bool, everything: bool) -> int:
    """Which single messages failed authentication?

    From failure reports (RFC 9991, RFC 6591) of the last 30 days with data, by source. Local parts,
    subjects and bodies are not kept unless the setting privacy.failure_reports is full. Ends with 3 where
    there are no such reports.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = mail_scope(warehouse, "failures", asked)
    with warehouse.reading() as connection:
        sources = reads_mail.failure_sources(connection, scope, complaints=complaints)
        reports = reads_mail.failures(connection, scope, complaints=complaints)
    if screen.json:
        screen.document(sources=sources.to_dicts(), reports=reports.to_dicts())
    elif sources.is_empty():
        screen.note("No such report covers these days. Few receivers send failure reports at all.")
    elif single:
        table(screen, REPORTS, reports, everything)
    else:
        table(screen, SOURCES, sources, everything)
    return exitcodes.UNKNOWN if sources.is_empty() else exitcodes.OK
