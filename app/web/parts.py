"""What moved a domain, in parts that sum to the whole; and what else changed, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
import streamlit as st

from analysis.apart import Part, signed
from analysis.decomposition import Decomposition
from analysis.news import News
from app.web import grids, words

KINDS: Final = {
    "new_source": "new source",
    "vanished_source": "source is gone",
    "volume_spike": "more mail than usual",
    "volume_drop": "less mail than usual",
    "spoofing": "wave of forged mail",
    "policy_change": "record changed",
    "selector_change": "selector",
    "reporter_gap": "reporter silent",
    "new_subdomain": "new name in From",
}


def split(moved: Sequence[tuple[Decomposition, tuple[Part, ...]]]) -> None:
    """Each domain's change and its parts."""
    for part, made_of in moved:
        st.subheader(f"What moved the domain: {signed(round(part.points, 1))} points", anchor=False)
        words.say(part.domain, "code", width="content")
        since = f"Four weeks from {words.full_day(part.late[0])} against the four before: "
        st.caption(f"{since}{words.share(part.before, 1)} of all mail aligned, then {words.share(part.after, 1)}.")
        words.ledger((one.words, one.points, "") for one in made_of)


def others(found: Sequence[News], names: Mapping[str, str]) -> None:
    """What changed beside alignment, the newest first."""
    if not found:
        return
    st.subheader("What else changed", anchor=False)
    rows = [
        (
            one.started_on,
            one.ended_on,
            KINDS[one.kind],
            one.subject or one.reporter or names.get(one.source_key or "", one.source_key or "") or one.domain or "",
            one.domain or "",
            one.messages,
            one.evidence,
        )
        for one in found
    ]
    frame = pl.DataFrame(rows, schema=NEWS_TYPES, orient="row")
    grids.show(frame, NEWS, alt="Other changes", key="news", lines=3)
    grids.csv(frame, "changes", key="csv news")


column = st.column_config
NEWS_TYPES: Final = {
    "since": pl.Date,
    "until": pl.Date,
    "what": pl.String,
    "about": pl.String,
    "domain": pl.String,
    "messages": pl.Int64,
    "evidence": pl.String,
}
NEWS: Final[grids.Config] = {
    "since": column.DateColumn("Since", format="D MMM YYYY", width=95),
    "until": column.DateColumn("Until", format="D MMM YYYY", width=95),
    "what": column.TextColumn("What", width=135),
    "about": column.TextColumn("About", width=150),
    "evidence": column.TextColumn("Evidence", width=275),
    "messages": grids.MESSAGES,
    "domain": column.TextColumn("Domain", width=150),
}
