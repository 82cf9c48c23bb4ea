"""How a delivery ends that does not succeed."""

from __future__ import annotations

from collections.abc import Callable

from app.alerts.due import Alert
from ingest.errors import Error, Transient


class AlertRefused(Error):
    """The other side does not take it."""


class AlertLater(Transient, AlertRefused):
    """The other side was not reached, or asks to come back."""


Deliver = Callable[[Alert], None]
