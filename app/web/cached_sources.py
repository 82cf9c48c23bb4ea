"""What the page on sources asks beside the sources themselves; kept as `cached` keeps its answers."""

from __future__ import annotations

from datetime import date

import polars as pl
import streamlit as st

from analysis import missing as still
from app.web.cached import ANSWERS, State, sources, warehouse
from warehouse import regroup
from warehouse.scope import Scope


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def missing(state: State, scope: Scope, day: date) -> list[still.Missing]:
    """How many senders of each domain are likely still unseen."""
    return still.missing(warehouse(), scope, sources(state, scope, day))


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def regroupings(state: State, source_key: str) -> pl.DataFrame:
    """How a source was merged, split and renamed, the newest first."""
    with warehouse().reading() as connection:
        return regroup.history(connection, source_key)
