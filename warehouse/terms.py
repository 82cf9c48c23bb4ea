"""What holds for all batches of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from warehouse.instants import naive
from warehouse.save import Identify

_AHEAD = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Terms:
    """The key of the run, its time, how addresses are identified, and which originals are kept."""

    run_key: int
    now: datetime
    identify: Identify
    keep_documents: bool = True
    keep_failures: bool = False  # the mails of failure reports, with all that is personal in them
    keep_bounces: bool = False

    def day(self, *candidates: datetime | None) -> date:
        """The day that something about one message counts on: the first date given that is not in the future."""
        for at in candidates:
            if at is not None and naive(at) <= self.now + _AHEAD:
                return naive(at).date()
        return self.now.date()
