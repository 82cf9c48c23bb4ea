"""The overview's two pictures: the share that aligned on its own scale, and only what did not."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import polars as pl
import streamlit as st

from analysis.drift import Drift
from app.web import cached, charts, frames, grids, notices, pages, words
from app.web.filters import View
from app.web.theme import palette

EVENTS = 5


class Event(NamedTuple):
    """Something that happened on a day; the label holds text from outside."""

    day: date
    label: str
    messages: int


def events(view: View) -> list[Event]:
    """Losses of alignment, forged waves and changes of the published policy: the larger ones, by time; one a day."""
    found = [
        Event(one.started_on, f"{one.name}{_of(one.domain, view)} {_rates(one)}", one.messages)
        for one in cached.drifts(view.state, view.scope)
        if one.mechanism == "dmarc" and view.since <= one.started_on <= view.until
    ]
    found += [
        Event(
            one.day,
            f"the record{_of(one.domain, view)} changed from {one.tag}={one.before} to {one.tag}={one.after}",
            1,
        )
        for one in cached.policy_changes(view.state, view.scope)
        if one.tag == "p" and view.since <= one.day <= view.until
    ]
    found += [
        Event(one.started_on, f"a wave of mail that looks like spoofing{_of(one.domain or '', view)}", one.messages)
        for one in cached.news(view.state, view.scope, view.today)
        if one.kind == "spoofing" and view.since <= one.started_on <= view.until
    ]
    by_day: dict[date, list[Event]] = {}
    for one in sorted(found, key=lambda event: -event.messages):
        by_day.setdefault(one.day, []).append(one)
    return sorted(_together(same) for same in list(by_day.values())[:EVENTS])


def _together(same: list[Event]) -> Event:
    more = f", and {words.count(len(same) - 1, 'more change')}" if len(same) > 1 else ""
    return same[0]._replace(label=same[0].label + more)


def _of(domain: str, view: View) -> str:
    return "" if view.domain else f" ({words.plain(domain, 60)})"


def _rates(one: Drift) -> str:
    return f"went from {words.share(one.before, 1)} to {words.share(one.after, 1)} aligned"


def draw(days: pl.DataFrame, lost: pl.DataFrame, view: View) -> None:
    """Both pictures, what they mean, and their numbers as CSV."""
    happened, colors, span = events(view), palette(), (view.since, view.until)
    numbered = pl.DataFrame(
        [(one.day, str(at), words.plain(one.label)) for at, one in enumerate(happened, 1)],
        schema={"day": pl.Date, "n": pl.String, "label": pl.String},
        orient="row",
    )
    own = frames.own_kinds(cached.by_kind(view.state, view.scope, view.today))
    with st.container(border=True):
        words.swatches([(colors.aligned, "● mail of your own senders", None), (colors.rule, "┄ all mail", None)])
        st.altair_chart(
            charts.rate(days, own, numbered, span, colors),
            alt=f"Share of aligned mail by day, {view.period}",
        )
        words.numbered(f"{words.day(one.day)}: {one.label}" for one in happened)
        if lost.is_empty():
            notices.good("Everything aligned in these days.")
        else:
            totals = dict(lost.group_by("class").agg(pl.col("messages").sum()).iter_rows())
            charts.legend(charts.NOT_ALIGNED, totals, colors)
            st.altair_chart(
                charts.not_aligned(lost, span, colors),
                alt="Messages by day that were not aligned, by class",
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            pages.link("drift", "Drift by source")
            wide = lost.pivot("class", index="day", values="messages") if lost.height else days.select("day")
            grids.csv(days.join(wide, on="day", how="left").fill_null(0), "days", key="csv days")
