"""Findings as cards: what happened, why it matters, the one next step, where the evidence is, and what is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import streamlit as st

from analysis import lifecycle
from analysis.findings import Finding
from app.tracking import Tracked, owner_of
from app.web import cached, following, grids, notices, pages, words
from app.web.filters import View

CARDS: Final = 3

column = st.column_config
MORE: Final[grids.Config] = {
    "severity": grids.chips(words.SEVERITIES, "Severity", 80),
    "state": grids.chips(words.LIFE, "State", 80),
    "title": column.TextColumn("Finding", width=250),
    "fix": column.TextColumn("Next step", width=275),
    "age": column.NumberColumn("Days", format="localized", width=55),
    "messages": grids.MESSAGES,
    "domain": column.TextColumn("Domain", width=150),
    "owner": column.TextColumn("Owner", width=120),
}


def listed(view: View) -> tuple[list[Tracked], list[Tracked]]:
    """The findings of the view that wait for somebody, and those that are settled or snoozed."""
    tracking = cached.tracking(view.state, view.today)
    known = {one.record.finding_key: one for one in tracking.findings}
    if view.as_of == view.today:
        inside = [one for one in tracking.findings if view.domain in (None, one.record.domain)]
        every = [one for one in inside if not view.scope.domains or one.record.domain in view.scope.domains]
        every = [one for one in every if one.record.found or one.record.state != "closed"]
    else:
        # The past: what was to be found then, with what became of it.
        found = cached.findings(view.state, view.scope, view.as_of)
        every = [known[one.key] if one.key in known else _unrecorded(one, view) for one in found if one.code != "ready"]
    waiting = [one for one in every if one.waiting]
    return waiting, [one for one in every if not one.waiting]


def _unrecorded(finding: Finding, view: View) -> Tracked:
    record = lifecycle.fresh(finding, view.as_of, view.until)
    age = max(0, (view.as_of - finding.since).days)
    return Tracked(record, owner_of(record, cached.settings()), age, snoozed=False, progress="")


def first(view: View, *, known: bool) -> None:
    """Three cards at most; the rest stands in a table below. `known`: whether there is enough data to praise."""
    following.last()
    st.subheader("Do next", anchor=False)
    waiting, settled = listed(view)
    for one in waiting[:CARDS]:
        card(one, view)
    if not waiting and not known:
        st.info(
            "Wait for more reports: there are too few, or too old ones, to say that all is well.",
            icon=":material/hourglass_empty:",
        )
    elif not waiting:
        notices.good("Nothing to do. All that the reports tell about your mail is in order, or somebody is at it.")
    rest(waiting[CARDS:], f"{len(waiting) - CARDS} more", ":material/list:", view)
    rest(settled, f"{len(settled)} in hand, proved, closed or snoozed", ":material/task_alt:", view)


def rest(found: Sequence[Tracked], title: str, icon: str, view: View) -> None:
    """What has no card, as a table; a click on a row gives it one."""
    if not found:
        return
    name = "findings" if icon == ":material/list:" else "settled findings"
    with st.expander(title, icon=icon, type="compact"):
        frame = table(found)
        columns = grids.filled(MORE, frame, "owner")
        rows = grids.show(frame, columns, alt="Other findings", key=name, select="single-row", lines=2)
        grids.csv(frame, name, key=f"csv {name}")
        if rows and rows[0] < len(found):
            card(found[rows[0]], view)


def table(found: Sequence[Tracked]) -> pl.DataFrame:
    """Findings as rows."""
    records = [one.record for one in found]
    return pl.DataFrame(
        {
            "severity": [[words.word(words.SEVERITIES, one.severity).text] for one in records],
            "state": [[words.word(words.LIFE, state(one)).text] for one in found],
            "title": [one.title for one in records],
            "fix": [one.fix for one in records],
            "owner": [one.owner for one in found],
            "age": [one.age for one in found],
            "messages": [one.messages for one in records],
            "domain": [one.domain for one in records],
        },
        schema_overrides={"owner": pl.String},
    )


def state(one: Tracked) -> str:
    """Its state in the words of words.LIFE."""
    return "snoozed" if one.snoozed and one.record.state == "open" else one.record.state


def card(one: Tracked, view: View) -> None:
    """One finding."""
    record = one.record
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words.badge(words.SEVERITIES, record.severity)
            if not one.waiting:
                words.badge(words.LIFE, state(one))
            words.say(record.title, "strong", width="content")
            st.space("stretch")
            words.say(f"{one.owner or 'nobody yet'} · {words.count(one.age, 'day')}", "quiet", width="content")
        words.say(record.why, limit=600)
        for text in filter(None, (record.reason, one.progress, record.note and f"Note: {record.note}")):
            words.say(text, "quiet")
        words.say(f"→ {record.fix}", limit=600)
        with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
            following.actions(one, view)
            pages.link(record.page, "See evidence", domain=record.domain, **narrowed(one))


def narrowed(one: Tracked) -> dict[str, str]:
    """The filters of the page that holds the evidence, so that it shows just this source."""
    record = one.record
    if not record.source_key:
        return {}
    return {"sender": record.source_key} if record.page == "drift" else {"source": record.source_key, "show": "All"}
