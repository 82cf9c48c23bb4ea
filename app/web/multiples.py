"""Changes of alignment as small charts of one shape, and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import polars as pl
import streamlit as st

from analysis.completeness import Completeness
from analysis.dns_edits import DnsEdit
from analysis.drift import Drift
from analysis.history import PolicyChange
from app.web import cached, charts, frames, grids, pages, words
from app.web.axes import FEW
from app.web.filters import View
from app.web.theme import palette

ROWS: Final = 60  # changed sources of a heat map; more of them are not looked at
LARGEST: Final = 30
NAMES: Final = [
    "source", "mechanism", "before", "after", "started_on", "cause", "subject", "messages", "per_week", "domain",
    "shape", "reporters", "source_key",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside changes: edits of the policy and in DNS, days that are not over, and who is to act."""

    edits: Sequence[PolicyChange]
    dns: Sequence[DnsEdit]
    newest: Sequence[Completeness]
    owners: Mapping[tuple[str, str], str]

    def unfinished(self, domain: str) -> tuple[tuple[date, float], ...]:
        """A domain's days on which reports are still due, with the least share that is in."""
        return tuple((one.day, one.low) for one in self.newest if one.domain == domain and not one.complete)


def draw(shown: Sequence[Drift], days: pl.DataFrame, beside: Beside, view: View) -> None:
    """One small chart for each change, those that touch most mail first."""
    few = len(shown) <= 4
    grid = st.grid(2 if few else 3, min_column_width=360 if few else 280, border=True)
    for one in shown:
        with grid.cell():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                words.say(one.name, "strong", width="content")
                change(one)
                if not view.domain:
                    words.say(one.domain, "code", width="content")
            own = frames.rates(days.filter(domain=one.domain, source_key=one.source_key), one.mechanism)
            st.altair_chart(
                charts.source_rate(own, began(one, own, beside), palette()),
                alt=f"Share of mail aligned by {words.MECHANISMS[one.mechanism]}, by day",
            )
            with st.container(gap="xxsmall"):
                words.say(one.cause.sentence)
                if one.cause.subject:
                    words.say(one.cause.subject, "code", width="content")
                words.say(facts(one), "quiet")
                words.say(f"Owner: {beside.owners.get((one.domain, one.source_key)) or 'nobody yet'}", "quiet")
            with st.container(horizontal=True, gap="medium"):
                pages.link("sources", "Look at the source", domain=one.domain, source=one.source_key, show="All")
                day = one.started_on.isoformat()
                pages.link("reports", "The reports", domain=one.domain, of=one.source_key, on=day)


def began(one: Drift, own: pl.DataFrame, beside: Beside) -> charts.Began:
    """When it began, with the edits of its domain's records on the days that are drawn, and those not over yet."""
    return charts.Began(
        one.started_on, one.started_between, tuple(edited(one, own, beside)), beside.unfinished(one.domain)
    )


def edited(one: Drift, own: pl.DataFrame, beside: Beside) -> Iterator[charts.Edited]:
    """The edits of a change's domain on the days that are drawn, in their order."""
    found = [
        charts.Edited(edit.day, edit.day, words.plain(f"policy: {edit.tag}={edit.after}", 80))
        for edit in beside.edits
        if edit.domain == one.domain
    ]
    found += [
        charts.Edited(edit.last, edit.first, words.plain(edit.described(), 80))
        for edit in beside.dns
        if one.domain == edit.domain or one.domain.endswith(f".{edit.domain}")
    ]
    drawn = sorted(own["day"])
    for edit in sorted(found, key=lambda edit: (edit.day, edit.what)):
        if edit.day in drawn:
            # The look before may have been before the first day that is drawn.
            yield replace(edit, first=max(edit.first, drawn[0]))


def heat(shown: Sequence[Drift], days: pl.DataFrame, beside: Beside, view: View) -> None:
    """All sources that changed, colour by day, each change marked: where lines can no longer be told apart."""
    marks = dict[tuple[str, str], list[Drift]]()
    for one in shown:
        marks.setdefault((one.domain, one.source_key), []).append(one)
    cells = list[pl.DataFrame]()
    for (domain, key), changes in list(marks.items())[:ROWS]:
        own = frames.rates(days.filter(domain=domain, source_key=key), changes[0].mechanism)
        due, name = [day for day, _ in beside.unfinished(domain)], words.plain(changes[0].name, 34)
        cells.append(
            own.with_columns(
                source=pl.lit(name if view.domain else f"{name} · {words.plain(domain, 30)}"),
                began=pl.col("day").is_in([one.started_on for one in changes]),
                unfinished=pl.col("day").is_in(due),
            )
        )
    st.subheader(f"{words.count(len(marks), 'source')} that changed, day by day", anchor=False)
    st.caption("A triangle marks the day of a change; a stroke, days on which reports are still due.")
    with st.container(border=True):
        together, order = named_apart(cells)
        st.altair_chart(charts.heat(together, order, palette()), alt="Share of aligned mail by source and day")
        grids.csv(together, "changed-sources-by-day", key="csv changed")


