"""The reports that tell of one source from one day on: where a sentence about a change leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import streamlit as st

from app.web import words
from app.web.filters import View
from warehouse.scope import Scope

DAYS: Final = timedelta(days=6)  # after the day that a link asks for


def asked(view: View) -> tuple[str, Scope]:
    """The source whose reports a link asks for, and the days from then on; else none, and all that is looked at."""
    key, on = st.query_params.get("of", ""), st.query_params.get("on", "")
    try:
        first = date.fromisoformat(on)
        last = min(view.newest, first + DAYS)
    except (ValueError, OverflowError):
        return "", view.scope
    if not key:
        return "", view.scope
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words.say(f"Only reports that tell of one source, from {words.full_day(first)} on:", width="content")
        words.say(key, "code", width="content")
        if st.button("Show all", icon=":material/close:", type="tertiary"):
            del st.query_params["of"], st.query_params["on"]
            st.rerun()
    return key, replace(view.scope, since=first, until=last)
