"""Who sends as me, and is it mine? One card a source, and the decision beside the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import streamlit as st

from analysis.sources import Source
from app.web import cached, cards, deciding, filters, grids, notices, words
from app.web.deciding import Terms
from app.web.filters import View
from app.web.theme import palette

SHOWN: Final = {"Undecided": None, "Approved": "approved", "Forwarders": "forwarder", "Spoof": "spoof", "All": ""}
A_PAGE: Final = 10
# What is worth a person's time first: lost mail of one's own before strangers, and both before what is no loss.
WEIGHTS: Final = {"misaligned": 3.0, "unknown": 2.0, "aligned": 1.0, "forwarded": 0.8, "spoofing": 0.5}


def page() -> None:
    """Draw the page."""
    view = filters.view()
    st.title("Sources", anchor=False)
    deciding.last()
    found = sorted(cached.sources(view.state, view.scope, view.today), key=lambda s: impact(s, view), reverse=True)
    if not found:
        notices.none_in_scope()
        return
    summary(found)
    show, as_table, chosen = chooser(found)
    if not chosen:
        nothing(show, found)
    elif as_table:
        table(chosen, view)
    else:
        deck(chosen, view)
    grids.csv(frame(chosen, view), "sources", key="csv sources")


def impact(source: Source, view: View) -> tuple[float, int]:
    """Messages × failing × recency, by how much it matters; sources without failures by size."""
    recency = 0.5 ** ((view.until - source.last_seen).days / 14)
    return (source.messages - source.aligned) * recency * WEIGHTS.get(source.kind, 1.0), source.messages


def summary(found: Sequence[Source]) -> None:
    """How many, and how many wait."""
    waiting = sum(source.decided is None for source in found)
    st.caption(
        f"{words.count(len(found), 'source')} sent mail in these days; {words.number(waiting)} have no decision yet. "
        "Where it costs most comes first. A decision is yours alone: it changes no DNS record."
    )


def chooser(found: Sequence[Source]) -> tuple[str, bool, list[Source]]:
    """The page's own filters, and the sources they leave."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        show = st.segmented_control(
            "Show", list(SHOWN), default="Undecided", required=True, key="show", bind="query-params"
        )
        present = [word.text for kind, word in words.KINDS.items() if any(source.kind == kind for source in found)]
        kind = st.selectbox(
            "Looks", present, index=None, placeholder="Any kind", key="kind", bind="query-params", width=210
        )
        wanted = st.text_input(
            "Find", key="source", bind="query-params", placeholder="Name, network, AS, country", width=230
        )
        layout = st.segmented_control(
            "As", ["Cards", "Table"], default="Cards", required=True, key="as", bind="query-params"
        )
    chosen = [source for source in found if decided_as(source, show or "All") and matches(source, kind, wanted or "")]
    return show or "All", layout == "Table", chosen


def decided_as(source: Source, show: str) -> bool:
    """Whether a source belongs under this heading."""
    return show == "All" or source.decided == SHOWN.get(show)


def matches(source: Source, kind: str | None, wanted: str) -> bool:
    """Whether a source is of the kind and holds the text in any of its names."""
    if kind and words.word(words.KINDS, source.kind).text != kind:
        return False
    names = (source.name, source.source_key, source.as_name, source.as_domain, source.country, f"AS{source.asn}")
    return wanted.strip().casefold() in " ".join(filter(None, names)).casefold()


def nothing(show: str, found: Sequence[Source]) -> None:
    """No source under this heading."""
    if show == "Undecided" and not any(source.decided is None for source in found):
        notices.good("Every source has a decision. New ones will appear here as reports name them.")
    else:
        st.info("No source here. Take a filter away, or choose All.", icon=":material/filter_alt_off:")


def deck(chosen: list[Source], view: View) -> None:
    """Cards, ten a page."""
    pages = -(-len(chosen) // A_PAGE)
    at = min(st.session_state.get("leaf", 1), pages)
    days = cached.source_days(view.state, view.scope)
    owners = owners_of(cached.sources(view.state, view.scope, view.today))
    for source in chosen[(at - 1) * A_PAGE : at * A_PAGE]:
        own = days.filter(domain=source.domain, source_key=source.source_key)
        cards.source(source, own, owners, view)
    if pages > 1:
        st.pagination(pages, key="leaf")


def owners_of(found: Sequence[Source]) -> list[str]:
    """Owners that were named before, for sources or for domains."""
    named = {source.owner for source in found} | {entry.owner for entry in cached.settings().domains}
    return sorted(filter(None, named))


def table(chosen: list[Source], view: View) -> None:
    """All at once, to decide many with one click."""
    rows = grids.show(frame(chosen, view), columns(), alt="Sources", key="sources table", select="multi-row")
    picked = [chosen[row] for row in rows]
    with st.container(border=True, horizontal=True, vertical_alignment="bottom", gap="small"):
        owner = st.selectbox(
            "Owner of the selected", owners_of(chosen), index=None, accept_new_options=True, key="owner many", width=220
        )
        note = st.text_input("Note", key="note many", max_chars=500, width=240)
        pairs = [(source.domain, source.source_key) for source in picked]
        cards.buttons(pairs, [source.name for source in picked], Terms(owner, note or None), "many")
        st.caption(f"{words.count(len(picked), 'source')} selected" if picked else "Tick rows to decide them together")


def columns() -> grids.Config:
    """What the table shows."""
    column = st.column_config
    return {
        "name": column.TextColumn("Source", pinned=True, width=220),
        "kind": grids.chips(words.KINDS, "Looks", 150),
        "decision": grids.chips(words.DECISIONS, "Decision"),
        "messages": grids.MESSAGES,
        "aligned": grids.share("Aligned", palette().aligned),
        "trend": column.BarChartColumn("By day", width="small", color=palette().rule),
        "domain": column.TextColumn("Domain"),
        "country": column.TextColumn("Country", width=70),
        "first_seen": column.DateColumn("First seen", format="D MMM YYYY"),
        "last_seen": column.DateColumn("Last seen", format="D MMM YYYY"),
        "owner": column.TextColumn("Owner"),
        "source_key": column.TextColumn("Key"),
    }


def frame(chosen: Sequence[Source], view: View) -> pl.DataFrame:
    """The sources as a table."""
    days = cached.source_days(view.state, view.scope)
    trends = days.group_by("domain", "source_key").agg(trend=pl.col("messages"))
    return pl.DataFrame([row(source) for source in chosen], infer_schema_length=None).join(
        trends, on=["domain", "source_key"], how="left", maintain_order="left"
    )


def row(source: Source) -> dict[str, object]:
    """One source as a row."""
    return {
        "name": source.name,
        "kind": [words.word(words.KINDS, source.kind).text],
        "decision": [words.DECISIONS[source.decided or "undecided"].text],
        "messages": source.messages,
        "aligned": 100 * source.aligned / source.messages if source.messages else None,
        "domain": source.domain,
        "country": source.country,
        "first_seen": source.first_seen,
        "last_seen": source.last_seen,
        "owner": source.owner,
        "source_key": source.source_key,
    }


if __name__ == "__main__":
    page()
