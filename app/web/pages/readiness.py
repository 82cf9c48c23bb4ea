"""What would a stricter policy have cost me, and what stands between here and there?"""

from __future__ import annotations

import polars as pl
import streamlit as st

from analysis.readiness import Readiness, next_target
from app.web import cached, candidates, charts, filters, frames, grids, heard, notices, rules_apart, verdicts, words
from app.web.filters import View
from app.web.theme import palette


def page() -> None:
    """Draw the page."""
    view = filters.view()
    domain = view.domain or (view.held[0] if len(view.held) == 1 else None)
    if domain is None:
        choose(view)
        return
    wanted = cached.settings().targets.get(domain)
    standing = cached.status(view.state, view.scope_of(domain), view.as_of).domains
    usual = wanted or next_target(standing[0].policy if standing else None)
    slot = st.container()
    target = st.segmented_control(
        "Move to p=", list(verdicts.POLICIES[1:]), default=usual, required=True, key="target", bind="query-params"
    )
    judged = cached.readiness(view.state, view.scope_of(domain), target or usual, view.as_of)
    with slot:
        headline(judged)
    if not judged.messages:
        notices.none_in_scope()
        return
    tree = heard.tree_of(judged, view)
    verdicts.next_step(judged, heard.present(tree))
    st.subheader("Conditions", anchor=False)
    verdicts.conditions(judged.gates)
    if tree:
        heard.panel(judged, tree)
    told = candidates.tried(judged, view)
    if told and told.since:
        candidates.names_below(told, view)
    if told and told.two_rules:
        rules_apart.show(told.two_rules)
    if told and (told.two_rules is None or told.two_rules.unknown):
        candidates.deep_names(told)
    simulation(judged, view)
    candidates.proof(view, [domain])


def choose(view: View) -> None:
    """All domains: the verdict on each, and a click to look at one."""
    st.title("Which domain?", anchor=False)
    st.caption("A policy belongs to one domain. Choose a row here, or the domain above.")
    standing = cached.status(view.state, view.scope, view.as_of).domains
    if not standing:
        notices.none_in_scope()
        return
    frame = grids.standing(standing, cached.settings().owner_of)
    columns = grids.filled(grids.standing_columns(palette()), frame, "owner")
    rows = grids.show(frame, columns, alt="All domains", key="domains", select="single-row", lines=2)
    if rows:
        filters.choose(standing[rows[0]].domain)


def headline(judged: Readiness) -> None:
    """The verdict, and where the domain stands on the way."""
    st.title(verdicts.title(judged), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words.badge(words.VERDICTS, judged.verdict)
        words.say(judged.domain, "code", width="content")
        verdicts.way(judged)
    st.markdown(verdicts.summary(judged.gates))
    if judged.since and judged.until:
        st.caption(
            f"Judged over {words.count(judged.days, 'day')} with reports from {words.day(judged.since)} to "
            f"{words.full_day(judged.until)}: {words.count(judged.messages, 'message')}, "
            f"{words.count(judged.reporters, 'reporter')}."
        )


def simulation(judged: Readiness, view: View) -> None:
    """What the policy would have stopped, by week and by what it was."""
    st.subheader(f"What p={judged.target} would have stopped", anchor=False)
    scope = view.scope_of(judged.domain)
    found = cached.sources(view.state, scope, view.today)
    weeks = frames.outcomes(cached.blockable(view.state, scope), found, view.since, view.until)
    if weeks.is_empty():
        notices.good("Nothing: all mail of these days aligned.")
        return
    with st.container(border=True):
        totals = {key: int(weeks.filter(pl.col("class") == key)["messages"].sum()) for key in charts.BLOCKED}
        charts.legend(charts.BLOCKED, totals, palette())
        st.altair_chart(charts.blocked(weeks, palette()), alt="Messages by week that the policy would have stopped")
        grids.csv(weeks, "simulation", key="csv weeks")


if __name__ == "__main__":
    page()
