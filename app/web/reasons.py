"""Why a source is judged so: facts, question, the ledger of evidence, and how it came to be one source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from analysis.facts import PROOFS
from analysis.sources import Source
from analysis.verdict import VERDICTS
from app.web import cached, cached_sources, deciding, words
from app.web.filters import View
from ingest.errors import Error
from warehouse import regroup

CAUSES = {
    "names": "after new reverse names",
    "records": "after records in the DNS of your domains",
    "upgrade": "after an upgrade",
    "undo": "taken back",
}
KINDS = {
    "renamed": "{old} became {new}",
    "merged": "{old} was merged into {new}",
    "split": "{new} was split off {old}",
    "moved": "a part of {old} moved to {new}",
}


def reasons(found: Source, view: View, key: str) -> None:
    """All of it, for an open card."""
    words.facts(facts(found))
    words.ledger((entry.sentence, entry.weight, entry.rows) for entry in found.evidence)
    st.caption(
        "Numbers are log-odds: what speaks for this judgement (+) and against it (−). Below ±0.1 is left out. Beside "
        "each stands the table whose rows were counted."
    )
    regrouped(found, view, key)


def facts(found: Source) -> list[tuple[str, str]]:
    """What is known of a source, each by its name: sentences of ours, and names from our databases."""
    leans = " · ".join(f"{words.KINDS[kind].text} {words.share(p, 1)}" for kind, p in found.probabilities.items())
    path = found.path
    way = ""
    if path:
        way = f"{words.count(path.direct, 'message')} straight from it, {words.number(path.passed_on)} passed on"
        way += f", {words.number(path.through_list)} of them through a list" if path.through_list else ""
    told = [
        ("Verdict", VERDICTS[found.verdict].capitalize() + "."),
        ("Yours by", PROOFS[found.proof]),
        ("Way", f"{way}." if way else ""),
        ("Through", f"{found.carrier}: it sends from machines of that service's." if found.carrier else ""),
        ("Likely", leans),
        # Where nothing is decided, the question stands on the card already.
        ("Ask", found.question if found.decided else ""),
    ]
    return [fact for fact in told if fact[1]]


def regrouped(found: Source, view: View, key: str) -> None:
    """How the source was merged, split or renamed, with a way to take that back."""
    history = cached_sources.regroupings(view.state, found.source_key)
    if history.is_empty():
        return
    st.markdown("**How it came to be one source**")
    for change in history.head(10).iter_rows(named=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words.say(told(change), "quiet", width="content")
            if change["undone_by"] is None:
                st.button(
                    "Take back",
                    key=f"regroup {change['regroup_key']} {key}",
                    type="tertiary",
                    icon=":material/undo:",
                    on_click=take_back,
                    args=(change["regroup_key"],),
                    help="Its addresses return and stay; a decision that went along returns with them.",
                )


def told(change: dict[str, Any]) -> str:
    """One change as a sentence."""
    what = KINDS[change["kind"]].format(old=change["old_key"], new=change["new_key"])
    moved = words.count(change["addresses"], "address", "addresses")
    back = ", taken back since" if change["undone_by"] is not None else ""
    differ = ". Decisions on both sides differ: decide anew" if change["conflict"] else ""
    return (
        f"{words.full_day(change['regrouped_at'].date())}: {what} ({moved}), {CAUSES[change['cause']]}{back}{differ}."
    )


def take_back(number: int) -> None:
    """Take a regrouping back. Made for a button's callback."""
    try:
        with cached.warehouse().writing() as connection:
            regroup.undo(connection, number, deciding.actor(), datetime.now(UTC))
    except Error as error:
        st.session_state["refused"] = error
        return
    st.session_state["said"] = "Taken back: its addresses are a source of their own again"
