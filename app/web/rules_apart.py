"""Where receivers that walk the tree of names judge otherwise than those that use the list, on the page Readiness."""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from analysis.two_rules import Apart, Place, TwoRules
from app.two_rules_words import UNKNOWN, asked, rules_headline
from app.web import candidates, grids, words


def show(told: TwoRules) -> None:
    """Where receivers that walk the tree of names judge otherwise."""
    differ = bool(told.names or told.sources)
    with st.expander("Organizational domain: the tree walk beside the list", expanded=bool(told.sources)):
        st.caption(
            "Receivers that follow RFC 7489 find your organization by the Public Suffix List; those that follow "
            "RFC 9989 walk up the tree of DNS names. Each receiver is judged here by its own rule."
        )
        words.say(rules_headline(told), limit=800)
        if told.advice:
            words.say(f"→ {told.advice}", "strong", limit=600)
        if not differ:
            return
        names = [
            (one.name, one.messages, *(text for place in (one.psl, one.treewalk) for text in _place(place, one.name)))
            for one in told.names
        ]
        if names:
            frame = pl.DataFrame(names, schema=tuple(NAMES), orient="row")
            grids.show(frame, NAMES, alt="Names for which the two rules differ", key="rule names")
        if told.sources:
            frame = pl.DataFrame([_apart(one) for one in told.sources], infer_schema_length=None)
            grids.show(frame, SOURCES, alt="Messages that the two rules judge otherwise", key="rule sources")


def _place(place: Place, name: str) -> tuple[str, str]:
    return place.organization or UNKNOWN, asked(place, name)


def _apart(one: Apart) -> dict[str, object]:
    counts = ("messages", "psl_passes", "treewalk_passes", "psl_blocks", "treewalk_blocks", "at_psl", "at_treewalk")
    held = {name: getattr(one, name) for name in counts}
    return {"source": one.name, "group": [candidates.GROUPS[one.group].text], **held}


column = st.column_config
NAMES: Final[grids.Config] = {
    "name": column.TextColumn("Name", pinned=True, width=190),
    "messages": grids.MESSAGES,
    "psl": column.TextColumn("List: organization", width=150),
    "psl_asks": column.TextColumn("List: policy", width=180),
    "treewalk": column.TextColumn("Walk: organization", width=150),
    "treewalk_asks": column.TextColumn("Walk: policy", width=190),
}
SOURCES: Final[grids.Config] = {
    "source": column.TextColumn("Source", pinned=True, width=190),
    "group": grids.chips(candidates.GROUPS, "What", 115),
    "messages": grids.MESSAGES,
    **{
        name: column.NumberColumn(label, format="localized", width=125)
        for name, label in (
            ("psl_passes", "Aligned: list only"), ("treewalk_passes", "Aligned: walk only"),
            ("psl_blocks", "Blocked: list only"), ("treewalk_blocks", "Blocked: walk only"),
            ("at_psl", "At list receivers"), ("at_treewalk", "At walkers"),
        )
    },
}  # fmt: skip
