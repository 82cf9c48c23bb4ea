"""Findings as cards: what happened, why it matters, the one next step, and where the evidence is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import streamlit as st

from analysis.findings import Finding
from app.web import grids, notices, pages, words
from app.web.filters import View

CARDS: Final = 3

column = st.column_config
MORE: Final[grids.Config] = {
    "severity": grids.chips(words.SEVERITIES, "Severity"),
    "title": column.TextColumn("Finding", width=420),
    "fix": column.TextColumn("Next step", width=420),
    "owner": column.TextColumn("Owner"),
    "since": column.DateColumn("Since", format="D MMM YYYY"),
    "messages": grids.MESSAGES,
    "domain": column.TextColumn("Domain"),
}


def first(found: Sequence[Finding], view: View, *, known: bool) -> None:
    """Three cards at most; the rest stands in a table below. `known`: whether there is enough data to praise."""
    st.subheader("Do next", anchor=False)
    if not found and not known:
        st.info(
            "Wait for more reports: there are too few, or too old ones, to say that all is well.",
            icon=":material/hourglass_empty:",
        )
        return
    if not found:
        notices.good("Nothing to do. All that the reports tell about your mail is in order.")
        return
    for finding in found[:CARDS]:
        card(finding, view)
    if len(found) > CARDS:
        with st.expander(f"{len(found) - CARDS} more", icon=":material/list:", type="compact"):
            frame = table(found[CARDS:])
            grids.show(frame, MORE, alt="Other findings", key="findings")
            grids.csv(frame, "findings", key="csv findings")


def table(found: Sequence[Finding]) -> pl.DataFrame:
    """Findings as rows."""
    return pl.DataFrame(
        {
            "severity": [[words.word(words.SEVERITIES, one.severity).text] for one in found],
            "title": [one.title for one in found],
            "fix": [one.fix for one in found],
            "owner": [one.owner for one in found],
            "since": [one.since for one in found],
            "messages": [one.messages for one in found],
            "domain": [one.domain for one in found],
        },
        schema_overrides={"owner": pl.String},
    )


def card(finding: Finding, view: View) -> None:
    """One finding."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words.badge(words.SEVERITIES, finding.severity)
            words.say(finding.title, "strong", width="content")
            st.space("stretch")
            age = words.count(max(0, (view.as_of - finding.since).days), "day")
            words.say(f"{finding.owner or 'nobody yet'} · {age}", "quiet", width="content")
        words.say(finding.why, limit=600)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words.say(f"→ {finding.fix}", width="content", limit=600)
            st.space("stretch")
            pages.link(finding.page, "See evidence", domain=finding.domain, **narrowed(finding))


def narrowed(finding: Finding) -> dict[str, str]:
    """The filters of the page that holds the evidence, so that it shows just this source."""
    if not finding.source_key:
        return {}
    return {"sender": finding.source_key} if finding.page == "drift" else {"source": finding.source_key, "show": "All"}
