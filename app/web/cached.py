"""The app's only cache: each answer once for each state of the warehouse and each question.

An answer is kept by the file's identity (inode, modification time, size) and the settings it uses, so nothing is
read, and no writer has to wait, while the warehouse stays as it is. There is no expiry: new data is a
new state. Every function takes the state first, though it uses only what the settings say: the state
is what makes the answer a new one.

Answers made of objects are resources, which are handed out as they are: nobody changes them, and to copy
thousands of sources at each look would take longer than all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

import polars as pl
import streamlit as st

from analysis import apart, completeness, dns_edits, history, kinds, period
from analysis import drift as moved
from analysis import findings as todo
from analysis import news as told
from analysis import readiness as ready
from analysis import sources as who
from analysis import status as standing
from analysis.decomposition import Decomposition
from analysis.genuine import counted
from analysis.settings import AnalysisSettings
from app import config
from app.tracking import Tracking, look, tracked
from warehouse import documents, quarantine, reads, reads_changes, reads_sources
from warehouse.connect import Warehouse
from warehouse.scope import Scope

# A page that stands still this long looks broken; better to say that the warehouse is busy.
PATIENCE: Final = 8.0
ANSWERS: Final = 200
LARGE: Final = 30
DOCUMENTS: Final = 8


class State(NamedTuple):
    """Which warehouse, how it was when we looked, by which thresholds it is judged, and whose its domains are.

    `logged` is when its log was written, which outlives a writer that was killed: what it holds is committed.
    """

    path: str
    inode: int
    changed: int
    size: int
    logged: int
    rules: AnalysisSettings
    named: tuple[object, ...]


def settings() -> config.Config:
    """The settings, as the command line has them."""
    return config.load(None, config.environment(), {})


def warehouse() -> Warehouse:
    """The warehouse of the settings, with a web page's patience."""
    said = settings()
    patient = replace(said.warehouse, wait=min(said.warehouse.wait, PATIENCE))
    return Warehouse(said.warehouse_path, patient, lingering=True)


def state() -> State:
    """How the warehouse is now; asks the file system only, so it may be asked as often as one likes."""
    said = settings()
    try:
        found = said.warehouse_path.stat()
    except FileNotFoundError:
        with warehouse().reading():  # says what to do about it, in the warehouse's own words
            pass
        raise
    log = said.warehouse_path.with_name(f"{said.warehouse_path.name}.wal")
    try:
        logged = log.stat().st_mtime_ns
    except FileNotFoundError:
        logged = 0
    named = (said.domains, said.clients, said.report)
    return State(str(said.warehouse_path), found.st_ino, found.st_mtime_ns, found.st_size, logged, said.analysis, named)


def today() -> date:
    """The current day in UTC, in which report days are counted."""
    return datetime.now(UTC).date()


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def last_days(state: State, day: date) -> dict[str, date]:
    """Each domain with reports, and its newest day; a reporter's clock that runs ahead does not count."""
    with warehouse().reading() as connection:
        return period.last_days(connection, day)


@st.cache_resource(max_entries=LARGE, show_spinner=False)
def sources(state: State, scope: Scope, day: date) -> Sequence[who.Source]:
    """Who sends, the largest first."""
    return who.sources(warehouse(), scope, day, state.rules.sources)


def drifts(state: State, scope: Scope) -> list[moved.Drift]:
    """What changed up to the scope's last day, most messages first; drift looks back its own number of days."""
    return _drifts(state, replace(scope, since=None))


@st.cache_resource(max_entries=LARGE, show_spinner=False)
def _drifts(state: State, scope: Scope) -> list[moved.Drift]:
    return moved.drifts(warehouse(), scope, state.rules.drift)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def splits(state: State, scope: Scope, newest: date) -> list[tuple[Decomposition, tuple[apart.Part, ...]]]:
    """What moved each domain in which something drifted, and the words for it."""
    return apart.told(warehouse(), drifts(state, scope), newest, state.rules.sources)


@st.cache_resource(max_entries=LARGE, show_spinner=False)
def news(state: State, scope: Scope, day: date) -> list[told.News]:
    """What else changed on the scope's days, the newest first."""
    return told.news(warehouse(), scope, day, state.rules)


@st.cache_resource(max_entries=LARGE, show_spinner=False)
def readiness(state: State, scope: Scope, target: str, day: date) -> ready.Readiness:
    """What a stricter policy would block; the scope names one domain, and the last day to look at."""
    (domain,) = scope.domains
    judged = ready.readinesses(warehouse(), {domain: target}, day, state.rules, until=scope.until)[domain]
    return ready.owned(judged, settings().owner_of(domain))


@st.cache_resource(max_entries=LARGE, show_spinner=False)
def findings(state: State, scope: Scope, day: date) -> list[todo.Finding]:
    """What to do, the most important first."""
    return todo.findings(warehouse(), scope, day, state.rules, settings().targets)


