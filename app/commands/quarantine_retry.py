"""`whosends quarantine retry`: refused messages read again, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from app import exitcodes
from app.commands.base import Group, Run
from app.commands.opening import warehouse_of
from app.render import Screen
from ingest.errors import UsageError
from ingest.outcome import Reason
from warehouse import quarantine

if TYPE_CHECKING:
    from warehouse.retry import RetrySummary

KEY = click.IntRange(1, 2**63 - 1)
REASONS = click.Choice([reason.value for reason in Reason])
OUTCOMES = {"stored": "stored", "duplicate": "stored before", "not_a_report": "no report"}


def add_retry(group: Group) -> None:
    """Give the group its sub-command."""

    @group.command("retry")
    @click.argument("keys", type=KEY, nargs=-1)
    @click.option("--reason", type=REASONS, metavar="CODE", help="Every message refused for this reason.")
    @click.option("--all", "everything", is_flag=True, help="Every message in quarantine.")
    @click.pass_obj
    def retry(run: Run, keys: Sequence[int], reason: str | None, everything: bool) -> int:
        """Read refused messages again: after an upgrade, or with raised limits.

        Tells for each reason what became of its messages. What is no longer refused leaves the
        quarantine after it is stored; killed in between, nothing is lost or counted twice. Exits 1 where
        some are refused again.
        """
        # Not at the top: the list of what was refused need not load what reads mail.
        from app.commands.loading import mail_loader_of  # noqa: PLC0415
        from app.commands.progress import progress  # noqa: PLC0415
        from warehouse.retry import retry as read_again  # noqa: PLC0415

        if [bool(keys), bool(reason), everything].count(True) != 1:
            hint = "Give keys from 'whosends quarantine list', or --reason, or --all."
            raise UsageError("Say which messages to try again.", hint)
        with warehouse_of(run).reading() as connection:
            known = quarantine.listing(connection, reason)["quarantine_key"].to_list()
        if missing := [key for key in keys if key not in known]:
            raise unknown(missing)
        screen = Screen(run)
        with progress(screen, "Trying again") as report:
            summary = read_again(mail_loader_of(run, report), sorted(set(keys) or known))
        _tell(screen, summary)
        return exitcodes.FOUND if summary.loaded.quarantined else exitcodes.OK


def unknown(keys: Sequence[int]) -> UsageError:
    """What is said of keys that no message has."""
    said = ", ".join(map(str, keys))
    return UsageError(f"There is no message {said} in quarantine.", "'whosends quarantine list' shows the keys.")


def _tell(screen: Screen, summary: RetrySummary) -> None:
    told = summary.by_reason()
    if screen.json:
        reasons = [
            {
                "reason": before,
                "messages": sum(map(len, became.values())),
                "became": [
                    {"outcome": outcome, "reason": reason or None, "quarantine_keys": keys}
                    for (outcome, reason), keys in became.items()
                ],
            }
            for before, became in told.items()
        ]
        screen.document(**asdict(summary.loaded), reasons=reasons, without_bytes=summary.without_bytes)
        return
    for before, became in told.items():
        said = [_said(before, outcome, reason, len(keys)) for (outcome, reason), keys in became.items()]
        screen.line(f"{before}: {sum(map(len, became.values())):,} → {', '.join(said)}")
    if not told:
        screen.note("Nothing was tried again.")
    if summary.without_bytes:
        keys = ", ".join(map(str, summary.without_bytes))
        screen.note(
            f"{len(summary.without_bytes):,} could not be tried: their bytes are gone or were never read ({keys})."
        )


def _said(before: str, outcome: str, reason: str | None, count: int) -> str:
    if outcome in OUTCOMES:
        return f"{count:,} {OUTCOMES[outcome]}"
    changed = f" ({before} → {reason})" if reason != before else ""
    return f"{count:,} still refused{changed}"
