"""The quarantine on screen: why a message was refused, another try, and its beginning as harmless text."""

from __future__ import annotations

from typing import Final

import streamlit as st

from app.commands import loading
from app.web import cached, grids, notices, words
from app.web.filters import View
from ingest.errors import Error
from warehouse.load import Loader, LoadSummary
from warehouse.retry import retry

SHOWN: Final = 2048

column = st.column_config
COLUMNS: Final[grids.Config] = {
    "reason": column.TextColumn("Reason", width=130),
    "sentence": column.TextColumn("Why", width=420),
    "origin": column.TextColumn("From", width=260),
    "size": column.NumberColumn("Bytes", format="localized"),
    "first_seen_at": column.DatetimeColumn("First seen", format="D MMM YYYY, HH:mm"),
    "times_seen": column.NumberColumn("Times", width=60),
    "quarantine_key": column.NumberColumn("Key", format="%d", width=60),
}


def listing(view: View) -> None:
    """What was refused, and what to do about it."""
    outcome()
    frame = cached.quarantined(view.state)
    if frame.is_empty():
        notices.good("The quarantine is empty: nothing was refused.")
        return
    st.caption("Kept with their bytes until another try succeeds. A message here is never counted.")
    rows = grids.show(frame, COLUMNS, alt="Refused messages", key="quarantine", select="multi-row")
    keys = (
        [int(key) for key in frame[rows]["quarantine_key"]] if rows else [int(key) for key in frame["quarantine_key"]]
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Try {words.count(len(rows), 'message')} again" if rows else f"Try all {len(keys)} again"
        st.button(label, icon=":material/replay:", on_click=again, args=(keys,), key="retry")
        grids.csv(frame, "quarantine", key="csv quarantine")
    for row in rows[:3]:
        preview(view, frame.row(row, named=True))


def preview(view: View, kept: dict[str, object]) -> None:
    """The first bytes of a refused message as text; never as what they claim to be."""
    with st.container(border=True, gap="small"):
        words.say(kept["sentence"], "strong", limit=600)
        words.say(kept["origin"], "quiet")
        beginning = cached.refused(view.state, int(str(kept["quarantine_key"])), SHOWN)
        lines = beginning.decode("utf-8", "replace").splitlines()
        st.code("\n".join(words.plain(line, 300) for line in lines) or "(no bytes)", language=None, wrap_lines=True)


def again(keys: list[int]) -> None:
    """Read them again. Made for a button's callback."""
    loader = Loader(cached.warehouse(), cached.settings().limits, loading.identify, loading.now, lambda _: None)
    try:
        st.session_state["retried"] = retry(loader, keys).loaded
    except Error as error:
        st.session_state["retried"] = error


def outcome() -> None:
    """How the last try ended."""
    found: LoadSummary | Error | None = st.session_state.pop("retried", None)
    if isinstance(found, Error):
        notices.aside(found)
    elif found is not None:
        settled = found.seen - found.quarantined
        if settled:
            notices.good(
                f"{words.count(settled, 'message')} left the quarantine: {words.count(found.reports, 'new report')}."
            )
        if found.quarantined:
            st.warning(f"{words.count(found.quarantined, 'message')} refused again.", icon=":material/block:")
