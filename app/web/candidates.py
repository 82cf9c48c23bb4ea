"""A record to try: a few controls, what it would have done source by source, and how far forecasts can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl
import streamlit as st

from analysis.backtest import Backtest
from analysis.candidate import Candidate
from analysis.ledger import Ledger
from analysis.outlook import Count
from analysis.readiness import Readiness
from app.below_words import RECORDS, below_headline
from app.web import cached_readiness, grids, notices, words
from app.web.filters import View
from ingest.errors import UsageError
from warehouse.scope import Scope

AS_P: Final = "as p"
SWITCHES: Final = {
    "adkim": "adkim=s",
    "aspf": "aspf=s",
    "testing": "t=y",
    "dkim_alone": "only DKIM counts",
}
GROUPS: Final = {
    "legitimate": words.Word("Your own", ":material/warning:", "red"),
    "forwarded": words.Word("Forwarded", ":material/forward:", "orange"),
    "undecided": words.Word("Undecided", ":material/help:", "violet"),
    "spoofing": words.Word("Spoofed", ":material/report:", "gray"),
}


def build(judged: Readiness) -> Candidate:
    """The controls, and the record that they make."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            below = st.segmented_control(
                "Subdomains (sp)", [AS_P, "none", "quarantine", "reject"], default=AS_P, required=True, key="try sp"
            )
            chosen = st.pills("Stricter, softer", list(SWITCHES.values()), selection_mode="multi", key="try switches")
            include = st.text_input(
                "Without this SPF include", max_chars=255, key="try include", placeholder="spf.example.net", width=240
            )
        on = set(chosen or ())
        wish = Candidate(
            p=judged.target,
            sp=None if below in (AS_P, None) else below,
            adkim="s" if SWITCHES["adkim"] in on else "r",
            aspf="s" if SWITCHES["aspf"] in on else "r",
            testing=SWITCHES["testing"] in on,
            dkim_alone=SWITCHES["dkim_alone"] in on,
            without_include=(include or "").strip(),
        )
        st.code(wish.record, language=None, wrap_lines=True)
    return wish


def tried(judged: Readiness, view: View) -> Ledger | None:
    """The candidate and its ledger, which comes back; None where there is none."""
    if judged.since is None or judged.until is None:
        return None
    st.subheader("Try a record", anchor=False)
    wish = build(judged)
    scope = Scope((judged.domain,), judged.since, judged.until)
    try:
        told = cached_readiness.ledger(view.state, scope, wish, view.as_of)
    except UsageError as error:
        words.say(error, "quiet", limit=600)
        return None
    mine = told.groups["legitimate"]
    between = words.number(mine.low) + (f" to {words.number(mine.high)}" if mine.high > mine.low else "")
    st.markdown(
        f"Of your own mail it fails **{words.number(mine.failing)}** of these days' messages. Receivers refused "
        f"**{words.number(mine.refused)}** already; nine times in ten, **{between}** more would be."
    )
    if not told.entries:
        notices.good("It refuses nothing: all mail that it covers aligned.")
    else:
        _groups(told)
        _sources(told)
    if told.freed:
        st.caption(f"{words.count(told.freed, 'message')} that were refused would be delivered.")
    for note in told.notes:
        st.caption(note)
    return told


def _groups(told: Ledger) -> None:
    frame = pl.DataFrame(
        [{"group": [GROUPS[name].text], **_counted(one)} for name, one in told.groups.items() if one.failing],
        infer_schema_length=None,
    )
    if frame.height:
        columns = {"group": grids.chips(GROUPS, "What", 130), **COUNTS}
        grids.show(frame, columns, alt="What the record refuses, by what it is", key="groups")


def _sources(told: Ledger) -> None:
    frame = pl.DataFrame(
        [
            {
                "name": one.name,
                "kind": [words.word(words.KINDS, one.kind).text],
                "decision": [words.DECISIONS[one.decision or "undecided"].text],
                **_counted(one.count),
                "messages": one.messages,
                "owner": one.owner,
            }
            for one in told.entries
            if one.count.failing
        ],
        infer_schema_length=None,
        schema_overrides={"owner": pl.String},
    )
    if frame.is_empty():
        return
    grids.show(frame, grids.filled(COLUMNS, frame, "owner"), alt="What the record refuses, by source", key="blocked")
    st.caption(
        "*Refused* is what receivers did already: a fact. *Let through* came in against a policy, or for a reason that "
        "the receiver gave, and would again. The rest is a forecast for as many days to come: nine of ten outcomes lie "
        "between *more: at least* and *at most*, by how each reporter has honoured policies."
    )
    grids.csv(frame, "ledger", key="csv ledger")


def _counted(one: Count) -> dict[str, int]:
    return {
        "failing": one.failing,
        "refused": one.refused,
        "let_through": one.let_through,
        "expected": one.expected,
        "low": one.low,
        "high": one.high,
    }


