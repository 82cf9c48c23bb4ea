"""`whosends bounces`: what was not delivered, or late, and what the other side said."""

from __future__ import annotations

import click
import polars as pl

from analysis.bounces import KINDS, bounces
from app import exitcodes
from app.commands.asking import Asked, scoped
from app.commands.base import Command, Run
from app.commands.mail_asking import SHOWN, mail_scope, table
from app.commands.opening import warehouse_of
from app.render import Screen
from warehouse import reads_mail

GROUPS = {
    "kind": "Kind",
    "provider": "Who refused",
    "pattern": "Pattern",
    "recipients": "Times",
    "addresses": "Addresses",
    "code": "Code",
    "domain": "Domain",
    "first_day": "First day",
    "last_day": "Last day",
    "diagnostic": "What was said, for example",
}
DELIVERIES = {
    "domain": "Domain",
    "action": "Action",
    "code": "Code",
    "smtp_code": "SMTP",
    "code_meaning": "Meaning",
    "recipient_domain": "Recipients at",
    "recipients": "Times",
    "addresses": "Addresses",
    "first_day": "First day",
    "last_day": "Last day",
    "diagnostic": "What was said",
}
SINGLE = {
    "sent_at": "Sent",
    "domain": "Domain",
    "action": "Action",
    "code": "Code",
    "recipient_domain": "Recipient at",
    "recipient": "Recipient",
    "remote_mta": "Mail server",
    "form": "Form",
    "diagnostic": "What was said",
}


@click.command("bounces", cls=Command)
@click.option("--codes", is_flag=True, help="By status code and recipients' domain, delays and successes too.")
@click.option("--recipients", "single", is_flag=True, help="Recipient by recipient, the latest first.")
@click.option("--all", "everything", is_flag=True, help=f"All rows in the table, not the first {SHOWN}.")
@scoped
@click.pass_obj
def command(run: Run, asked: Asked, codes: bool, single: bool, everything: bool) -> int:
    """What was not delivered, and why?

    From delivery status notifications (RFC 3464, and the texts of mail systems that write none) of the last 30
    days with data, by kind (authentication, policy, hard, throttled, soft, or fake: probably never your mail) and
    by who refused; and whether it is a pattern (3 addresses on 2 days, or 10 addresses) or a single case. Local
    parts and subjects are not kept unless the setting privacy.bounces is full. Ends with 3 where there are none.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = mail_scope(warehouse, "bounces", asked)
    _, groups = bounces(warehouse, scope)
    groups = by_worth(groups)
    with warehouse.reading() as connection:
        deliveries = reads_mail.deliveries(connection, scope)
        days = reads_mail.delivery_days(connection, scope)
        statuses = reads_mail.delivery_statuses(connection, scope)
    if screen.json:
        parts = {"groups": groups, "deliveries": deliveries, "days": days, "recipients": statuses}
        screen.document(**{name: rows.to_dicts() for name, rows in parts.items()})
    elif deliveries.is_empty():
        screen.note("No bounce was read of these days. They must come to a mailbox that is polled.")
    elif single:
        table(screen, SINGLE, statuses, everything)
    elif codes:
        table(screen, DELIVERIES, deliveries, everything)
    elif groups.is_empty():
        screen.note("All of it was delivered; --codes lists the notices.")
    else:
        told = pl.when("pattern").then(pl.lit("pattern")).otherwise(pl.lit("single"))
        table(screen, GROUPS, groups.with_columns(pattern=told), everything)
    return exitcodes.UNKNOWN if deliveries.is_empty() else exitcodes.OK


def by_worth(groups: pl.DataFrame) -> pl.DataFrame:
    """Patterns before single cases, and the kinds most worth a person's time first."""
    rank = pl.col("kind").replace_strict({kind: at for at, kind in enumerate(KINDS)}, return_dtype=pl.Int64)
    return groups.sort(~pl.col("pattern"), rank, -pl.col("recipients").cast(pl.Int64), "domain", "provider")
