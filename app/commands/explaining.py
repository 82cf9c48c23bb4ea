"""`whosends sources show` and `history`: why a source is judged so, and how it came to be one source."""

from __future__ import annotations

import click
import polars as pl

from analysis.counted_rows import MOST, counted_rows
from analysis.facts import PROOFS
from analysis.sources import Source, sources
from analysis.verdict import VERDICTS
from analysis.wording import count
from app import exitcodes
from app.commands.asking import Asked, now, scope_of, scoped, today
from app.commands.base import Command, Run
from app.commands.deciding import actor
from app.commands.naming import meant_by
from app.commands.opening import warehouse_of
from app.render import Screen, clean, share
from ingest.errors import UsageError
from warehouse import blocklists
from warehouse.connect import Warehouse
from warehouse.scope import Scope

LEDGER = ("Weight", "Evidence", "Rows in")
BLOCKLISTS = ("Blocklist", "Addresses asked", "Listed", "Codes", "When")
HISTORY = ("Change", "When", "What", "From", "To", "Addresses", "Messages", "Cause", "Who", "Taken back")
CAUSES = {
    "names": "reverse names",
    "records": "DNS of our domains",
    "upgrade": "an upgrade",
    "undo": "taken back",
}


def add_explanations(group: click.Group) -> None:
    """Give the group its sub-commands that explain."""
    for one in (show, history):
        group.add_command(one)


@click.command("show", cls=Command)
@click.argument("key", metavar="SOURCE")
@click.option("--rows", "with_rows", is_flag=True, help="Also the rows that the evidence was counted from.")
@scoped
@click.pass_obj
def show(run: Run, /, key: str, with_rows: bool, asked: Asked) -> int:
    """Why is a source judged so, and what is to be asked whom?

    SOURCE is a key from the list, or an address or a service's name that only one source has. Shows for each domain
    that it sends as: the verdict and its probability, what proves it ours, which way its mail came, the question to
    ask, and the ledger of evidence. Weights are log-odds: what speaks for the verdict, and against it (-). With
    --rows, the largest rows of each table that was counted, summed over its days.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    scope = scope_of(warehouse, asked, run.config.readiness.days)
    with warehouse.reading() as connection:
        meant, _ = meant_by(connection, key, scope.domains[0] if len(scope.domains) == 1 else None)
        listed, unusable = blocklists.of_source(connection, meant), blocklists.unusable(connection)
    found = [one for one in sources(warehouse, scope, today(), run.config.sources) if one.source_key == meant]
    rows = [_rows(run, warehouse, one, scope) if with_rows else {} for one in found]
    if screen.json:
        told = {"rows": [{table: part.to_dicts() for table, part in of_one.items()} for of_one in rows]}
        screen.document(sources=found, blocklists=listed.to_dicts(), **(told if with_rows else {}))
        return exitcodes.OK if found else exitcodes.UNKNOWN
    for one, of_one in zip(found, rows, strict=True):
        _explain(screen, one)
        for table, part in of_one.items():
            _tell_rows(screen, table, part)
    _tell_blocklists(screen, listed, unusable)
    if not found:
        screen.note(f"{clean(meant)} sent nothing in these days; --days looks further back.")
    return exitcodes.OK if found else exitcodes.UNKNOWN


def _rows(run: Run, warehouse: Warehouse, one: Source, scope: Scope) -> dict[str, pl.DataFrame]:
    with warehouse.reading() as connection:
        return counted_rows(connection, one, scope, today(), run.config.sources)


def _tell_rows(screen: Screen, table: str, rows: pl.DataFrame) -> None:
    """The rows of one table; text in them is a stranger's."""
    screen.line(f"{table}, the largest {rows.height} rows" if rows.height == MOST else table)
    screen.table(tuple(name.replace("_", " ").capitalize() for name in rows.columns), [*map(_shown, rows.iter_rows())])
    screen.line("")


