"""The filters that all pages share: client, domain and period, in the address bar and above every page.

They are drawn by main.py before the page runs. Streamlit keeps a widget's place in the URL over page
changes, reloads and the Back button only if the widget is drawn on every page; hence not in the pages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import streamlit as st

from app.web import cached, cached_mail, pages, words
from warehouse.scope import Scope

PERIODS: Final = {"7d": 7, "30d": 30, "90d": 90}
CUSTOM: Final = "Custom"


@dataclass(frozen=True, slots=True)
class View:
    """What the person looks at. `domain` is None for all; `held` are the domains to choose from."""

    state: cached.State
    scope: Scope
    domain: str | None
    client: str | None
    held: tuple[str, ...]
    today: date
    newest: date

    @property
    def as_of(self) -> date:
        """The day to judge from: today, or the day after the last one looked at where that is the past."""
        return self.today if self.until >= self.newest else self.until + timedelta(days=1)

    @property
    def since(self) -> date:
        """First day."""
        return self.scope.since or self.today

    @property
    def until(self) -> date:
        """Last day."""
        return self.scope.until or self.today

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.until - self.since).days + 1

    @property
    def period(self) -> str:
        """The days in words."""
        return f"{self.days} days to {words.full_day(self.until)}"

    @property
    def scope_to_today(self) -> Scope:
        """For what comes at once or by other roads: up to today, where the newest aggregate reports are looked at."""
        return replace(self.scope, until=max(self.today, self.until)) if self.until >= self.newest else self.scope

    def scope_of(self, domain: str) -> Scope:
        """The same days, of one domain only."""
        return Scope((domain,), self.scope.since, self.scope.until)


def view() -> View:
    """What main.py's filters say, for the page that runs now."""
    # Taken, not looked at: what an earlier run has left must never be shown again.
    found: View | None = st.session_state.pop("view", None)
    if found is None:
        # Until st.navigation has been called once in a process, Streamlit takes a folder `pages` beside
        # the main script for an app of its older kind, and runs a deep-linked page without main.py.
        pages.navigate()
        st.rerun()
    return found


def choose(domain: str) -> None:
    """Look at this domain: what a click on its row does."""
    st.session_state["wanted"] = domain
    st.rerun()


def bar() -> bool:
    """Draw the filters and the line on how fresh the data is. False where there is no report at all."""
    last_days = cached.last_days(cached.state(), cached.today()) or cached_mail.last_days(cached.state())
    # Asked again, because the first look at an older warehouse brings it up to date.
    state = cached.state()
    if not last_days:
        return False
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="filters"):
        client, domains = _client(sorted(last_days))
        domain = _domain(domains)
        chosen = (domain,) if domain else domains if client else ()
        newest = max(last_days[name] for name in chosen or last_days)
        since, until = _period(newest)
        st.space("stretch")
        behind = newest > cached.today() + timedelta(days=1)
        clock = f"; this machine's clock says {words.full_day(cached.today())}: check it" if behind else ""
        st.caption(f"Data to **{words.full_day(newest)}** (UTC){clock}", width="content")
    with st.sidebar:
        _news(state)
    scope = Scope(chosen, since, until)
    st.session_state["view"] = View(state, scope, domain, client, domains, cached.today(), newest)
    return True


def _client(held: list[str]) -> tuple[str | None, tuple[str, ...]]:
    """The client filter, where the settings name clients; and the domains that are left."""
    of = {entry.name: entry.client for entry in cached.settings().domains if entry.client}
    clients = sorted({of[name] for name in held if name in of})
    if not clients:
        return None, tuple(held)
    client = st.selectbox(
        "Client", clients, index=None, placeholder="All clients", key="client", bind="query-params", width=200
    )
    return client, tuple(name for name in held if not client or of.get(name) == client)


def _domain(held: tuple[str, ...]) -> str | None:
    # A widget's value can only be set before it is drawn.
    wanted = st.session_state.pop("wanted", None) or _linked()
    if wanted in held:
        st.session_state["domain"] = wanted
    return st.selectbox(
        "Domain",
        held,
        index=None,
        placeholder=f"All {len(held)} domains" if len(held) > 1 else "All domains",
        format_func=words.plain,
        key="domain",
        bind="query-params",
        width=260,
    )


def _linked() -> str | None:
    """The domain in the address, where a link has just led to another page.

    A widget that is on every page keeps its own value over that; only a fresh one takes the address's.
    """
    here, before = st.context.url, st.session_state.get("here")
    st.session_state["here"] = (here or "").partition("?")[0]
    return st.query_params.get("domain") if before not in (None, st.session_state["here"]) else None


def _period(newest: date) -> tuple[date, date]:
    """First and last day. Periods end on the newest day with reports: the last two days are always missing."""
    chosen = st.segmented_control(
        "Period", [*PERIODS, CUSTOM], default="30d", required=True, key="days", bind="query-params"
    )
    if chosen != CUSTOM:
        return newest - timedelta(days=PERIODS.get(chosen or "30d", 30) - 1), newest
    since = st.date_input("From", newest - timedelta(days=29), key="from", bind="query-params", width=140)
    until = st.date_input("To", newest, key="to", bind="query-params", width=140)
    first, last = sorted((since, until))
    return first, last


@st.fragment(run_every="30s")
def _news(state: cached.State) -> None:
    """A way to newer data once there is some; the page itself stays as it was read."""
    if cached.state() != state and st.button("New data: reload", icon=":material/refresh:", width="stretch"):
        st.rerun(scope="app")
