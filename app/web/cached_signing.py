"""The inventory of selectors, kept as the answers of cached.py are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import streamlit as st

from analysis.signing import Inventory, inventory
from app.web import cached
from app.web.cached import ANSWERS, State
from warehouse.scope import Scope


def selectors(state: State, scope: Scope, day: date) -> Inventory:
    """Selectors up to the scope's last day, looking back far enough for a key that is used seldom."""
    last, first = scope.until or day, scope.since or day
    since = min(first, last - timedelta(days=state.rules.sources.history_days - 1))
    return _selectors(state, replace(scope, since=since), day)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def _selectors(state: State, scope: Scope, day: date) -> Inventory:
    return inventory(cached.warehouse(), scope, day, state.rules)