@st.cache_resource(max_entries=DOCUMENTS, show_spinner=False)
def tracking(state: State, day: date) -> Tracking:
    """All findings of today with their states; nothing is recorded by looking."""
    return tracked(warehouse(), look(warehouse(), day, settings()), settings())


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def status(state: State, scope: Scope, day: date) -> standing.Status:
    """How each domain stands."""
    return standing.status(warehouse(), scope, day, state.rules, settings().targets)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def policy_changes(state: State, scope: Scope) -> list[history.PolicyChange]:
    """When the published record changed, as reporters saw it."""
    with warehouse().reading() as connection:
        rows = reads.policy_days(connection, counted(connection, replace(scope, since=None)))
    return history.policy_history(rows)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def dns_changes(state: State, scope: Scope) -> list[dns_edits.DnsEdit]:
    """What was edited in DNS below the scope's domains, as far as it was looked at."""
    domains = scope.domains or tuple(last_days(state, today()))
    with warehouse().reading() as connection:
        return dns_edits.dns_edits_of(connection, domains)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def daily(state: State, scope: Scope) -> pl.DataFrame:
    """Each domain and day: sums."""
    with warehouse().reading() as connection:
        return reads.daily_alignment(connection, counted(connection, scope))


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def by_kind(state: State, scope: Scope, day: date) -> pl.DataFrame:
    """Each day and kind of source: messages and aligned."""
    return kinds.by_kind(warehouse(), scope, day, state.rules.sources)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def source_sums(state: State, scope: Scope) -> pl.DataFrame:
    """Each domain and source_key: messages, days with mail, and reporters."""
    with warehouse().reading() as connection:
        return reads_changes.source_sums(connection, counted(connection, scope))


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def newest(state: State, scope: Scope, now: datetime) -> list[completeness.Completeness]:
    """How much of the newest days is in; `now` is the beginning of the hour, so that an answer holds for so long."""
    return completeness.of_domains(warehouse(), scope, now)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def source_days(state: State, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key and day, over all reporters: sums."""
    with warehouse().reading() as connection:
        days = reads.source_days(connection, counted(connection, scope))
    return (
        days.drop("reporter")
        .group_by("domain", "source_key", "day")
        .agg(pl.all().sum())
        .sort("domain", "source_key", "day")
    )


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def blockable(state: State, scope: Scope) -> pl.DataFrame:
    """Each domain, source_key and day: messages that did not align."""
    with warehouse().reading() as connection:
        return reads_sources.blockable(connection, counted(connection, scope))


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def details(state: State, scope: Scope, source_key: str) -> dict[str, pl.DataFrame]:
    """What one source's verdict can be checked by: its addresses, signatures, return paths, records."""
    with warehouse().reading() as connection:
        return {
            "addresses": reads_sources.source_addresses(connection, scope, source_key),
            "signatures": reads_sources.source_signatures(connection, scope, source_key),
            "envelopes": reads_sources.source_envelopes(connection, scope, source_key),
            "records": reads.records(connection, scope, source_key=source_key, limit=1000),
        }


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def reports(state: State, scope: Scope, reporter: str, limit: int, source_key: str = "") -> pl.DataFrame:
    """Reports, latest first; of one source only those that tell of it."""
    with warehouse().reading() as connection:
        return reads.reports(connection, scope, reporter=reporter, limit=limit, source_key=source_key)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def reporters(state: State, scope: Scope) -> list[str]:
    """Who reported, the largest first."""
    with warehouse().reading() as connection:
        found = reads.reporter_days(connection, scope)
    ordered = found.group_by("reporter").agg(pl.col("messages").sum()).sort("messages", "reporter", descending=True)
    return ordered["reporter"].to_list()


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def report_records(state: State, report_key: int) -> pl.DataFrame:
    """The records of one report."""
    with warehouse().reading() as connection:
        return reads.report_records(connection, report_key)


@st.cache_data(max_entries=DOCUMENTS, show_spinner=False)
def document(state: State, report_key: int) -> bytes | None:
    """The XML of one report; None where it was not kept."""
    with warehouse().reading() as connection:
        return documents.document(connection, report_key)


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def quarantined(state: State) -> pl.DataFrame:
    """What was refused, latest first."""
    with warehouse().reading() as connection:
        return quarantine.listing(connection)


@st.cache_data(max_entries=DOCUMENTS, show_spinner=False)
def refused(state: State, quarantine_key: int, most: int) -> bytes:
    """The first bytes of a refused message."""
    with warehouse().reading() as connection:
        kept = quarantine.show(connection, quarantine_key)
    return kept.message.raw[:most] if kept else b""


@st.cache_data(max_entries=ANSWERS, show_spinner=False)
def runs(state: State) -> pl.DataFrame:
    """The latest runs."""
    with warehouse().reading() as connection:
        return reads.runs(connection)
