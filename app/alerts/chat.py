"""Chat by way of Apprise: which services there are, and what became of a message."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

from app.alerts.due import Alert
from app.alerts.failed import AlertLater, AlertRefused, Deliver
from app.alerts.words import inert, lines, title
from app.sending import Unknown
from app.settings import AlertSettings
from ingest.errors import Error, UsageError

STATUS: Final = re.compile(r"error=(\d{3})\b")
# How requests and urllib3 name what ends a connection before anything is handed over.
UNREACHED: Final = re.compile(
    r"Failed to (?:establish a new connection|resolve)|NameResolutionError|ConnectTimeout|CERTIFICATE_VERIFY_FAILED"
)


def deliverer(channel: AlertSettings) -> Deliver:
    """How to deliver to a chat. Raises UsageError where Apprise is missing or knows no such service."""
    if not find_spec("apprise"):
        raise UsageError("Chat needs the extra 'alerts'.", "pip install 'whosends[alerts]'")
    import apprise  # noqa: PLC0415 - large and optional

    # By its own name, and with no picture that a chat would fetch from elsewhere.
    asset = apprise.AppriseAsset(app_id="whosends", app_desc="whosends", app_url="", image_url_mask="")
    service = apprise.Apprise(asset=asset)
    if not service.add(channel.url):
        raise UsageError(f"Apprise knows no service by the url of {channel.name!r}.", "See https://appriseit.com.")

    def deliver(alert: Alert) -> None:
        body = "\n".join(inert(line) for line in lines(alert))
        with _listening() as told:
            taken = service.notify(
                body, inert(title(alert)), body_format=apprise.NotifyFormat.TEXT, interpret_escapes=False
            )
        if not taken:
            raise outcome(channel.name, told)

    return deliver


def outcome(name: str, told: list[logging.LogRecord]) -> Error:
    """What Apprise's own log makes of a message that was not taken: it returns no more than False.

    A chat that refused, or was never reached, has no message and may be asked again. Where one of several got it, or
    the line went dead afterwards, nobody can tell. Only lines of Apprise's own making are read, by their beginning:
    what a message says stands in others.
    """
    said = [record.getMessage() for record in told if record.levelno >= logging.WARNING]
    statuses = [int(match[1]) for text in said if (match := STATUS.search(text))]
    broken = [record.getMessage() for record in told if record.getMessage().startswith("Socket Exception:")]
    some = any(record.levelno == logging.INFO and record.getMessage().startswith("Sent ") for record in told)
    if some or not (statuses or broken) or not all(UNREACHED.search(text) for text in broken):
        return Unknown(f"{name} did not confirm the message.")
    if not statuses:
        return AlertLater(f"{name} was not reached.")
    later = any(status >= 500 or status == 429 for status in statuses)
    return (AlertLater if later else AlertRefused)(f"{name} answered {statuses[0]}.")


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record)


@contextmanager
def _listening() -> Iterator[list[logging.LogRecord]]:
    """What Apprise logs meanwhile. It goes nowhere else: at this level it holds tokens and whole messages."""
    log, ear = logging.getLogger("apprise"), _Ear()
    before = log.level, log.propagate
    log.addHandler(ear)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield ear.told
    finally:
        log.removeHandler(ear)
        log.setLevel(before[0])
        log.propagate = before[1]
