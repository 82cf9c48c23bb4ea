"""What the commands about TLS reports, failure reports and bounces share: their own domains and days."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from app.commands.asking import Asked, Known, scope_of, today
from app.render import Screen
from warehouse import reads_mail
from warehouse.connect import Connection, Warehouse
from warehouse.scope import Scope

DAYS = 30
SHOWN = 50


def mail_scope(warehouse: Warehouse, kind: str, asked: Asked) -> Scope:
    """The scope that was asked for, among the domains and days that this kind of report knows."""
    tomorrow = today() + timedelta(days=1)
    with warehouse.reading() as connection:
        last_days = reads_mail.last_days(connection, kind)
        last = max(last_days.values(), default=tomorrow)
        # A reporter whose clock is ahead must not make all other data look old.
        end = tomorrow if last <= tomorrow else _horizon(connection)
    held = {domain: min(day, end) for domain, day in last_days.items()}
    return scope_of(warehouse, asked, DAYS, Known(held))


def _horizon(connection: Connection) -> date:
    # Not at the top: few need the judgement of aggregate reports for this.
    from analysis.genuine import counted  # noqa: PLC0415
    from analysis.period import horizon  # noqa: PLC0415

    return horizon(connection, counted(connection, Scope()), today())


def table(screen: Screen, titles: dict[str, str], rows: pl.DataFrame, everything: bool) -> None:
    """The columns of `titles` of the first rows, or of all."""
    shown = rows if everything else rows.head(SHOWN)
    screen.table(tuple(titles.values()), shown.select(*titles).rows())
    if shown.height < rows.height:
        screen.note(f"The first {SHOWN} of {rows.height:,}; --all lists all.")
