"""`whosends tls`: whether others reach our mail servers encrypted, as SMTP TLS reports say."""

from __future__ import annotations

import click

from app import exitcodes
from app.commands.asking import Asked, scoped
from app.commands.base import Command, Run
from app.commands.mail_asking import SHOWN, mail_scope, table
from app.commands.opening import warehouse_of
from app.render import Screen
from warehouse import reads_mail

POLICIES = {
    "domain": "Domain",
    "policy_type": "Policy",
    "successful_sessions": "Encrypted",
    "failed_sessions": "Failed",
    "reporters": "Reporters",
    "first_day": "First day",
    "last_day": "Last day",
}
FAILURES = {
    "domain": "Domain",
    "result_type": "Result",
    "receiving_mx_hostname": "Mail server",
    "failure_reason_code": "Reason",
    "failed_sessions": "Failed",
    "senders": "Senders",
    "reporters": "Reporters",
    "first_day": "First day",
    "last_day": "Last day",
}


@click.command("tls", cls=Command)
@click.option("--all", "everything", is_flag=True, help=f"All rows in the tables, not the first {SHOWN}.")
@scoped
@click.pass_obj
def command(run: Run, asked: Asked, everything: bool) -> int:
    """Do others reach my mail servers encrypted?

    From SMTP TLS reports (RFC 8460) of the last 30 days with data: sessions under each policy, and what
    failed. Ends with 3 where there are no such reports.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = mail_scope(warehouse, "tls", asked)
    with warehouse.reading() as connection:
        policies = reads_mail.tls_policies(connection, scope)
        failures = reads_mail.tls_failures(connection, scope)
        days = reads_mail.tls_days(connection, scope)
    if screen.json:
        screen.document(policies=policies.to_dicts(), failures=failures.to_dicts(), days=days.to_dicts())
    elif policies.is_empty():
        screen.note("No TLS report covers these days. They are asked for by a DNS record at _smtp._tls.DOMAIN.")
    else:
        table(screen, POLICIES, policies, everything)
        if not failures.is_empty():
            screen.line("")
            table(screen, FAILURES, failures, everything)
    return exitcodes.UNKNOWN if policies.is_empty() else exitcodes.OK
