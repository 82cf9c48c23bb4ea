"""A source as a card: who it is, how its mail fares, why we think so, and the decision."""

from __future__ import annotations

from datetime import date

import polars as pl
import streamlit as st

from analysis.sources import Source
from app.web import cached, deciding, grids, picked, reasons, sparks, words
from app.web.deciding import Terms
from app.web.filters import View

AT_HAND = 3  # reasons on the card that has the keyboard
LABELS = {
    "approved": ("Approve", "A"),
    "forwarder": ("Forwarder", "F"),
    "spoof": ("Spoof", "S"),
    "retired": ("Retire", "T"),
}


def source(found: Source, days: pl.DataFrame, owners: list[str], view: View, *, keys: bool = False) -> None:
    """Draw the card of one source. `days` are its own: day, messages, aligned. `keys`: it has the keyboard."""
    key = f"{found.domain} {found.source_key}"
    with st.container(border=True, gap="small", key="at hand" if keys else None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            picked.box(found)
            words.say(found.name, "strong", width="content")
            if _bare(found.source_key) not in words.plain(found.name):
                words.say(_bare(found.source_key), "code", width="content")
            _badges(found)
            st.space("stretch")
            sparks.bars(days, view.since, view.until)
        words.say(_facts(found, view), "quiet")
        if not found.decided:
            words.say(found.question, limit=600)
        _decision(found, owners, key, view, keys=keys)
        if keys and not st.session_state.get(f"why {key}"):
            words.ledger((entry.sentence, entry.weight, "") for entry in found.evidence[:AT_HAND])
        details = st.expander(
            "Why we think so", icon=":material/fact_check:", key=f"why {key}", on_change="rerun", type="compact"
        )
        if details.open:
            with details:
                _evidence(found, view, key)


def _toggle(key: str) -> None:
    st.session_state[key] = not st.session_state.get(key)


def _bare(source_key: str) -> str:
    """The source's key without its kind: the network, domain or operator."""
    return words.plain(source_key.partition(":")[2] or source_key)


def _badges(found: Source) -> None:
    sure = "" if found.decided else f" · {words.confidence(found.confidence)} confidence"
    words.badge(words.KINDS, found.kind, after=sure if found.kind != "unknown" else "")
    if found.is_new:
        st.badge("New", icon=":material/fiber_new:", color="blue")
    if found.decided:
        words.badge(words.DECISIONS, found.decided)
    elif found.decision:
        st.badge("Expired decision", icon=":material/event_busy:", color="orange")


def _facts(found: Source, view: View) -> str:
    aligned = f"{words.number(found.aligned)} of {words.count(found.messages, 'message')} aligned"
    by = f"DKIM {words.share(found.dkim_aligned, found.messages)}, SPF {words.share(found.spf_aligned, found.messages)}"
    parts = [
        aligned + (f" ({by})" if found.aligned else ""),
        f"seen {words.full_day(found.first_seen)} to {words.day(found.last_seen)}",
        words.count(found.ips, "address", "addresses"),
        words.count(found.reporters, "reporter"),
        found.country,
        f"AS{found.asn} {found.as_name or ''}".strip() if found.asn else None,
        None if view.domain else found.domain,
    ]
    return " · ".join(words.plain(part) for part in parts if part)


def _decision(found: Source, owners: list[str], key: str, view: View, *, keys: bool) -> None:
    pairs, names = [(found.domain, found.source_key)], [found.name]
    if found.decision:
        words.say(_decided(found), "quiet")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        owner = st.selectbox(
            "Owner",
            sorted({*owners, *([found.owner] if found.owner else [])}),
            index=None,
            placeholder=f"Owner: {words.plain(found.owner, 40)}" if found.owner else "Who owns it?",
            key=f"owner {key}",
            label_visibility="collapsed",
            accept_new_options=True,
            format_func=words.plain,
            width=200,
        )
        more = st.popover("Note, end", icon=":material/edit_note:", type="tertiary")
        with more:
            note = st.text_input("Note: why", key=f"note {key}", max_chars=500)
            until = st.date_input("Holds until (empty: no end)", None, view.today, key=f"until {key}")
        terms = Terms(owner or found.owner, note or None, until if isinstance(until, date) else None)
        buttons(pairs, names, terms, key, current=found.decided, keys=keys)
        if found.decision:
            shortcut = "U" if keys and "done" not in st.session_state else None
            st.button(
                "Undo",
                icon=":material/undo:",
                key=f"undo {key}",
                on_click=deciding.undo,
                args=(pairs,),
                shortcut=shortcut,
            )
        if keys:
            _why(f"why {key}")


def _why(key: str) -> None:
    """Opens the reasons, and closes them: the expander itself has no key of the keyboard."""
    st.button("Why", key=f"open {key}", shortcut="Enter", type="tertiary", on_click=_toggle, args=(key,))


def buttons(
    pairs: list[deciding.Pair],
    names: list[str],
    terms: Terms,
    key: str,
    *,
    current: str | None = None,
    keys: bool = False,
) -> None:
    """The four decisions, without the one that holds already. `keys`: each has its key."""
    for word, (label, shortcut) in LABELS.items():
        if word == current:
            continue
        st.button(
            label,
            icon=words.DECISIONS[word].icon,
            key=f"{word} {key}",
            on_click=deciding.decide,
            args=(pairs, names, word, terms),
            disabled=not pairs,
            shortcut=shortcut if keys else None,
        )


def _decided(found: Source) -> str:
    made = found.decision
    assert made is not None
    word = words.DECISIONS[made.decision].text if found.decided else "Decided"
    parts = [
        f"{word} by {words.plain(made.decided_by)}",
        f"owner {words.plain(made.owner)}" if made.owner else "no owner",
        f"{'until' if found.decided else 'over since'} {words.full_day(made.until)}" if made.until else None,
        words.plain(made.note) if made.note else None,
    ]
    return " · ".join(part for part in parts if part)


def _evidence(found: Source, view: View, key: str) -> None:
    """The reasons, the next step, and the tables to check it by."""
    reasons.reasons(found, view, key)
    st.markdown(f":material/build: {words.NEXT.get(found.kind, '')}")
    scope = view.scope_of(found.domain)
    tables = cached.details(view.state, scope, found.source_key)
    tabs = st.tabs(["Addresses", "Signatures", "Return paths", "Records"], key=f"tabs {key}")
    for tab, (name, columns) in zip(tabs, TABLES.items(), strict=True):
        with tab:
            frame = summed(name, tables[name])
            grids.show(frame, columns, alt=f"{name.capitalize()} of this source", key=f"{name} {key}")
            grids.csv(frame, f"{name}-{_bare(found.source_key)}", key=f"csv {name} {key}")


def summed(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A detail table over the whole period: days are what drift looks at, not a reader."""
    if name == "signatures":
        keys = ["signing_domain", "selector", "result"]
    elif name == "envelopes":
        keys = ["spf_domain", "result"]
    else:
        return frame
    sums = frame.group_by(keys).agg(
        pl.col("messages").sum(), first_seen=pl.col("day").min(), last_seen=pl.col("day").max()
    )
    return sums.sort(["messages", *keys], descending=[True, *(False for _ in keys)])


column = st.column_config
FIRST, LAST = (column.DateColumn(label, format="D MMM YYYY") for label in ("First seen", "Last seen"))
TABLES: dict[str, grids.Config] = {
    "addresses": {
        "source_ip": column.TextColumn("Address"),
        "messages": grids.MESSAGES,
        "aligned": column.NumberColumn("Aligned", format="localized"),
        "dkim_aligned": column.NumberColumn("DKIM aligned", format="localized"),
        "spf_aligned": column.NumberColumn("SPF aligned", format="localized"),
        "first_seen": FIRST,
        "last_seen": LAST,
    },
    "signatures": {
        "signing_domain": column.TextColumn("Signing domain (d=)"),
        "selector": column.TextColumn("Selector (s=)"),
        "result": column.TextColumn("DKIM"),
        "messages": grids.MESSAGES,
        "first_seen": FIRST,
        "last_seen": LAST,
    },
    "envelopes": {
        "spf_domain": column.TextColumn("Return path's domain"),
        "result": column.TextColumn("SPF"),
        "messages": grids.MESSAGES,
        "first_seen": FIRST,
        "last_seen": LAST,
    },
    "records": {
        "day": grids.DAY,
        "reporter": column.TextColumn("Reporter"),
        "source_ip": column.TextColumn("Address"),
        "messages": grids.MESSAGES,
        "header_from": column.TextColumn("Header from"),
        "envelope_from": column.TextColumn("Envelope from"),
        "dkim": column.TextColumn("DKIM results"),
        "spf": column.TextColumn("SPF results"),
        "disposition": column.TextColumn("Disposition"),
        "reasons": column.TextColumn("Override reasons"),
        "report_key": column.NumberColumn("Report", format="%d"),
    },
}
