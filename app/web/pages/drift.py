"""What got worse, when, and what changed that day?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl
import streamlit as st

from analysis.completeness import so_far
from analysis.drift import Drift
from analysis.lacking import in_words, lacking
from app.web import cached, charts, filters, frames, grids, multiples, notices, parts, words
from app.web.filters import View
from app.web.theme import palette

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
    since = min([view.since, *(one.started_on - BEFORE for one in shown[:MOST])])
    days = cached.source_days(view.state, replace(view.scope, since=since))
    if days.is_empty():
        notices.none_in_scope()
        return
    if shown:
        multiples.draw(shown[:MOST], days, cached.policy_changes(view.state, view.scope), view)
        if len(shown) > MOST:
            st.caption(f"The {MOST} that touch most mail; all {len(shown)} stand in the table below.")
    elif wanted:
        st.info("No change of a source by this name.", icon=":material/filter_alt_off:")
    elif enough:
        stable(every, mechanism, view)
    largest(days, mechanism, view)
    if every:
        st.subheader("Every change, by every mechanism", anchor=False)
        frame = multiples.table(every)
        grids.show(frame, multiples.COLUMNS, alt="Changes of alignment", key="drifts")
        grids.csv(frame, "drift", key="csv drift")
    beside(every, view)


def beside(every: Sequence[Drift], view: View) -> None:
    """What all of it makes of the domain, and what changed beside alignment."""
    found = cached.sources(view.state, view.scope, view.today)
    names = {source.source_key: source.name for source in found} | {one.source_key: one.name for one in every}
    parts.split(cached.splits(view.state, replace(view.scope, since=None), view.until), names)
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
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for sentence in so_far(cached.newest(view.state, view.scope, hour)):
        words.say(sentence, "quiet")


def headline(every: Sequence[Drift], enough: bool, view: View) -> None:
    """How many lost alignment; stable only where a change would have been seen."""
    lost = {(one.domain, one.source_key) for one in every if one.mechanism == "dmarc" and one.after < one.before}
    quiet = "Stable" if enough else "Too little data to tell"
    st.title(f"{words.count(len(lost), 'source')} lost alignment" if lost else quiet, anchor=False)
    rules = view.state.rules.drift
    st.caption(
        f"Over {rules.days} days to {words.full_day(view.until)}: changes of {rules.points:g} points or more that are "
        "neither chance, nor a weekend, nor one reporter's doing. A grey ground marks days with fewer than "
        f"{charts.FEW} messages."
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


def largest(days: pl.DataFrame, mechanism: str, view: View) -> None:
    """The larger sources at a glance, colour by day: where lines can no longer be told apart."""
    # What looks like spoofing never aligned and never will: it would push the senders out of the picture.
    found = cached.sources(view.state, view.scope, view.today)
    top = [source for source in found if source.kind != "spoofing" and source.messages >= charts.FEW][:ROWS]
    seen, cells, order = Counter[str](), [], list[str]()
    for source in top:
        name = words.plain(source.name, 34)
        label = name if view.domain else f"{name} · {words.plain(source.domain, 30)}"
        seen[label] += 1
        label += f" ({seen[label]})" if seen[label] > 1 else ""  # cut short, two may read the same
        order.append(label)
        own = frames.rates(days.filter(domain=source.domain, source_key=source.source_key), mechanism)
        cells.append(own.with_columns(source=pl.lit(label)))
    if not cells:
        return
    st.subheader(f"{words.count(len(top), 'larger source', 'larger sources')}, day by day", anchor=False)
    with st.container(border=True):
        together = pl.concat(cells).select("source", "day", "messages", "aligned", "rate")
        st.altair_chart(charts.heat(together, order, palette()), alt="Share of aligned mail by source and day")
        grids.csv(together, "sources-by-day", key="csv heat")


if __name__ == "__main__":
    page()
