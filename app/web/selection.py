"""Sources as a table, to decide many with one click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import polars as pl
import streamlit as st

from analysis.sources import Source
from app.web import cached, cards, grids, words
from app.web.deciding import Terms
from app.web.filters import View
from app.web.theme import palette

KEY: Final = ["domain", "source_key"]
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "name": pl.String,
    "kind": pl.List(pl.String),
    "sure": pl.Float64,
    "verdict": pl.String,
    "proof": pl.String,
    "decision": pl.List(pl.String),
    "messages": pl.Int64,
    "aligned": pl.Float64,
    "domain": pl.String,
    "country": pl.String,
    "first_seen": pl.Date,
    "last_seen": pl.Date,
    "owner": pl.String,
    "source_key": pl.String,
    "question": pl.String,
}


def owners(found: Sequence[Source]) -> list[str]:
    """Owners that were named before, for sources or for domains."""
    named = {source.owner for source in found} | {entry.owner for entry in cached.settings().domains}
    return sorted(filter(None, named))


def table(chosen: list[Source], view: View) -> None:
    """All at once, to decide many with one click."""
    several = len({source.domain for source in chosen}) > 1
    shown = frame(chosen, view)
    rows = grids.show(shown, columns(several=several), alt="Sources", key="sources table", select="multi-row")
    picked = [chosen[row] for row in rows]
    with st.container(border=True, horizontal=True, vertical_alignment="bottom", gap="small"):
        owner = st.selectbox(
            "Owner of the selected", owners(chosen), index=None, accept_new_options=True, key="owner many", width=220
        )
        note = st.text_input("Note", key="note many", max_chars=500, width=240)
        pairs = [(source.domain, source.source_key) for source in picked]
        cards.buttons(pairs, [source.name for source in picked], Terms(owner, note or None), "many")
        st.caption(f"{words.count(len(picked), 'source')} selected" if picked else "Tick rows to decide them together")


def columns(*, several: bool) -> grids.Config:
    """What the table shows: what one decides by; the rest is on the cards, and in the file.

    Of `several` domains, whose source it is stands before all else.
    """
    column = st.column_config
    room = 145 if several else 0
    return {
        "name": column.TextColumn("Source", pinned=True, width=290 - room),
        **({"domain": column.TextColumn("Domain", width=room)} if several else {}),
        "kind": grids.chips(words.KINDS, "Looks", 150),
        "sure": column.NumberColumn("Sure", format="%.1f %%", width=65),
        "decision": grids.chips(words.DECISIONS, "Decision", 95),
        "messages": grids.MESSAGES,
        "aligned": grids.share("Aligned", palette().aligned, 115),
        "trend": column.AreaChartColumn("By day", y_min=0, width=70, color=palette().rule),
        "owner": column.TextColumn("Owner", width=100),
    }


def frame(chosen: Sequence[Source], view: View) -> pl.DataFrame:
    """The sources as a table."""
    days = cached.source_days(view.state, view.scope)
    return pl.DataFrame([row(source) for source in chosen], schema=SCHEMA).join(
        trends(days, view.since, view.until), on=KEY, how="left", maintain_order="left"
    )


def trends(days: pl.DataFrame, since: date, until: date) -> pl.DataFrame:
    """domain, source_key, trend: its messages on each of the days, those without any included."""
    found = days.select(KEY).unique(maintain_order=True).with_row_index("at")
    placed = days.join(found, on=KEY).select("at", "messages", day=(pl.col("day") - since).dt.total_days())
    filled = np.zeros((found.height, (until - since).days + 1), np.int64)
    filled[placed["at"], placed["day"]] = placed["messages"]
    return found.select(KEY).with_columns(trend=pl.Series(filled).arr.to_list())


def row(source: Source) -> dict[str, object]:
    """One source as a row."""
    return {
        "name": source.name,
        "kind": [words.word(words.KINDS, source.kind).text],
        "sure": 100 * source.confidence,
        "verdict": source.verdict,
        "proof": source.proof,
        "decision": [words.DECISIONS[source.decided or "undecided"].text],
        "messages": source.messages,
        "aligned": 100 * source.aligned / source.messages if source.messages else None,
        "domain": source.domain,
        "country": source.country,
        "first_seen": source.first_seen,
        "last_seen": source.last_seen,
        "owner": source.owner,
        "source_key": source.source_key,
        "question": source.question,
    }
