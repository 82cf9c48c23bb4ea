"""Writing decisions: from a button to the warehouse, before the screen changes; and taking them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import streamlit as st

from app.commands import deciding as commands
from app.web import cached, notices, words
from ingest.errors import Error
from warehouse import decisions
from warehouse.decisions import SourceDecision

Pair = tuple[str, str]
"""A domain and a source_key."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was decided last, for the line with Undo."""

    pairs: tuple[Pair, ...]
    word: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What goes with a decision."""

    owner: str | None = None
    note: str | None = None
    until: date | None = None


def actor() -> str:
    """Who decides: the person that logged in, where the app has a login; else the system's user."""
    if st.user.get("is_logged_in"):
        return words.plain(st.user.get("email") or st.user.get("name") or "app")
    return commands.actor(cached.settings().warehouse.user)


def decide(pairs: Sequence[Pair], names: Sequence[str], word: str, terms: Terms) -> None:
    """Record one decision about each pair, all in one transaction. Made for a button's callback."""
    who, now = actor(), datetime.now(UTC).replace(tzinfo=None)
    try:
        with cached.warehouse().writing(reports=False) as connection:
            for domain, key in pairs:
                made = SourceDecision(domain, key, word, who, terms.owner, terms.note, terms.until)
                decisions.decide(connection, decisions.kept(connection, made), now)
    except Error as error:
        st.session_state["refused"] = error
        return
    st.session_state.get("picked", set()).clear()
    st.session_state["done"] = Done(tuple(pairs), word, tuple(names))
    st.session_state["said"] = f"{words.count(len(pairs), 'source')}: {words.DECISIONS[word].text.lower()}"


def undo(pairs: Sequence[Pair]) -> None:
    """Take the latest decision about each pair back. Made for a button's callback."""
    who, now = actor(), datetime.now(UTC).replace(tzinfo=None)
    try:
        with cached.warehouse().writing(reports=False) as connection:
            for domain, key in pairs:
                decisions.undo(connection, domain, key, who, now)
    except Error as error:
        st.session_state["refused"] = error
        return
    st.session_state.pop("done", None)
    st.session_state["said"] = "Taken back"


def last() -> None:
    """The line that says what was just decided, with Undo; and what went wrong, if something did."""
    refused: Error | None = st.session_state.pop("refused", None)
    if refused:
        notices.aside(refused)
    if said := st.session_state.pop("said", ""):
        st.toast(said, icon=":material/check:")
    done: Done | None = st.session_state.get("done")
    if not done:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        words.badge(words.DECISIONS, done.word)
        words.say(words.listed(done.names), width="content")
        st.space("stretch")
        st.button("Undo", icon=":material/undo:", key="undo-last", on_click=undo, args=(done.pairs,), shortcut="U")
        st.button("Dismiss", key="dismiss-last", type="tertiary", on_click=st.session_state.pop, args=("done", None))
