"""The quarantine on screen: why a message was refused, another try, and its beginning as harmless text."""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from app.commands import loading
from app.web import cached, grids, notices, refusals, words
from app.web.filters import View
from ingest.errors import Error
from warehouse.retry import RetrySummary, retry

SHOWN: Final = 2048

column = st.column_config
REASONS: Final[grids.Config] = {
    "reason": column.TextColumn("Reason", width=130),
    "messages": column.NumberColumn("Messages", format="localized", width=80),
    "step": column.TextColumn("What to do", width=520),
    "last_seen_at": column.DatetimeColumn("Last", format="D MMM YYYY, HH:mm"),
}
COLUMNS: Final[grids.Config] = {
    "reason": column.TextColumn("Reason", width=115),
    "sentence": column.TextColumn("Why", width=300),
    "parsedmarc_says": column.TextColumn("And parsedmarc", width=165, help="What another parser says of it, if asked."),
    "origin": column.TextColumn("From", width=190),
    "size": column.NumberColumn("Bytes", format="localized", width=75),
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
    days = cached.settings().retention.quarantine_days
    st.caption(
        "A message here is never counted. Its bytes are kept until another try succeeds"
        + (f", for {words.count(days, 'day')} at most." if days else ".")
    )
    by_reason(frame)
    rows = grids.show(frame, COLUMNS, alt="Refused messages", key="quarantine", select="multi-row", lines=2)
    keys = (
        [int(key) for key in frame[rows]["quarantine_key"]] if rows else [int(key) for key in frame["quarantine_key"]]
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Try {words.count(len(rows), 'message')} again" if rows else f"Try all {len(keys)} again"
        st.button(label, icon=":material/replay:", on_click=again, args=(keys,), key="retry")
        grids.csv(frame, "quarantine", key="csv quarantine")
    for row in rows[:3]:
        preview(view, frame.row(row, named=True))


def by_reason(frame: pl.DataFrame) -> None:
    """How many for each reason, and what to do about those."""
    sums = frame.group_by("reason").agg(messages=pl.len(), last_seen_at=pl.col("last_seen_at").max())
    steps = [refusals.REFUSED.get(reason, "Try again after an upgrade.") for reason in sums["reason"]]
    told = sums.with_columns(step=pl.Series(steps, dtype=pl.String)).sort(
        "messages", "reason", descending=[True, False]
    )
    grids.show(told, REASONS, alt="Refused messages by reason", key="reasons")


def preview(view: View, kept: dict[str, object]) -> None:
    """The first bytes of a refused message as text; never as what they claim to be."""
    with st.container(border=True, gap="small"):
        words.say(kept["sentence"], "strong", limit=600)
        if kept["parsedmarc_says"]:
            words.say(kept["parsedmarc_says"], limit=600)
        words.say(kept["origin"], "quiet")
        words.say(f"Refused first at {kept['first_seen_at']:%Y-%m-%d %H:%M} UTC", "quiet")
        if not kept["kept"]:
            st.caption("Its bytes are gone, or were never read: it can be tried again when it comes again.")
            return
        beginning = cached.refused(view.state, int(str(kept["quarantine_key"])), SHOWN)
        lines = beginning.decode("utf-8", "replace").splitlines()
        st.code("\n".join(words.plain(line, 300) for line in lines) or "(no bytes)", language=None, wrap_lines=True)
        key = int(str(kept["quarantine_key"]))
        st.download_button(
            "As it came", cached.refused(view.state, key, int(str(kept["kept"]))), f"whosends-refused-{key}.bin",
            "application/octet-stream", key=f"raw {key}", icon=":material/download:", on_click="ignore",
            type="tertiary", help="Open it with care: these are the bytes that somebody sent.",
        )  # fmt: skip


def again(keys: list[int]) -> None:
    """Read them again. Made for a button's callback."""
    try:
        loader = loading.mail_loader(cached.warehouse(), cached.settings(), lambda _: None)
        st.session_state["retried"] = retry(loader, keys)
    except Error as error:
        st.session_state["retried"] = error


def outcome() -> None:
    """How the last try ended."""
    found: RetrySummary | Error | None = st.session_state.pop("retried", None)
    if isinstance(found, Error):
        notices.aside(found)
    elif found is not None:
        loaded = found.loaded
        settled = loaded.seen - loaded.quarantined
        if settled:
            notices.good(
                f"{words.count(settled, 'message')} left the quarantine: {words.count(loaded.reports, 'new report')}."
            )
        if loaded.quarantined:
            st.warning(f"{words.count(loaded.quarantined, 'message')} refused again.", icon=":material/block:")
        if found.without_bytes:
            st.caption(f"{words.count(len(found.without_bytes), 'message')} could not be tried: the bytes are gone.")
