"""One round of alerts: look, record, and tell each channel what it does not know yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from app.alerts.channels import deliverer
from app.alerts.due import Alert, due
from app.config import Config
from app.sending import Sent, once
from app.settings import AlertSettings
from app.tracking import Tracked, recorded
from ingest.errors import Error
from warehouse import sendings
from warehouse.connect import Warehouse
from warehouse.findings import FindingRecord


def run(
    warehouse: Warehouse,
    today: date,
    config: Config,
    channels: Sequence[AlertSettings],
    stop: Callable[[], bool] = lambda: False,
) -> list[Sent]:
    """Tell what is due; a channel that cannot be used does not keep the others from it.

    `stop` is asked before each message: whether to leave the rest to the next round.
    """
    found = recorded(warehouse, today, config).findings
    made: list[Sent] = []
    for channel in channels:
        try:
            deliver = deliverer(channel, config)
        except Error as error:
            made.append(Sent(channel.name, "", "failed", str(error)))
            continue
        with warehouse.reading() as connection:
            told = sendings.of_channel(connection, channel.name)
        now = datetime.now(UTC).replace(tzinfo=None)
        for alert, parcel in due(channel, found, told, now):
            if stop():
                return made
            made.append(once(warehouse, parcel, lambda alert=alert, deliver=deliver: deliver(alert)))  # type: ignore[misc]
            if made[-1].state == "failed":
                break  # the rest would fail as well; the next round tries again
    return made


def probe(channel: AlertSettings, config: Config, today: date) -> None:
    """Send one message that says that it is a test. Raises Error."""
    record = FindingRecord(
        "test-message", "test", "test", "example.com", None, "info", 0.0, 0, today, "This is a test of whosends",
        "Somebody ran 'whosends alert test'.", "Nothing is to be done.", "overview", None, "open", "", today, today,
        today, found=True,
    )  # fmt: skip
    deliverer(channel, config)(Alert("opened", Tracked(record, "", 0, snoozed=False, progress="")))
