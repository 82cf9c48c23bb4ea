"""Which DKIM selectors are in use, which do not work, and which may go?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import streamlit as st

from analysis.signing import CLAIMED, THEIRS, Inventory, Selector
from app.web import cached_signing, filters, grids, notices, words
from app.web.theme import palette
from app.web.words import Word

column = st.column_config
STATES: Final = {
    "ghost": Word("Fails or is missed", ":material/warning:", "red"),
    "orphan": Word("Declared, not seen", ":material/help:", "violet"),
    "unused": Word("May go", ":material/archive:", "gray"),
    "shared": Word("Shared", ":material/group:", "orange"),
    "used": Word("Works", ":material/check_circle:", "blue"),
    "claimed": Word("Claimed by strangers", ":material/report:", "gray"),
}
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "selector": pl.String,
    "state": pl.List(pl.String),
    "since": pl.Date,
    "senders": pl.String,
    "others": pl.Int64,
    "passed": pl.Float64,
    "messages": pl.Int64,
    "first_seen": pl.Date,
    "last_seen": pl.Date,
    "signing_domain": pl.String,
    "domain": pl.String,
    "service": pl.String,
}


def page() -> None:
    """Draw the page."""
    view = filters.view()
    found = cached_signing.selectors(view.state, view.scope, view.today)
    others = st.session_state.get("others", False)
    chosen = [one for one in found.selectors if one.own or others]
    headline(chosen)
    if found.newest is None or not found.selectors:
        notices.none_in_scope()
        return
    st.caption(
        "Keys that sign mail as your domain, over half a year. A key may go where no mail has carried it for longer "
        "than its senders ever pause, and reporters were there to see it. Whether DNS still has a key is not known "
        "from reports."
    )
    st.toggle("Also keys of other signing domains", key="others")
    rows = frame(chosen)
    grids.show(rows, columns(several=rows["domain"].n_unique() > 1, others=others), alt="Selectors", key="selectors")
    grids.csv(rows, "selectors", key="csv selectors")
    if found.unlisted:
        st.caption(f"{found.unlisted:,} more never verified; of each domain {CLAIMED} such are listed.")
    turned(found)


def headline(chosen: Sequence[Selector]) -> None:
    """What needs somebody; never good news without keys."""
    ghosts = sum("ghost" in one.states for one in chosen)
    unused = sum("unused" in one.states for one in chosen)
    if ghosts:
        title = f"{words.count(ghosts, 'selector')} of yours {'fails or is' if ghosts == 1 else 'fail or are'} missed"
    elif unused:
        title = f"{words.count(unused, 'selector')} may go"
    else:
        title = "Every selector works" if chosen else "No selector was seen"
    st.title(title, anchor=False)


def frame(chosen: Sequence[Selector]) -> pl.DataFrame:
    """The selectors as a table."""
    return pl.DataFrame([row(one) for one in chosen], schema=SCHEMA)


def row(one: Selector) -> dict[str, object]:
    """One selector as a row; its senders apart from those who only pass on what they signed."""
    senders = [use.name for use in one.uses if use.kind in THEIRS]
    return {
        "selector": one.selector,
        "state": [STATES[state].text for state in one.states],
        "since": one.removable_since or one.failing_since,
        "senders": words.listed(senders),
        "others": len(one.uses) - len(senders),
        "passed": 100 * one.passed / one.messages if one.messages else None,
        "messages": one.messages,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "signing_domain": one.signing_domain,
        "domain": one.domain,
        "service": one.service,
    }


# Of the selector and of who signs with it, by whether the domain and whether the signing domain stand beside them.
WIDTHS: Final = {
    (True, False): (100, 140),
    (False, False): (148, 237),
    (True, True): (111, 164),
    (False, True): (160, 260),
}


def columns(*, several: bool, others: bool = False) -> grids.Config:
    """What the table shows; the rest is in the file.

    Of `several` domains, whose selector it is stands before all else; with `others`, whose key it is.
    """
    last: grids.Config = {
        "others": column.NumberColumn("Passed on by", width=90),
        "last_seen": column.DateColumn("Last seen", format="D MMM YYYY", width=95),
    }
    if others:
        last = {"signing_domain": column.TextColumn("Signing domain (d=)", width=150)}
    selector, senders = WIDTHS[several, others]
    return {
        "selector": column.TextColumn("Selector (s=)", pinned=True, width=selector),
        **({"domain": column.TextColumn("Domain", width=145)} if several else {}),
        "state": grids.chips(STATES, "State", 140),
        "since": column.DateColumn("Since", format="D MMM YYYY", width=95),
        "senders": column.TextColumn("Signed by", width=senders),
        "passed": grids.share("Pass", palette().aligned, 115),
        "messages": grids.MESSAGES,
        **last,
    }


def turned(found: Inventory) -> None:
    """Which selectors came and went."""
    if not found.rotations:
        return
    st.subheader("Came and went", anchor=False)
    for turn in found.rotations:
        what = "took the place of another" if turn.rotated else "came into use" if turn.begins else "fell out of use"
        words.say(f"{words.full_day(turn.day)} · {turn.domain} · {turn.selector} {what}", "quiet")


if __name__ == "__main__":
    page()
