"""Who sends as me, and is it mine? One card a source, and the decision beside the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from analysis.gates import undecided
from analysis.missing import sentences
from analysis.sources import Source, by_domain
from app.web import cached, cached_sources, deciding, filters, grids, notices, selection, triage, words
from app.web.filters import View

SHOWN: Final = {
    "Undecided": None,
    "Expired": "expired",
    "Approved": "approved",
    "Forwarders": "forwarder",
    "Spoof": "spoof",
    "Retired": "retired",
    "All": "",
}
SURE: Final = 0.9
MANY: Final = 5
# What is worth a person's time first: lost mail of one's own before strangers, and both before what is no loss.
WEIGHTS: Final = {"misaligned": 3.0, "unknown": 2.0, "aligned": 1.0, "forwarded": 0.8, "spoofing": 0.5}


def page() -> None:
    """Draw the page."""
    view = filters.view()
    found = sorted(cached.sources(view.state, view.scope, view.today), key=lambda s: impact(s, view), reverse=True)
    headline(found, view)
    for sentence in sentences(cached_sources.missing(view.state, view.scope, view.today)):
        words.say(sentence, "quiet")
    deciding.last()
    if not found:
        notices.none_in_scope()
        return
    show, as_table, chosen = chooser(found)
    if not chosen:
        nothing(show, found)
    elif as_table:
        selection.table(chosen, view)
    else:
        alike(show, chosen)
        triage.deck(chosen, view)
    grids.csv(selection.frame(chosen, view), "sources", key="csv sources")


def impact(source: Source, view: View) -> tuple[float, int]:
    """Messages × failing × recency, by how much it matters; sources without failures by size."""
    recency = 0.5 ** ((view.until - source.last_seen).days / 14)
    return (source.messages - source.aligned) * recency * WEIGHTS.get(source.kind, 1.0), source.messages


def headline(found: Sequence[Source], view: View) -> None:
    """How many wait for a decision, of those that are worth one."""
    rules = view.state.rules.readiness
    waiting = sum(len(undecided(own, "reject", rules)) for own in by_domain(found).values())
    open_ = sum(source.decided is None for source in found)
    st.title(f"{words.count(waiting, 'source')} to decide" if waiting else "No source waits for you", anchor=False)
    st.caption(
        f"{words.count(len(found), 'source')} sent mail in these days, {words.number(open_)} have no decision; those "
        "counted here are large enough, and not plainly yours. Where it costs most comes first. "
        "A decision is a note of yours: it changes no DNS record."
    )


def chooser(found: Sequence[Source]) -> tuple[str, bool, list[Source]]:
    """The page's own filters, and the sources they leave."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        held = [one for one in SHOWN if one in ("Undecided", "All", st.session_state.get("show")) or any_so(found, one)]
        show = st.segmented_control("Show", held, default="Undecided", required=True, key="show", bind="query-params")
        present = [word.text for kind, word in words.KINDS.items() if any(source.kind == kind for source in found)]
        kind = st.selectbox(
            "Looks", present, index=None, placeholder="Any kind", key="kind", bind="query-params", width=170
        )
        wanted = st.text_input("Find", key="source", bind="query-params", placeholder="Name, network, AS", width=170)
        as_table = st.toggle("As a table", key="table", bind="query-params")
    chosen = [source for source in found if decided_as(source, show or "All") and matches(source, kind, wanted or "")]
    return show or "All", as_table, chosen


def any_so(found: Sequence[Source], show: str) -> bool:
    """Whether any source belongs under this heading."""
    return any(decided_as(source, show) for source in found)


def decided_as(source: Source, show: str) -> bool:
    """Whether a source belongs under this heading."""
    if show == "Expired":
        return source.decision is not None and source.decided is None
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


def alike(show: str, chosen: Sequence[Source]) -> None:
    """Where many sources are surely of one kind, a way to decide them together."""
    kinds = {kind: [source for source in chosen if source.kind == kind] for kind in ("spoofing", "forwarded")}
    sure = {kind: sum(source.confidence >= SURE for source in like) for kind, like in kinds.items()}
    told = [kind for kind in kinds if show == "Undecided" and sure[kind] >= MANY and len(kinds[kind]) < len(chosen)]
    for kind, place in zip(told, st.columns(len(told) or 1), strict=False):
        with place.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            words.badge(words.KINDS, kind)
            st.markdown(f"**{len(kinds[kind]):,}** sources, {sure[kind]:,} surely", width="content")
            st.space("stretch")
            st.button(
                "Decide together",
                icon=":material/checklist:",
                key=f"alike {kind}",
                on_click=st.session_state.update,
                args=({"kind": words.KINDS[kind].text, "table": True},),
            )


if __name__ == "__main__":
    page()
