"""Who sends as me, and is it mine? One card a source, and the decision beside the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from analysis.missing import sentences
from analysis.sources import Source, each
from app.web import cached_sources, deciding, filters, grids, notices, selection, triage, words
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


def page() -> None:
    """Draw the page."""
    view = filters.view()
    found = cached_sources.costly_first(view.state, view.scope, view.today)
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


def headline(found: Sequence[Source], view: View) -> None:
    """How many wait for a decision, of those that are worth one."""
    waiting = cached_sources.waiting(view.state, view.scope, view.today)
    open_ = sum(decided is None for (decided,) in each(found, "decided"))
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
        kinds = {kind for (kind,) in each(found, "kind")}
        present = [word.text for kind, word in words.KINDS.items() if kind in kinds]
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
    if not (wanted := wanted.strip().casefold()):
        return True
    names = (source.name, source.source_key, source.as_name, source.as_domain, source.country, f"AS{source.asn}")
    return wanted in " ".join(filter(None, names)).casefold()


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
