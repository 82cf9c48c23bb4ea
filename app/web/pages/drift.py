"""What got worse, when, and what changed that day?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl
import streamlit as st

from analysis.completeness import incomplete, so_far
from analysis.drift import Drift
from analysis.lacking import in_words, lacking
from app.web import cached, filters, grids, multiples, notices, parts, words
from app.web.axes import FEW
from app.web.filters import View

MOST: Final = 12  # small charts; more of them nobody compares
ROWS: Final = 30
BEFORE: Final = timedelta(days=21)


def page() -> None:
    """Draw the page."""
    view = filters.view()
    every = cached.drifts(view.state, view.scope)
    enough = tellable(view)
    headline(every, enough, view)
    unknown(enough, view)
    mechanism, wanted = chooser()
    shown = [one for one in every if one.mechanism == mechanism and named(one, wanted)]
    days = cached.source_days(view.state, replace(view.scope, since=earliest(shown[:MOST], view)))
    if days.is_empty():
        notices.none_in_scope()
        return
    around = surroundings(view)
    if shown:
        multiples.draw(shown[:MOST], days, around, view)
        if len(shown) > MOST:
            st.caption(f"The {MOST} that touch most mail; all {len(shown)} stand in the map and the table below.")
            everyone = cached.source_days(view.state, replace(view.scope, since=earliest(shown, view)))
            multiples.heat(shown, everyone, around, view)
    elif wanted:
        st.info("No change of a source by this name.", icon=":material/filter_alt_off:")
    elif enough:
        stable(every, mechanism, view)
    if len(shown) <= MOST:
        multiples.largest(days, mechanism, around, view)
    if every:
        st.subheader("Every change, by every mechanism", anchor=False)
        frame = multiples.table(every)
        grids.show(frame, multiples.COLUMNS, alt="Changes of alignment", key="drifts", lines=2)
        grids.csv(frame, "drift", key="csv drift")
    beside(every, view)


def earliest(shown: Sequence[Drift], view: View) -> date:
    """The first day to draw, so that each change has days before it."""
    return min([view.since, *(one.started_on - BEFORE for one in shown)])


def surroundings(view: View) -> multiples.Beside:
    """What is drawn beside changes."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    owner_of = cached.settings().owner_of
    found = cached.sources(view.state, view.scope, view.today)
    owners = {(one.domain, one.source_key): one.owner or owner_of(one.domain) for one in found}
    newest = cached.newest(view.state, view.scope, hour)
    edits, dns = cached.policy_changes(view.state, view.scope), cached.dns_changes(view.state, view.scope)
    return multiples.Beside(edits, dns, newest, owners)


def beside(every: Sequence[Drift], view: View) -> None:
    """What all of it makes of the domain, and what changed beside alignment."""
    found = cached.sources(view.state, view.scope, view.today)
    names = {source.source_key: source.name for source in found} | {one.source_key: one.name for one in every}
    parts.split(cached.splits(view.state, replace(view.scope, since=None), view.until))
    parts.others(cached.news(view.state, view.scope, view.today), names)


def tellable(view: View) -> bool:
    """Whether any source has mail enough, over days enough, that a change would be seen."""
    every = sums(view)
    return len(lacking(every, view.state.rules.drift)) < every.height


def sums(view: View) -> pl.DataFrame:
    """Each source's messages, days with mail and reporters, over the days that drift looks at."""
    since = view.until - timedelta(days=view.state.rules.drift.days - 1)
    return cached.source_sums(view.state, replace(view.scope, since=since))


def unknown(enough: bool, view: View) -> None:
    """What cannot be told yet, in quiet lines: sources with too little mail, and days that are not over."""
    if enough and (quiet := in_words(lacking(sums(view), view.state.rules.drift))):
        words.say(quiet, "quiet")
    newest = surroundings(view).newest
    for one, sentence in zip(incomplete(newest), so_far(newest), strict=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(f"{one.share:.0%} in", icon=":material/hourglass_top:", color="orange")
            words.say(sentence, "quiet", width="content")


def headline(every: Sequence[Drift], enough: bool, view: View) -> None:
    """How many lost alignment; stable only where a change would have been seen."""
    lost = {(one.domain, one.source_key) for one in every if one.mechanism == "dmarc" and one.after < one.before}
    quiet = "Stable" if enough else "Too little data to tell"
    st.title(f"{words.count(len(lost), 'source')} lost alignment" if lost else quiet, anchor=False)
    rules = view.state.rules.drift
    st.caption(
        f"Over {rules.days} days to {words.full_day(view.until)}: changes of {rules.points:g} points or more that are "
        "neither chance, nor a weekend, nor one reporter's doing. A grey ground marks days with fewer than "
        f"{FEW} messages, a diamond an edit of the policy or in DNS."
    )


def chooser() -> tuple[str, str]:
    """The page's own filters: by which mechanism, and whose."""
    names = list(words.MECHANISMS.values())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        said = st.segmented_control(
            "Aligned by", names, default="DMARC", required=True, key="metric", bind="query-params"
        )
        wanted = st.text_input(
            "Find", key="sender", bind="query-params", placeholder="Name, network, domain", width=230
        )
    return next((key for key, name in words.MECHANISMS.items() if name == said), "dmarc"), wanted or ""


def named(one: Drift, wanted: str) -> bool:
    """Whether the text is in any of its names."""
    names = (one.name, one.source_key, one.as_domain)
    return wanted.strip().casefold() in " ".join(filter(None, names)).casefold()


def stable(every: Sequence[Drift], mechanism: str, view: View) -> None:
    """Good news is said, not left blank."""
    rules = view.state.rules.drift
    notices.good(f"Stable: no source moved by {rules.points:g} points or more in {rules.days} days, chance apart.")
    if others := {one.mechanism for one in every} - {mechanism}:
        st.caption(f"There are changes by {words.listed(words.MECHANISMS[name] for name in sorted(others))}.")


if __name__ == "__main__":
    page()
