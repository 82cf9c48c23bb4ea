"""Changes of alignment as small charts of one shape, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import streamlit as st

from analysis.drift import Drift
from analysis.history import PolicyChange
from app.web import charts, frames, grids, pages, words
from app.web.filters import View
from app.web.theme import palette


def draw(shown: Sequence[Drift], days: pl.DataFrame, edits: Sequence[PolicyChange], view: View) -> None:
    """One small chart for each change, those that touch most mail first."""
    few = len(shown) <= 4
    grid = st.grid(2 if few else 3, min_column_width=360 if few else 280, border=True)
    for one in shown:
        with grid.cell():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                words.say(one.name, "strong", width="content")
                change(one)
                if not view.domain:
                    words.say(one.domain, "code", width="content")
            own = frames.rates(days.filter(domain=one.domain, source_key=one.source_key), one.mechanism)
            st.altair_chart(
                charts.source_rate(own, began(one, own, edits), palette()),
                alt=f"Share of mail aligned by {words.MECHANISMS[one.mechanism]}, by day",
            )
            with st.container(gap="xxsmall"):
                words.say(one.cause.sentence)
                if one.cause.subject:
                    words.say(one.cause.subject, "code", width="content")
                words.say(facts(one), "quiet")
            pages.link("sources", "Look at the source", domain=one.domain, source=one.source_key, show="All")


def began(one: Drift, own: pl.DataFrame, edits: Sequence[PolicyChange]) -> charts.Began:
    """When it began, with the edits of its domain's record on the days that are drawn."""
    days = {edit.day for edit in edits if edit.domain == one.domain}
    drawn = set(own["day"])
    return charts.Began(one.started_on, one.started_between, tuple(sorted(days & drawn)))


def change(one: Drift) -> None:
    """Before and after, as a badge."""
    lost = one.after < one.before
    st.badge(
        f"{words.share(one.before, 1)} → {words.share(one.after, 1)}",
        icon=":material/trending_down:" if lost else ":material/trending_up:",
        color="red" if lost else "green",
    )


def facts(one: Drift) -> str:
    """When, how much, how sure."""
    parts = [
        f"{'since' if one.shape == 'step' else 'sliding since'} {words.full_day(one.started_on)}{give(one)}",
        f"{words.count(one.messages, 'message')}, {one.per_week:,} a week",
        f"{words.count(one.reporters, 'reporter')} agree" if one.reporters != 1 else "1 reporter",
        f"last week {words.share(one.latest, 1)}" if one.latest is not None else "no mail last week",
        f"because {words.MECHANISMS.get(one.follows, one.follows)} did" if one.follows else "",
    ]
    return " · ".join(filter(None, parts))


def give(one: Drift) -> str:
    """How exactly the day is known: nothing to add where it is one day."""
    if one.started_between is None or one.started_between[0] == one.started_between[1]:
        return ""
    first, last = one.started_between
    return f" (between {first.day} {first:%b} and {last.day} {last:%b})"


def table(every: Sequence[Drift]) -> pl.DataFrame:
    """All changes as rows, with the columns of COLUMNS in their order."""
    rows = [
        (
            one.name,
            one.domain,
            words.MECHANISMS.get(one.mechanism, one.mechanism),
            100 * one.before,
            100 * one.after,
            one.started_on,
            one.messages,
            one.per_week,
            one.cause.sentence,
            one.cause.subject,
            one.shape,
            one.reporters,
            one.source_key,
        )
        for one in every
    ]
    return pl.DataFrame(rows, schema=list(COLUMNS), orient="row", infer_schema_length=None)


column = st.column_config
COLUMNS: Final[grids.Config] = {
    "source": column.TextColumn("Source", pinned=True, width=170),
    "domain": column.TextColumn("Domain", width=150),
    "mechanism": column.TextColumn("By", width=70),
    "before": column.NumberColumn("Before", format="%.1f %%", width=80),
    "after": column.NumberColumn("After", format="%.1f %%", width=80),
    "started_on": column.DateColumn("Since", format="D MMM YYYY"),
    "messages": grids.MESSAGES,
    "per_week": column.NumberColumn("A week", format="localized", width=80),
    "cause": column.TextColumn("Likely cause", width=380),
    "subject": column.TextColumn("About", width=160),
    "shape": column.TextColumn("Shape", width=70),
    "reporters": column.NumberColumn("Reporters", width=80),
    "source_key": column.TextColumn("Key"),
}