def largest(days: pl.DataFrame, mechanism: str, beside: Beside, view: View) -> None:
    """The larger sources at a glance, colour by day: where lines can no longer be told apart."""
    # What looks like spoofing never aligned and never will: it would push the senders out of the picture.
    found = cached.sources(view.state, view.scope, view.today)
    top = [source for source in found if source.kind != "spoofing" and source.messages >= FEW][:LARGEST]
    cells = list[pl.DataFrame]()
    for source in top:
        name = words.plain(source.name, 34)
        own = frames.rates(days.filter(domain=source.domain, source_key=source.source_key), mechanism)
        due = [day for day, _ in beside.unfinished(source.domain)]
        label = name if view.domain else f"{name} · {words.plain(source.domain, 30)}"
        cells.append(own.with_columns(source=pl.lit(label), unfinished=pl.col("day").is_in(due)))
    if not any(own.height for own in cells):
        return
    st.subheader(f"{words.count(len(top), 'larger source', 'larger sources')}, day by day", anchor=False)
    with st.container(border=True):
        together, order = named_apart(cells)
        st.altair_chart(charts.heat(together, order, palette()), alt="Share of aligned mail by source and day")
        grids.csv(together, "sources-by-day", key="csv heat")


def named_apart(cells: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, list[str]]:
    """The cells together, and the names in their order: names that were cut may read the same, and get a number."""
    seen, order, kept = Counter[str](), list[str](), list[pl.DataFrame]()
    for own in cells:
        if own.is_empty():
            continue
        label = str(own["source"][0])
        seen[label] += 1
        label += f" ({seen[label]})" if seen[label] > 1 else ""
        order.append(label)
        kept.append(own.with_columns(source=pl.lit(label)))
    return pl.concat(kept), order


def change(one: Drift) -> None:
    """Before and after, as a badge."""
    lost = one.after < one.before
    st.badge(
        f"{words.share(one.before, 1)} → {words.share(one.after, 1)}",
        icon=":material/trending_down:" if lost else ":material/trending_up:",
        color="red" if lost else "green",
    )


def facts(one: Drift) -> str:
    """When, how much, how sure."""
    parts = [
        f"{'since' if one.shape == 'step' else 'sliding since'} {words.full_day(one.started_on)}{give(one)}",
        f"{words.count(one.messages, 'message')}, {one.per_week:,} a week",
        f"{words.count(one.reporters, 'reporter')} agree" if one.reporters != 1 else "1 reporter",
        f"last week {words.share(one.latest, 1)}" if one.latest is not None else "no mail last week",
        f"because {words.MECHANISMS.get(one.follows, one.follows)} did" if one.follows else "",
    ]
    return " · ".join(filter(None, parts))


def give(one: Drift) -> str:
    """How exactly the day is known: nothing to add where it is one day."""
    if one.started_between is None or one.started_between[0] == one.started_between[1]:
        return ""
    first, last = one.started_between
    return f" (between {first.day} {first:%b} and {last.day} {last:%b})"


def table(every: Sequence[Drift]) -> pl.DataFrame:
    """All changes as rows."""
    rows = [
        (
            one.name,
            words.MECHANISMS.get(one.mechanism, one.mechanism),
            100 * one.before,
            100 * one.after,
            one.started_on,
            one.cause.sentence,
            one.cause.subject,
            one.messages,
            one.per_week,
            one.domain,
            one.shape,
            one.reporters,
            one.source_key,
        )
        for one in every
    ]
    return pl.DataFrame(rows, schema=NAMES, orient="row", infer_schema_length=None)


column = st.column_config
COLUMNS: Final[grids.Config] = {
    "source": column.TextColumn("Source", pinned=True, width=145),
    "mechanism": column.TextColumn("By", width=65),
    "before": column.NumberColumn("Before", format="%.1f %%", width=70),
    "after": column.NumberColumn("After", format="%.1f %%", width=65),
    "started_on": column.DateColumn("Since", format="D MMM YYYY", width=95),
    "cause": column.TextColumn("Likely cause", width=210),
    "subject": column.TextColumn("About", width=130),
    "messages": grids.MESSAGES,
    "domain": column.TextColumn("Domain", width=145),
}
"""What the table shows; the rest of NAMES is in the file alone."""