def names_below(told: Ledger, view: View) -> None:
    """What the record does to the names below the domain, and which it does not touch."""
    assert told.since is not None
    scope = Scope((told.domain,), told.since, told.until)
    found = cached_readiness.below(view.state, scope, told.candidate, view.as_of)
    if not found:
        return
    with st.expander(f"{words.count(len(found), 'name')} below the domain", icon=":material/account_tree:"):
        for sentence in below_headline(told.domain, found):
            words.say(sentence, limit=600)
        rows = [
            {
                "name": one.name,
                "record": RECORDS[one.record],
                "asks": one.asks,
                "messages": one.messages,
                "failing": one.failing,
                "own": one.groups["legitimate"],
                "refused": one.refused,
            }
            for one in found
        ]
        frame = pl.DataFrame(rows, schema_overrides={"asks": pl.String}, infer_schema_length=None)
        grids.show(frame, BELOW, alt="What the record does to names below the domain", key="below")
        grids.csv(frame, "below", key="csv below")


def deep_names(told: Ledger) -> None:
    """Names of which only reporters tell where the walk ended, as long as DNS was not asked."""
    odd = [one for one in told.deep_names if one.walk != "same"]
    if not odd:
        return
    with st.expander(f"{words.count(len(odd), 'name')} for which receivers may find another record"):
        st.caption(
            "RFC 9989 walks up the tree of names, where RFC 7489 goes to the organizational domain at once. Whether a "
            "name between ends the walk only DNS knows: ask it above. Some reporters say where their walk ended."
        )
        frame = pl.DataFrame(
            [{"name": one.name, "messages": one.messages, "walk": one.walk, "at": one.found_at} for one in odd],
            schema={"name": pl.String, "messages": pl.Int64, "walk": pl.String, "at": pl.String},
        )
        grids.show(frame, NAMES, alt="Names for which receivers may find another record", key="names")


def proof(view: View, domains: Iterable[str]) -> None:
    """How good such forecasts were when a policy turned stricter."""
    st.subheader("How good are these forecasts?", anchor=False)
    found = cached_readiness.backtest(view.state, Scope(tuple(domains), None, view.until), view.as_of)
    if not found.experiments:
        st.caption("No policy turned stricter in these reports, so there is nothing here to test them on.")
        return
    st.markdown(_proven(found))
    frame = pl.DataFrame(
        [
            {
                "day": experiment.day,
                "change": f"{experiment.before} → {experiment.after}",
                "what": [GROUPS[one.group].text],
                "name": "all together" if one.what == "group" else one.name,
                "low": one.low,
                "high": one.high,
                "actual": one.actual,
                "held": one.held,
            }
            for experiment in found.experiments
            for one in experiment.compared
        ],
        infer_schema_length=None,
    )
    grids.show(frame, PROOF, alt="Forecasts from before a change, and what receivers refused after it", key="proof")
    st.caption("Each forecast is made from the 28 days before the change alone, for the 14 days after it.")


def _proven(found: Backtest) -> str:
    held = f"**{words.share(found.held or 0.0, 1)}** of {words.count(found.ranges, 'range')} held what came"
    if found.error is None:
        return f"{held}; nine of ten should."
    much = "much" if found.error > 0 else "little"
    return f"{held}; nine of ten should. In all, {words.share(abs(found.error), 1)} too {much} was forecast."


column = st.column_config
COUNTS: Final[grids.Config] = {
    "failing": column.NumberColumn("Fails", format="localized", width=75),
    "refused": column.NumberColumn("Refused (fact)", format="localized", width=105),
    "let_through": column.NumberColumn("Let through", format="localized", width=85),
    "low": column.NumberColumn("More: at least", format="localized", width=105),
    "high": column.NumberColumn("at most", format="localized", width=75),
}
COLUMNS: Final[grids.Config] = {
    "name": column.TextColumn("Source", pinned=True, width=195),
    "kind": grids.chips(words.KINDS, "Looks", 150),
    "decision": grids.chips(words.DECISIONS, "Decision", 95),
    **COUNTS,
    "messages": grids.MESSAGES,
    "owner": column.TextColumn("Owner", width=120),
}
BELOW: Final[grids.Config] = {
    "name": column.TextColumn("Name", pinned=True, width=230),
    "record": column.TextColumn("Record", width=130),
    "asks": column.TextColumn("Asked for", width=95),
    "messages": grids.MESSAGES,
    "failing": column.NumberColumn("Not aligned", format="localized", width=100),
    "own": column.NumberColumn("Of these, yours", format="localized", width=115),
    "refused": column.NumberColumn("Refused already", format="localized", width=115),
}
NAMES: Final[grids.Config] = {
    "name": column.TextColumn("Name", width=260),
    "messages": grids.MESSAGES,
    "walk": column.TextColumn("Record", width=110),
    "at": column.TextColumn("Found at", width=220),
}
PROOF: Final[grids.Config] = {
    "day": grids.DAY,
    "change": column.TextColumn("Change", width=230),
    "what": grids.chips(GROUPS, "What", 115),
    "name": column.TextColumn("Source", width=180),
    "low": column.NumberColumn("At least", format="localized", width=80),
    "high": column.NumberColumn("At most", format="localized", width=80),
    "actual": column.NumberColumn("Refused", format="localized", width=85),
    "held": column.CheckboxColumn("Held", width=60),
}
