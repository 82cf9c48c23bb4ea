"""What is done about a finding, from a button to the warehouse: assign, fixed, snooze, close, open again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import streamlit as st

from app.tracking import Tracked, record
from app.web import cached, deciding, notices, words
from app.web.filters import View
from ingest.errors import Error
from warehouse import findings as states

SNOOZE: Final = {"A week": 7, "Two weeks": 14, "A month": 30}
WORDS: Final = 200


def change(key: str, action: str, said: str, day: date, **values: Any) -> None:
    """Record one change of a finding, with what was seen before it. Made for a button's callback."""
    now = datetime.now(UTC).replace(tzinfo=None)
    try:
        tracking = cached.tracking(cached.state(), day)
        with cached.warehouse().writing(reports=False) as connection:
            record(connection, tracking.look)
            states.change(connection, key, action, deciding.actor(), now, **values)
    except Error as error:
        st.session_state["refused finding"] = error
        return
    st.session_state["said finding"] = said


def last() -> None:
    """What was done a moment ago, or why it was not."""
    refused: Error | None = st.session_state.pop("refused finding", None)
    if refused:
        notices.aside(refused)
    if said := st.session_state.pop("said finding", ""):
        st.toast(said, icon=":material/check:")


def actions(one: Tracked, view: View) -> None:
    """What can be done about a finding, in a popover of its card."""
    key = one.record.finding_key
    with st.popover("Act", icon=":material/edit:", width="content", key=f"act {key}"):
        st.caption(key)
        if one.record.state in ("verified", "closed") or one.snoozed:
            _button(one, view, "Open again", "finding.reopen", "reopen", _OPEN)
            return
        owner = st.text_input(
            "Owner",
            value=one.record.owner or "",
            placeholder=one.owner or "nobody yet",
            max_chars=WORDS,
            key=f"owner {key}",
        )
        assigned = words.plain(owner, WORDS) if owner.strip() else None
        _button(one, view, "Assign", "finding.assign", "assign", {"owner": assigned})
        if one.record.state == "open":
            fixed = {"state": "fixed", "fixed_on": view.today, "reason": f"Fix published on {view.today}."}
            _button(one, view, "The fix is published", "finding.fix", "fixed", fixed)
        days = st.selectbox("Silent for", list(SNOOZE), key=f"days {key}")
        until = view.today + timedelta(days=SNOOZE[days])
        _button(one, view, "Snooze", "finding.snooze", "snooze", {"snoozed_until": until})
        why = st.text_input("Why no more work is needed", max_chars=WORDS, key=f"why {key}")
        closed = {"state": "closed", "reason": words.plain(why, WORDS) or "Closed by hand.", "snoozed_until": None}
        _button(one, view, "Close", "finding.close", "close", closed)


_OPEN: Final[dict[str, Any]] = {"state": "open", "reason": "Opened by hand.", "fixed_on": None, "snoozed_until": None}


def _button(one: Tracked, view: View, label: str, action: str, name: str, values: dict[str, Any]) -> None:
    key = one.record.finding_key
    if label == "Open again" and one.record.state == "open":
        action, values = "finding.wake", {"snoozed_until": None}
    given = (key, action, f"{label}: done", view.today)
    st.button(label, key=f"{name} {key}", width="stretch", on_click=change, args=given, kwargs=values)
