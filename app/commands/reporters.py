"""`whosends reporters`: who writes the reports, who vouches for them, and who has fallen silent."""

from __future__ import annotations

import click

from analysis.genuine import Genuineness, genuineness
from app import exitcodes
from app.commands.asking import UNTOLD, Asked, scope_of, scoped
from app.commands.base import Command, Run
from app.commands.opening import warehouse_of
from app.render import Screen, share

DAYS = 120  # a reporter's habits show over months
SHOWN = 50
COLUMNS = ("Reporter", "Grade", "Signed by", "Reports", "Messages", "Share", "Left out", "Last day", "Silent since")


@click.command("reporters", cls=Command)
@click.option("--all", "everything", is_flag=True, help=f"All of them in the table, not the {SHOWN} largest.")
@scoped
@click.pass_obj
def command(run: Run, asked: Asked, everything: bool) -> int:
    """Who writes the reports, and are they genuine?

    The grade tells whether the mails that the reports came in are signed (DKIM): verified by a domain of
    the reporter's, mismatch by other domains only, unverified by none, unattested where no mail was at
    hand, as with files. Messages that are left out count in no verdict. Over the last 120 days with data.
    Ends with 3 where those days hold no reports.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = scope_of(warehouse, asked, DAYS)
    with warehouse.reading() as connection:
        found = genuineness(connection, scope)
    if screen.json:
        screen.document(reporters=found)
    elif found:
        shown = found if everything else found[:SHOWN]
        screen.table(COLUMNS, [_row(one) for one in shown])
        if len(shown) < len(found):
            screen.note(f"The {SHOWN} largest of {len(found):,}; --all lists all.")
    else:
        screen.note(UNTOLD)
    return exitcodes.OK if found else exitcodes.UNKNOWN


def _row(one: Genuineness) -> tuple[object, ...]:
    return (
        one.reporter,
        one.grade,
        ", ".join(one.attested_by) or None,
        one.reports,
        one.messages,
        share(one.share),
        one.left_out,
        one.last_day,
        one.silent_since,
    )
