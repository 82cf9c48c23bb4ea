"""What the page on sources asks beside the sources themselves; kept as `cached` keeps its answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl
import streamlit as st

from analysis import missing as still
from analysis.gates import undecided
from analysis.sources import Source, Sources, by_domain, each
from app.web.cached import ANSWERS, LARGE, State, sources, warehouse
from warehouse import regroup
from warehouse.scope import Scope

# What is worth a person's time first: lost mail of one's own before strangers, and both before what is no loss.
WEIGHTS: Final = {"misaligned": 3.0, "unknown": 2.0, "aligned": 1.0, "forwarded": 0.8, "spoofing": 0.5}


@st.cache_resource(max_entries=LARGE, show_spinner=False)
def costly_first(state: State, scope: Scope, day: date) -> Sequence[Source]:
    """The sources of the scope's days by messages × failing × recency × kind; those without failures by size."""
    found, until = sources(state, scope, day), scope.until or day

    def impact(kind: str, messages: int, aligned: int, last_seen: date) -> tuple[float, int]:
        recency = 0.5 ** ((until - last_seen).days / 14)
        return (messages - aligned) * recency * WEIGHTS.get(kind, 1.0), messages

    ranks = [impact(*one) for one in each(found, "kind", "messages", "aligned", "last_seen")]
    order = sorted(range(len(found)), key=ranks.__getitem__, reverse=True)
    return found.chosen(order) if isinstance(found, Sources) else [found[at] for at in order]


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def waiting(state: State, scope: Scope, day: date) -> int:
    """How many of them are to be decided before a domain can reject."""
    parts = by_domain(sources(state, scope, day)).values()
    return sum(len(undecided(own, "reject", state.rules.readiness)) for own in parts)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def missing(state: State, scope: Scope, day: date) -> list[still.Missing]:
    """How many senders of each domain are likely still unseen."""
    return still.missing(warehouse(), scope, sources(state, scope, day))


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def regroupings(state: State, source_key: str) -> pl.DataFrame:
    """How a source was merged, split and renamed, the newest first."""
    with warehouse().reading() as connection:
        return regroup.history(connection, source_key)