def _shown(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(" ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in row)


def _explain(screen: Screen, one: Source) -> None:
    screen.line(clean(f"{one.name} ({one.source_key}) for {one.domain}"))
    leans = ", ".join(f"{kind} {share(chance)}" for kind, chance in one.probabilities.items())
    path = one.path
    way = (
        f"{count(path.direct, 'message')} straight from it, {path.passed_on:,} that it passed on, of those "
        f"{path.through_list:,} through a list"
        if path
        else "-"
    )
    facts = [
        ("Verdict", f"{one.verdict}: {VERDICTS[one.verdict]}"),
        ("Sure", f"{share(one.confidence)} (by the reports: {leans})"),
        ("Mine by", f"{one.proof}: {PROOFS[one.proof]}"),
        ("Way", way),
        ("Through", f"{one.carrier}: it sends from machines of that service's" if one.carrier else ""),
        ("Decision", one.decided or ("expired decision" if one.decision else "none")),
        ("Owner", one.owner),
        ("Ask", one.question),
    ]
    screen.table(("What", "Is"), [fact for fact in facts if fact[1]])
    screen.line("")
    screen.table(LEDGER, [(f"{entry.weight:+.2f}", entry.sentence, entry.rows) for entry in one.evidence])
    screen.line("")


def _tell_blocklists(screen: Screen, listed: pl.DataFrame, unusable: pl.DataFrame) -> None:
    """What lists say of the source's addresses; one that could not be asked says nothing, and that is said."""
    if not listed.is_empty():
        names = ("zone", "asked", "listed", "codes", "told_at")
        rows = [tuple(row[name] for name in names) for row in listed.iter_rows(named=True)]
        screen.table(BLOCKLISTS, [(*row[:3], " ".join(row[3]), row[4]) for row in rows])
        screen.line("")
    for zone, version, state, at in unusable.iter_rows():
        screen.note(
            clean(f"The blocklist {zone} {state} for IPv{version} ({at:%Y-%m-%d}): what it holds is not known.")
        )


@click.command("history", cls=Command)
@click.argument("key", metavar="[SOURCE]", required=False)
@click.option("--undo", "number", type=click.IntRange(1, 2**63 - 1), metavar="CHANGE", help="Take this change back.")
@click.pass_obj
def history(run: Run, key: str | None, number: int | None) -> int:
    """How did sources come to be what they are: merged, split, renamed?

    New reverse names, records in the DNS of your own domains and upgrades of whosends group addresses anew. Each such
    change is listed, the newest first; all of them, or those of SOURCE. Decisions go along. With --undo, the addresses
    of a change return to where they were and stay there, with their decision; undoing that lets them go again.
    """
    screen, warehouse = Screen(run), warehouse_of(run)
    if number is not None:
        if key:
            raise UsageError("A source and --undo were both given.", "Give the number of the change alone.")
        return _take_back(run, screen, warehouse, number)
    # Not at the top: it takes back, too, for which it needs all that stores reports.
    from warehouse import regroup  # noqa: PLC0415

    with warehouse.reading() as connection:
        found = regroup.history(connection, key)
        if found.is_empty() and key:
            # Perhaps it was named by an address, or by a service's name.
            found = regroup.history(connection, meant_by(connection, key, None)[0])
    if screen.json:
        screen.document(history=found.to_dicts())
        return exitcodes.OK
    if found.is_empty():
        screen.note("Nothing was merged, split or renamed.")
        return exitcodes.OK
    columns = ("regroup_key", "regrouped_at", "kind", "old_key", "new_key", "addresses", "messages")
    rows = found.iter_rows(named=True)
    screen.table(
        HISTORY,
        [
            (*(row[one] for one in columns), CAUSES.get(row["cause"], row["cause"]), row["actor"], row["undone_by"])
            for row in rows
        ],
    )
    for row in found.filter(found["conflict"].is_not_null()).iter_rows(named=True):
        screen.note(
            f"Change {row['regroup_key']}: decisions about {row['old_key']} and {row['new_key']} differ for "
            f"{row['conflict']}, so none holds for {row['new_key']}. Decide anew."
        )
    return exitcodes.OK


def _take_back(run: Run, screen: Screen, warehouse: Warehouse, number: int) -> int:
    from warehouse import regroup  # noqa: PLC0415 - as above

    with warehouse.writing() as connection:
        moved = regroup.undo(connection, number, actor(run.config.warehouse.user), now())
        last = regroup.history(connection).head(1).to_dicts()[0]
    if screen.json:
        screen.document(history=[last], addresses=moved)
    else:
        what = f"{count(moved, 'address', 'addresses')} of {last['old_key']} returned"
        screen.line(clean(f"Change {number} is taken back: {what} to {last['new_key']}."))
        screen.note(f"'whosends sources history --undo {last['regroup_key']}' lets them go again.")
    return exitcodes.OK
