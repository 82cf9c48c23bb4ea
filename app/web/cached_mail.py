"""Answers about TLS reports, failure reports and bounces, kept as those of cached.py are."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import polars as pl
import streamlit as st

from analysis import bounces as taxonomy
from analysis.period import believed
from app.web import cached
from app.web.cached import ANSWERS, State
from warehouse import reads_mail
from warehouse.scope import Scope

SINGLE = 500


class Bounces(NamedTuple):
    """What analysis.bounces tells, and the single recipients, latest first."""

    days: pl.DataFrame
    groups: pl.DataFrame
    single: pl.DataFrame


class Failures(NamedTuple):
    """Failure reports by source, and one by one."""

    sources: pl.DataFrame
    single: pl.DataFrame


class Tls(NamedTuple):
    """Sessions by day, by policy, and what failed."""

    days: pl.DataFrame
    policies: pl.DataFrame
    failures: pl.DataFrame


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def last_days(state: State) -> dict[str, date]:
    """Each domain that another kind than aggregate reports is about, and its newest day."""
    found: dict[str, date] = {}
    with cached.warehouse().reading() as connection:
        for kind in reads_mail.KINDS:
            for domain, day in reads_mail.last_days(connection, kind).items():
                found[domain] = max(day, found.get(domain, day))
        found = believed(connection, found, cached.today())
    return {domain: day for domain, day in found.items() if domain}


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def bounces(state: State, scope: Scope) -> Bounces:
    """What was not delivered."""
    days, groups = taxonomy.bounces(cached.warehouse(), scope)
    with cached.warehouse().reading() as connection:
        return Bounces(days, groups, reads_mail.delivery_statuses(connection, scope, limit=SINGLE))


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def failures(state: State, scope: Scope) -> Failures:
    """Which single messages failed authentication."""
    with cached.warehouse().reading() as connection:
        return Failures(
            reads_mail.failure_sources(connection, scope), reads_mail.failures(connection, scope, limit=SINGLE)
        )


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def tls(state: State, scope: Scope) -> Tls:
    """How sessions with our mail servers were encrypted."""
    with cached.warehouse().reading() as connection:
        return Tls(
            reads_mail.tls_days(connection, scope),
            reads_mail.tls_policies(connection, scope),
            reads_mail.tls_failures(connection, scope),
        )
