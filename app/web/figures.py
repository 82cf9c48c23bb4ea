"""The four numbers of the overview, each with its days as a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import polars as pl
import streamlit as st

from analysis.status import DomainStatus
from app.web import frames, words
from app.web.filters import View

WEEK: Final = 7


def row(days: pl.DataFrame, lost: pl.DataFrame, standing: Sequence[DomainStatus], view: View) -> None:
    """Draw them. `days`: day, messages, aligned, rate. `lost`: day, class, messages."""
    messages, aligned = int(days["messages"].sum()), int(days["aligned"].sum())
    misaligned = frames.daily(lost, view.since, view.until, ["misaligned"])
    stopped = frames.daily(lost, view.since, view.until, ["misaligned", "unknown", "spoofing", "forwarded"])
    unknown = frames.daily(lost, view.since, view.until, ["unknown", "spoofing"])
    new = sum(domain.new_sources for domain in standing)
    with st.grid(4, min_column_width=200):
        _metric(
            "Aligned mail",
            words.share(aligned, messages),
            _points(days, view),
            [round(100 * rate, 2) for rate in days["rate"]],
            "Messages that passed DMARC, of all that were reported.",
        )
        _metric(
            "Known but misaligned",
            words.number(sum(misaligned)),
            _more(misaligned),
            misaligned,
            "Messages of senders known to be yours that did not align: what a stricter policy would lose.",
            delta_color="inverse",
            chart_type="bar",
        )
        _metric(
            "Sources to decide",
            words.number(sum(domain.undecided for domain in standing)),
            new or None,
            unknown,
            "Sources of some size that nobody has decided about. The picture shows the messages of strangers by day.",
            delta_color="inverse",
            delta_description="new this week" if new else None,
            chart_type="bar",
        )
        _metric(
            "Not aligned in all",
            words.number(sum(stopped)),
            f"{words.share(sum(stopped), messages)} of mail",
            stopped,
            "What p=reject asks receivers to refuse: your own losses, forwarded mail, strangers and spoofing.",
            delta_color="off",
            delta_arrow="off",
            delta_description=None,
            chart_type="area",
        )


def _metric(label: str, value: str, delta: Any, days: Sequence[float], meaning: str, **look: Any) -> None:
    form: dict[str, Any] = {"delta_description": "last 7 days" if delta is not None else None, **look}
    st.metric(label, value, delta, border=True, height="stretch", help=meaning, chart_data=list(days), **form)


def _points(days: pl.DataFrame, view: View) -> str | None:
    """How the share of the last week differs from the days before, in percentage points."""
    recent = pl.col("day") > view.until - timedelta(days=WEEK)
    sums = [days.filter(part).select(pl.col("aligned", "messages").sum()).row(0) for part in (recent, ~recent)]
    if not all(messages for _, messages in sums):
        return None
    now, before = (aligned / messages for aligned, messages in sums)
    change = f"{100 * (now - before):+.1f}"
    return None if float(change) == 0 else f"{change} pt"


def _more(daily: Sequence[int]) -> str | None:
    """How many more there were in the last week than in a week before."""
    earlier = daily[:-WEEK]
    if len(earlier) < WEEK:
        return None
    change = round(sum(daily[-WEEK:]) - WEEK * sum(earlier) / len(earlier))
    return f"{change:+,}" if change else None
