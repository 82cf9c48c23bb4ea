"""`whosends quarantine`: what was refused, why, and another try."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from analysis.wording import count
from app import exitcodes
from app.commands.asking import now
from app.commands.base import Group, Run
from app.commands.deciding import actor
from app.commands.opening import warehouse_of
from app.commands.paths import Place
from app.commands.quarantine_retry import KEY, REASONS, add_retry, unknown
from app.render import Screen, clean
from ingest.errors import UsageError
from warehouse import quarantine

SHOWN_BYTES = 2048
COLUMNS = {
    "quarantine_key": "Key", "reason": "Reason", "last_seen_at": "Last seen", "times_seen": "Times", "size": "Bytes",
    "bytes_until": "Bytes until", "origin": "Origin", "sentence": "Why",
    "parsedmarc_says": "parsedmarc",
}  # fmt: skip


@click.group("quarantine", cls=Group)
def command() -> None:
    """What was refused, and why; show it, try again, write it out, drop it."""


@command.command("list")
@click.option("--reason", type=REASONS, metavar="CODE", help="Only this reason, for example xml_broken.")
@click.pass_obj
def list_(run: Run, reason: str | None) -> int:
    """List refused messages, latest first, and the day until which their bytes stay. Exits 1 where there are some.

    The bytes go retention.quarantine_days after the message was refused last; reason and digest stay.
    Where a report could not be read, parsedmarc was asked too, and the last column says what it made of it.
    """
    screen = Screen(run)
    with warehouse_of(run).reading() as connection:
        rows = quarantine.listing(connection, reason).to_dicts()
    for row in rows:
        row["bytes_until"] = _bytes_until(row, run.config.retention.quarantine_days)
    readable = sum(bool(row["parsedmarc_reads"]) for row in rows)
    if screen.json:
        screen.document(quarantine=rows, parsedmarc_reads=readable)
    elif rows:
        # A key is a name, not a number: no thousands separators.
        named = [{**row, "quarantine_key": str(row["quarantine_key"])} for row in rows]
        screen.table(COLUMNS.values(), [[row[column] for column in COLUMNS] for row in named])
        if readable:
            screen.note(
                f"parsedmarc reads {readable:,} of these {len(rows):,}; 'whosends quarantine show KEY' says what."
            )
    else:
        screen.note("The quarantine is empty: nothing was refused.")
    return exitcodes.FOUND if rows else exitcodes.OK


def _bytes_until(row: dict[str, Any], days: int) -> date | str | None:
    """The last day on which a message can be tried again; None for no end."""
    if row["dropped_at"]:
        return "dropped"
    if not row["kept"]:
        return "never read"
    return (row["last_seen_at"] + timedelta(days=days)).date() if days else None


@command.command()
@click.argument("key", type=KEY)
@click.option("--out", type=Place(folder=False), metavar="FILE", help="Write the message as it came to a file.")
@click.pass_obj
def show(run: Run, key: int, out: Path | None) -> int:
    """Show why a message was refused, and its beginning as harmless text.

    Ends with 4 where --out has nothing to write, because its bytes are gone or were never read.
    """
    screen = Screen(run)
    with warehouse_of(run).reading() as connection:
        kept = quarantine.show(connection, key)
    if kept is None:
        raise unknown([key])
    if not kept.can_be_read:
        gone = f"dropped on {kept.dropped_at:%Y-%m-%d} for their age" if kept.dropped_at else "never read"
        screen.note(f"Its bytes were {gone}: it can be tried again only when it comes again.")
    elif out:
        out.write_bytes(kept.message.raw)
        screen.note(f"Written to {out}: {len(kept.message.raw):,} bytes, as they came. Open with care.")
    beginning = kept.message.raw[:SHOWN_BYTES].decode("utf-8", "replace")
    if screen.json:
        facts = {"quarantine_key": key, "reason": kept.reason, "sentence": kept.sentence, "dropped_at": kept.dropped_at}
        said = {
            "parsedmarc_reads": kept.opinion and kept.opinion.reads,
            "parsedmarc_says": kept.opinion and kept.opinion.sentence,
        }
        screen.document(**facts, **said, origin=kept.message.origin, size=kept.message.size, beginning=beginning)
    else:
        screen.line(f"{kept.reason}: {clean(kept.sentence)}")
        if kept.opinion:
            screen.line(clean(kept.opinion.sentence))
        screen.line(f"{clean(kept.message.origin)}, {kept.message.size:,} bytes")
        for line in beginning.splitlines():
            screen.line("  | " + clean(line))
    return exitcodes.FAILED if out and not kept.can_be_read else exitcodes.OK


add_retry(command)


@command.command()
@click.argument("folder", type=Place(file=False))
@click.option("--reason", type=REASONS, metavar="CODE", help="Only this reason, for example xml_broken.")
@click.pass_obj
def export(run: Run, folder: Path, reason: str | None) -> int:
    """Write the refused messages as they came to a folder, with a list of what they are.

    Files are named by key and reason, never by what a message says of itself. Open them with care.
    """
    warehouse, screen = warehouse_of(run), Screen(run)
    with warehouse.reading() as connection:
        rows = quarantine.listing(connection, reason).to_dicts()
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        with warehouse.reading() as connection:
            kept = quarantine.show(connection, row["quarantine_key"])
        row["file"] = None
        if kept and kept.can_be_read:
            row["file"] = f"{kept.quarantine_key}-{kept.reason}.bin"
            (folder / row["file"]).write_bytes(kept.message.raw)
    files = sum(row["file"] is not None for row in rows)
    (folder / "list.json").write_text(json.dumps(rows, default=str, indent=2), encoding="utf-8")
    if screen.json:
        screen.document(folder=str(folder), messages=len(rows), files=files)
    else:
        screen.line(f"{count(files, 'message')} written to {folder}.")
        if files < len(rows):
            screen.note(f"{len(rows) - files:,} more are in list.json alone: their bytes are gone or were never read.")
    return exitcodes.OK


@command.command()
@click.argument("keys", type=KEY, nargs=-1)
@click.option("--reason", type=REASONS, metavar="CODE", help="Every message refused for this reason.")
@click.pass_obj
def drop(run: Run, keys: Sequence[int], reason: str | None) -> int:
    """Remove refused messages for good, by key or by reason. The journal notes who did."""
    if bool(keys) == bool(reason):
        raise UsageError("Say which messages to drop.", "Give keys from 'whosends quarantine list', or --reason.")
    warehouse, screen = warehouse_of(run), Screen(run)
    with warehouse.writing() as connection:
        known = quarantine.listing(connection, reason)["quarantine_key"].to_list()
        if missing := [key for key in keys if key not in known]:
            raise unknown(missing)
        dropped = sorted(set(keys) or known)
        quarantine.drop(connection, dropped, actor(run.config.warehouse.user), now())
    if screen.json:
        screen.document(dropped=dropped)
    else:
        screen.line(f"{count(len(dropped), 'message')} dropped.")
    return exitcodes.OK
