"""Cached answers about candidates, as `cached` keeps its own."""

from __future__ import annotations

from datetime import date

import streamlit as st

from analysis import backtest as tested
from analysis import below as names
from analysis import ledger as told
from analysis.candidate import Candidate
from analysis.tree import Tree, tree_of
from app.web import cached
from warehouse.scope import Scope


@st.cache_data(max_entries=cached.ANSWERS, show_spinner=False)
def ledger(state: cached.State, scope: Scope, candidate: Candidate, day: date) -> told.Ledger:
    """What a candidate does to one domain's mail; the scope names the domain and the days judged."""
    return told.ledger(cached.warehouse(), scope, candidate, cached.sources(state, scope, day))


@st.cache_data(max_entries=cached.ANSWERS, show_spinner=False)
def below(state: cached.State, scope: Scope, candidate: Candidate, day: date) -> tuple[names.Below, ...]:
    """What it does to the names below that domain."""
    found = cached.sources(state, scope, day)
    return names.below(cached.warehouse(), scope, candidate, found, day, state.rules.sources)


@st.cache_resource(max_entries=cached.LARGE, show_spinner=False)
def tree(state: cached.State, scope: Scope, day: date) -> Tree:
    """What is kept of DNS about one domain's mail; the scope names the domain and the days judged."""
    with cached.warehouse().reading() as connection:
        return tree_of(connection, scope)


@st.cache_data(max_entries=cached.ANSWERS, show_spinner=False)
def backtest(state: cached.State, scope: Scope, day: date) -> tested.Backtest:
    """Earlier forecasts of these domains against what came."""
    return tested.backtest(cached.warehouse(), scope.domains, day, state.rules, scope.until)
