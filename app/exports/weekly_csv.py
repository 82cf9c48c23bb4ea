"""The weekly summary as CSV: one row for each source of each domain."""

from __future__ import annotations

import csv
import io
from typing import Final

from analysis.sources import Source
from analysis.weekly import WeeklySummary
from app.render import clean, csv_cell

TITLES: Final = (
    "week",
    "domain",
    "source_key",
    "name",
    "country",
    "kind",
    "confidence",
    "decision",
    "owner",
    "messages",
    "aligned",
    "dkim_aligned",
    "spf_aligned",
    "first_seen",
    "last_seen",
    "is_new",
)


def render(summary: WeeklySummary) -> str:
    """The week's sources; a domain without any has a row with no messages, so that no domain goes missing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(TITLES)
    for domain in summary.domains:
        rows = [_row(summary.week, source) for source in domain.sources]
        writer.writerows(rows or [_empty(summary.week, domain.domain)])
    return out.getvalue()


def _row(week: str, source: Source) -> list[object]:
    texts = (source.source_key, source.name, source.country or "", source.kind)
    return [
        week,
        _text(source.domain),
        *(_text(text) for text in texts),
        round(source.confidence, 3),
        source.decided or "undecided",
        _text(source.owner or ""),
        source.messages,
        source.aligned,
        source.dkim_aligned,
        source.spf_aligned,
        source.first_seen.isoformat(),
        source.last_seen.isoformat(),
        "true" if source.is_new else "false",
    ]


def _empty(week: str, domain: str) -> list[object]:
    counts = {"messages": 0, "aligned": 0, "dkim_aligned": 0, "spf_aligned": 0}
    return [week, _text(domain), *(counts.get(title, "") for title in TITLES[2:])]


def _text(text: str) -> object:
    return csv_cell(clean(text))
