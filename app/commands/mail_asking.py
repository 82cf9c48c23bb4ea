"""What the commands about TLS reports, failure reports and bounces share: their own domains and days."""

from __future__ import annotations

import polars as pl

from app.commands.asking import Asked, Known, scope_of, today
from app.render import Screen
from warehouse import reads_mail
from warehouse.connect import Warehouse
from warehouse.scope import Scope

DAYS = 30
SHOWN = 50


def mail_scope(warehouse: Warehouse, kind: str, asked: Asked) -> Scope:
    """The scope that was asked for, among the domains and days that this kind of report knows."""
    # Not at the top: the judgement of aggregate reports comes along.
    from analysis.period import believed  # noqa: PLC0415

    with warehouse.reading() as connection:
        held = believed(connection, reads_mail.last_days(connection, kind), today())
    return scope_of(warehouse, asked, DAYS, Known(held))


def table(screen: Screen, titles: dict[str, str], rows: pl.DataFrame, everything: bool) -> None:
    """The columns of `titles` of the first rows, or of all."""
    shown = rows if everything else rows.head(SHOWN)
    screen.table(tuple(titles.values()), shown.select(*titles).rows())
    if shown.height < rows.height:
        screen.note(f"The first {SHOWN} of {rows.height:,}; --all lists all.")
