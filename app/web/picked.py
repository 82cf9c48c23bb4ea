"""What is selected on the cards, to be decided together. It outlives the cards, which come and go."""

from __future__ import annotations

import streamlit as st

from analysis.sources import Source
from app.web.deciding import Pair


def pair(source: Source) -> Pair:
    """What a decision is about."""
    return source.domain, source.source_key


def pairs() -> set[Pair]:
    """All that is selected."""
    found: set[Pair] = st.session_state.setdefault("picked", set())
    return found


def toggle(one: Pair) -> None:
    """Select it, or not any more."""
    pairs().symmetric_difference_update({one})


def box(found: Source) -> None:
    """The box that selects a source."""
    one = pair(found)
    key = f"pick {' '.join(one)}"
    st.session_state[key] = one in pairs()
    st.checkbox("Select this source", key=key, label_visibility="collapsed", on_change=toggle, args=(one,))
