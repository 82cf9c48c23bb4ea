"""What DNS says of a domain on the page Readiness: what is kept and how old that is, and a button that asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from analysis.candidate import Candidate
from analysis.next_record import present_of
from analysis.readiness import Readiness
from analysis.tree import Tree
from app.looking import Looked, ask_dns
from app.web import cached, cached_readiness, words
from app.web.filters import View
from ingest.errors import Error
from ingest.probes.dmarc import DmarcObservation
from warehouse.instants import naive
from warehouse.scope import Scope

FRESH: Final = timedelta(days=1)  # for which the record that DNS showed may be taken for the one to change
TAKES: Final = {True: "says that it takes them", False: "does not say that it takes them", None: "DNS did not answer"}


def tree_of(judged: Readiness, view: View) -> Tree | None:
    """What is kept of DNS about the domain's mail; None where there is no mail to ask for."""
    if judged.since is None or judged.until is None:
        return None
    return cached_readiness.tree(view.state, Scope((judged.domain,), judged.since, judged.until), view.as_of)


def present(tree: Tree | None) -> Candidate | None:
    """The record as DNS showed it not long ago, so that the next one keeps its tags."""
    if tree is None or tree.observed_at is None or _now() - tree.observed_at > FRESH:
        return None
    return present_of(tree.observation)


def panel(judged: Readiness, tree: Tree) -> None:
    """The record, where its reports may go, and the button."""
    said = st.session_state.pop("dns said", None)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words.say(_age(tree), "strong", width="content")
            st.space("stretch")
            offline = cached.settings().offline
            st.button(
                "Ask DNS",
                icon=":material/travel_explore:",
                key="ask dns",
                on_click=_ask,
                args=(judged, tree),
                disabled=offline,
                help="The settings say offline." if offline else None,
            )
        if said:
            words.say(said, "quiet", limit=600)
        if tree.observed_at:
            _record(tree.observation)


def _ask(judged: Readiness, tree: Tree) -> None:
    """Ask, before the page is drawn with what came."""
    settings = cached.settings()
    scope = Scope((tree.names.domain,), judged.since, judged.until)
    try:
        with st.spinner("Asking DNS…"):
            looked = ask_dns(cached.warehouse(), scope, settings.resolver, datetime.now(UTC))
    except Error as error:
        st.session_state["dns said"] = f"{error} {error.hint or ''}"
        return
    st.session_state["dns said"] = " ".join(_came(looked))


def _came(looked: Looked) -> Iterator[str]:
    """What came of it, in sentences."""
    if looked.answered or looked.unanswered:
        yield f"DNS answered {words.count(looked.answered, 'question')}."
    else:
        yield "Nothing had to be asked: what is kept is fresh."
    if looked.unanswered:
        yield f"It left {words.number(looked.unanswered)} open: there, what it said before counts, if anything."
    if looked.unkept:
        yield f"This could not be kept: {looked.unkept}"


def _age(tree: Tree) -> str:
    """How old the answers are, in words: that about the record, and the oldest of the others."""
    if tree.times is None or tree.observed_at is None:
        return "DNS was never asked about this domain"
    own, oldest = _ago(tree.observed_at), _ago(tree.times[0])
    return f"DNS was asked {own}" if own == oldest else f"DNS was asked {own}, about some names {oldest}"


def _ago(at: datetime) -> str:
    minutes = int((_now() - at).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    unit, size = ("minute", 1) if minutes < 60 else ("hour", 60) if minutes < 48 * 60 else ("day", 24 * 60)
    return f"{words.count(minutes // size, unit)} ago"


def _now() -> datetime:
    return naive(datetime.now(UTC))


def _record(seen: DmarcObservation) -> None:
    """The record as text, whatever it holds, and its destinations."""
    if not seen.answered:
        words.say("It gave no answer about the record.", "quiet")
    elif not seen.records:
        words.say(f"There is no record at _dmarc.{seen.domain}.", "quiet")
    for record in seen.records:
        words.say(f"At _dmarc.{seen.found_at}:", "quiet")
        st.code(words.plain(record, 2000), language=None, wrap_lines=True)
    words.facts((f"Reports to {one.host}", TAKES[one.takes]) for one in seen.destinations)
