"""Send something once: claimed before, completed after, so that neither a crash nor a second process sends it twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.mailing import MailUnknown
from ingest.errors import Error
from warehouse import sendings
from warehouse.connect import Warehouse
from warehouse.sendings import Parcel, Sending


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a parcel.

    `state` is sent, already (sent before), failed, or unknown: nobody can tell whether it arrived, so a person
    has to look before it is sent again.
    """

    recipient: str
    purpose: str
    state: str
    detail: str = ""


class Unknown(Error):
    """Handed over, and no answer came."""


def once(warehouse: Warehouse, parcel: Parcel, deliver: Callable[[], None], *, again: bool = False) -> Sent:
    """Deliver a parcel that was not delivered before; `again` does so whatever is known of it.

    The claim is committed before anything leaves this machine. What raises no Error of ours (a kill, a power
    cut) leaves the claim as it is, and it counts as unknown afterwards.
    """
    with warehouse.writing(reports=False) as connection:
        claimed = sendings.begin(connection, parcel, _now(), again=again)
    if isinstance(claimed, Sending):
        return _before(parcel, claimed)
    state, detail = "sent", ""
    try:
        deliver()
    except (MailUnknown, Unknown) as error:
        state, detail = "unknown", str(error)
    except Error as error:
        state, detail = "failed", str(error)
    with warehouse.writing(reports=False) as connection:
        sendings.end(connection, claimed, state, _now(), detail)
    return Sent(parcel.recipient, parcel.purpose, state, detail)


def _before(parcel: Parcel, before: Sending) -> Sent:
    match before.standing(_now()):
        case "sent":
            changed = before.content_hash != parcel.content_hash
            more = " Its content has changed since: late reports." if changed else ""
            return Sent(parcel.recipient, parcel.purpose, "already", f"Sent at {_at(before.ended_at)}.{more}")
        case "sending":
            return Sent(parcel.recipient, parcel.purpose, "already", f"Being sent since {_at(before.started_at)}.")
    detail = before.detail or f"Begun at {_at(before.started_at)} and never ended."
    return Sent(
        parcel.recipient, parcel.purpose, "unknown", f"{detail} Look whether it arrived; --resend sends it again."
    )


def _at(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else "an unknown time"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
