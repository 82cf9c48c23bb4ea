"""Of which sources can nothing be told yet, and what is lacking?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analysis.settings import DriftSettings
from analysis.wording import count

DAYS = 14  # with mail; below that nothing can be called stable

COLUMNS = ("domain", "source_key", "messages", "days", "reporters")


@dataclass(frozen=True, slots=True)
class Lacking:
    """A source whose alignment could change unseen: what it has, and how much more it takes, 0 where enough.

    A reporter that is lacking is no reason by itself: what one alone tells is told with that caveat.
    """

    domain: str
    source_key: str
    messages: int
    days: int
    reporters: int
    messages_lacking: int
    days_lacking: int
    reporters_lacking: int


def lacking(sums: pl.DataFrame, settings: DriftSettings) -> list[Lacking]:
    """The sources with too little mail, the nearest to enough first. `sums`: as reads_changes.source_sums gives it."""
    found = [
        Lacking(
            domain=str(domain),
            source_key=str(key),
            messages=messages,
            days=days,
            reporters=reporters,
            messages_lacking=max(0, 2 * settings.messages - messages),
            days_lacking=max(0, DAYS - days),
            reporters_lacking=max(0, settings.reporters - reporters),
        )
        for domain, key, messages, days, reporters in sums.select(COLUMNS).iter_rows()
    ]
    found = [one for one in found if one.messages_lacking or one.days_lacking]
    return sorted(found, key=lambda one: (-one.messages, one.domain, one.source_key))


def in_words(found: Sequence[Lacking]) -> str:
    """One sentence for all of them; empty where there are none."""
    if not found:
        return ""
    lacks = {
        "with too few messages": sum(one.messages_lacking > 0 for one in found),
        "on too few days": sum(one.days_lacking > 0 for one in found),
    }
    why = ", ".join(f"{number:,} {what}" for what, number in lacks.items() if number)
    return f"Cannot tell yet of {count(len(found), 'source')}: {why}."
