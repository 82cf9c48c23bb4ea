"""Am I fine, and if not, what do I do first?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from analysis.status import DomainStatus, Status
from app.web import cached, figures, filters, frames, grids, notices, pages, pictures, todo, verdicts, words
from app.web.filters import View
from app.web.theme import palette


def page() -> None:
    """Draw the page."""
    view = filters.view()
    standing = cached.status(view.state, view.scope, view.as_of)
    if not standing.domains:
        st.title("Overview", anchor=False)
        notices.none_in_scope()
        return
    if len(standing.domains) == 1:
        one(standing.domains[0], view)
    else:
        every(standing.domains)
    freshness(standing)
    known = all(domain.verdict != "unknown" for domain in standing.domains)
    todo.first(view, known=known)
    st.subheader(f"The {view.period}", anchor=False)
    days = frames.rates(cached.daily(view.state, view.scope))
    lost = frames.failing(cached.by_kind(view.state, view.scope, view.today))
    figures.row(days, lost, standing.domains, view)
    st.subheader("Alignment, and what fell out of it", anchor=False)
    pictures.draw(days, lost, view)
    if len(standing.domains) > 1:
        domains(standing.domains)


def one(standing: DomainStatus, view: View) -> None:
    """The verdict on one domain."""
    judged = cached.readiness(view.state, view.scope_of(standing.domain), standing.target, view.as_of)
    st.title(verdicts.title(judged), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words.badge(words.VERDICTS, judged.verdict)
        words.say(standing.domain, "code", width="content")
        verdicts.way(judged)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(verdicts.summary(judged.gates), width="content")
        pages.link("readiness", "See the conditions", domain=standing.domain)


def every(standing: Sequence[DomainStatus]) -> None:
    """The verdict on all domains."""
    states = Counter(domain.verdict for domain in standing)
    total = words.count(len(standing), "domain")
    if states["stop"]:
        title = f"{states['stop']} of {total} not ready for a stricter policy"
    elif states["unknown"]:
        title = f"{states['unknown']} of {total} with too little or too old data to tell"
    else:
        title = f"{total} in good order"
    st.title(title, anchor=False)
    messages, aligned = sum(d.messages for d in standing), sum(d.aligned for d in standing)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for verdict in words.VERDICTS:
            if states[verdict]:
                words.badge(words.VERDICTS, verdict, after=f": {states[verdict]}")
        said = f"**{words.share(aligned, messages)}** of {words.count(messages, 'message')} aligned."
        st.markdown(said, width="content")


def freshness(standing: Status) -> None:
    """Whether the picture is whole."""
    parts = []
    if standing.usual_reporters:
        parts.append(f"{standing.reporters} of {standing.usual_reporters} usual reporters wrote in the last week")
    if standing.quarantined:
        parts.append(f"{words.count(standing.quarantined, 'message')} refused (see Reports)")
    if standing.last_run_at:
        parts.append(f"last read {standing.last_run_at[:16].replace('T', ' ')} UTC")
    if parts:
        st.caption(" · ".join(parts))


def domains(standing: Sequence[DomainStatus]) -> None:
    """All domains, those that wait first; a click looks at one."""
    st.subheader("All domains", anchor=False)
    rank = ["stop", "unknown", "go"]
    ordered = sorted(standing, key=lambda d: (rank.index(d.verdict), -d.messages))
    frame = grids.standing(ordered, cached.settings().owner_of)
    columns = grids.filled(grids.standing_columns(palette()), frame, "owner")
    rows = grids.show(frame, columns, alt="All domains", key="domains", select="single-row", lines=2)
    if rows:
        filters.choose(ordered[rows[0]].domain)
    grids.csv(frame, "domains", key="csv domains")


if __name__ == "__main__":
    page()
