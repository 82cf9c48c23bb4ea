"""`whosends report weekly --send`: each recipient's part of the week, by mail, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app import exitcodes
from app.commands.asking import known
from app.commands.base import Run
from app.commands.opening import warehouse_of
from app.commands.picking import picked
from app.exports.bundle import Bundle
from app.exports.shares import Share, share_of
from app.exports.weekly_mail import content_hash, mail
from app.mailing import Outbox, is_address, outbox
from app.render import Screen, clean
from app.sending import Sent, once
from app.settings import RecipientSettings
from ingest.errors import UsageError
from warehouse.findings import owners
from warehouse.sendings import Parcel

SAID = {"sent": "sent", "already": "not sent again", "failed": "FAILED", "unknown": "UNKNOWN, look"}


def send(run: Run, asked: dict[str, Any], bundle: Callable[[Share], Bundle]) -> int:
    """Send every recipient its part. Ends with 0, 3 where something is unknown, 75 where something failed."""
    for option in ("domains", "client", "owner", "forms", "out"):
        if asked[option]:
            raise UsageError("--send takes its parts from the recipients of the configuration.", "Use --to NAME.")
    recipients = _recipients(run, asked["names"])
    out = outbox(run.config.smtp, offline=run.config.offline)
    held = tuple(known(warehouse_of(run)).last_days)
    with warehouse_of(run).reading() as connection:
        people = owners(connection)
    made: list[Sent] = []
    for recipient in recipients:
        share = share_of(run.config, recipient, held, people)
        if share is None:
            made.append(Sent(recipient.name, "", "failed", "None of its domains has reports."))
            continue
        made += _to(run, recipient, bundle(share), out, again=asked["resend"])
    _tell(Screen(run), made)
    states = {one.state for one in made}
    return exitcodes.AGAIN if "failed" in states else exitcodes.UNKNOWN if "unknown" in states else exitcodes.OK


def _to(run: Run, recipient: RecipientSettings, bundle: Bundle, out: Outbox, *, again: bool) -> list[Sent]:
    picture, made = bundle.picture(), []
    for address in recipient.to:
        message = mail(bundle.summary, run.config.report, picture, run.config.smtp.sender, address)
        purpose = f"week {bundle.summary.week} {recipient.name}"
        parcel = Parcel("weekly", address, purpose, content_hash(message))
        made.append(
            once(warehouse_of(run), parcel, lambda message=message, to=address: out.send(message, to), again=again)  # type: ignore[misc]
        )
    return made


def _recipients(run: Run, names: Sequence[str]) -> list[RecipientSettings]:
    every = {one.name: one for one in run.config.recipients}
    if not every:
        raise UsageError("Nobody is to get the summary.", 'Add [[recipient]] with name and to = ["you@example.com"].')
    chosen = picked(every, names, "recipient")
    for one in chosen:
        if not one.to or not all(is_address(text) for text in one.to):
            raise UsageError(
                f"The recipient {one.name!r} has no address, or a wrong one.", 'Write to = ["you@example.com"].'
            )
    return chosen


def _tell(screen: Screen, made: Sequence[Sent]) -> None:
    if screen.json:
        screen.document(sent=made)
        return
    for one in made:
        screen.line(clean(f"{one.recipient}: {SAID[one.state]}. {one.detail}").strip())
