"""Deciding source by source, or many at once, without a mouse: where one stands, what is selected, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import streamlit as st

from analysis.sources import Source
from app.web import cached, cards, picked, selection, words
from app.web.deciding import Terms
from app.web.filters import View

A_PAGE: Final = 10
# Streamlit keeps C and R for itself, hence T. Up and down scroll the page, so left and right turn it.
HELP: Final = (
    "Keys: **J** next, **K** previous, **←** **→** ten on, **A** approve, **F** forwarder, **S** spoof, **T** retire, "
    "**U** undo, **X** select, **Enter** why. They act on the first card, or on all that are selected."
)


def deck(chosen: Sequence[Source], view: View) -> None:
    """The source at hand and those after it, as cards; what is selected is decided together."""
    at = place(len(chosen))
    known = selection.owners(cached.sources(view.state, view.scope, view.today))
    together = [source for source in chosen if picked.pair(source) in picked.pairs()]
    _bar(chosen, at)
    if together:
        _together(together, known, view.today)
    days = cached.source_days(view.state, view.scope)
    for number, source in enumerate(chosen[at : at + A_PAGE]):
        own = days.filter(domain=source.domain, source_key=source.source_key)
        cards.source(source, own, known, view, keys=not number and not together)
    _turning(len(chosen), at)


def place(many: int) -> int:
    """Which source is at hand; a decision may just have taken the last one away."""
    return min(int(st.session_state.get(_key(), 0)), max(0, many - 1))


def move(to: int) -> None:
    """Take the source at this place in hand."""
    st.session_state[_key()] = max(0, to)


def _key() -> str:
    """Each choice of filters has its own place."""
    return f"place {[st.session_state.get(name) for name in ('show', 'kind', 'source', 'domain', 'client')]}"


def _bar(chosen: Sequence[Source], at: int) -> None:
    here = (picked.pair(chosen[at]),)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="triage"):
        st.markdown(f"**{at + 1:,}** of {len(chosen):,}", width="content")
        _step("Previous", ":material/arrow_upward:", "K", at - 1, off=not at)
        _step("Next", ":material/arrow_downward:", "J", at + 1, off=at + 1 >= len(chosen))
        st.button("Select", icon=":material/check_box:", shortcut="X", key="pick", on_click=picked.toggle, args=here)
    with st.container(key="keys"):
        st.caption(HELP)


def _step(label: str, icon: str, shortcut: str, to: int, *, off: bool) -> None:
    key = label.lower()
    st.button(label, icon=icon, shortcut=shortcut, key=key, on_click=move, args=(to,), disabled=off)


def _turning(many: int, at: int) -> None:
    """Ten on, ten back."""
    if many <= A_PAGE:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _step("Back", ":material/chevron_left:", "Left", at - A_PAGE, off=not at)
        _step("More", ":material/chevron_right:", "Right", at + A_PAGE, off=at + A_PAGE >= many)
        st.caption(f"{at + 1:,} to {min(at + A_PAGE, many):,} of {many:,}", width="content")


def _together(together: Sequence[Source], known: Sequence[str], today: date) -> None:
    """One decision about all that are selected; it cannot be over already."""
    with st.container(border=True, key="together", gap="small"):
        names = [source.name for source in together]
        words.say(f"{words.count(len(together), 'source')} selected: {words.listed(names)}", "strong")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            owner = st.selectbox(
                "Owner of the selected", known, index=None, accept_new_options=True, format_func=words.plain,
                key="owner picked", width=200,
            )  # fmt: skip
            note = st.text_input("Note: why", key="note picked", max_chars=500, width=220)
            until = st.date_input("Holds until (empty: no end)", None, today, key="until picked", width=200)
        terms = Terms(owner, note or None, until if isinstance(until, date) else None)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            cards.buttons([picked.pair(source) for source in together], names, terms, "picked", keys=True)
            st.button("Select none", key="pick none", type="tertiary", on_click=picked.pairs().clear)
