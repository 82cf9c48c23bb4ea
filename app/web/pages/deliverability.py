"""What did not arrive, who refused it, and is that a pattern?"""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from analysis.bounces import KINDS, PROVIDERS
from app.web import cached_mail, charts, filters, grids, notices, redacted, refusals, words
from app.web.filters import View
from app.web.theme import palette
from warehouse.scope import Scope

column = st.column_config
NAMED: Final = 2  # providers in the headline
GROUPS: Final[grids.Config] = {
    "provider": column.TextColumn("Refused by", pinned=True, width=150),
    "kind": grids.chips(refusals.BOUNCES, "Kind", 145),
    "recipients": column.NumberColumn("Times", format="localized", width=60),
    "pattern": column.TextColumn("Pattern", width=70),
    "code": column.TextColumn("Code", width=65),
    "diagnostic": column.TextColumn("What was said, for example", width=280),
    "domain": column.TextColumn("Domain", width=145),
    "last_day": column.DateColumn("Last day", format="D MMM YYYY", width=95),
}


def page() -> None:
    """Draw the page."""
    view = filters.view()
    scope = view.scope_to_today
    found = cached_mail.bounces(view.state, scope)
    headline(found.groups)
    bounces, failures = st.tabs(["Bounces", "Failure reports"], key="tab", bind="query-params", on_change="rerun")
    if bounces.open:
        with bounces:
            undelivered(found, scope, view)
    if failures.open:
        with failures:
            redacted.failures(cached_mail.failures(view.state, scope))


def headline(groups: pl.DataFrame) -> None:
    """What is worth a person's time: patterns that only the sender can end."""
    yours = groups.filter(pl.col("pattern") & pl.col("kind").is_in(["authentication", "policy"]))
    by = sorted(set(yours["provider"]))
    if groups.is_empty():
        title = "No bounces"
    elif by:
        title = f"{refusing(by)} refuse{'s' if len(by) == 1 else ''} your mail again and again"
    else:
        title = "No refusal that repeats"
    st.title(title, anchor=False)
    st.caption(
        "From bounces that came to a mailbox which is polled: other bounces, and mail that was accepted and put into "
        "spam, are not seen here."
    )


def refusing(providers: list[str]) -> str:
    """Providers by name where all are known; else how many, since the others' names come from strangers' mail."""
    if len(providers) <= NAMED and set(providers) <= set(PROVIDERS.values()):
        return " and ".join(providers)
    return words.count(len(providers), "mailbox provider")


def undelivered(found: cached_mail.Bounces, scope: Scope, view: View) -> None:
    """Bounces: how many of what kind, by day, by who refused, and one by one."""
    if found.days.is_empty():
        notices.say_next(
            "No reports in this period. Bounces go to the envelope sender. Poll the mailbox that gets them: they are "
            "sorted out from the reports.",
            {"Add that mailbox": "whosends init", "Or read saved bounces": "whosends ingest PATH"},
        )
        return
    figures(found.groups)
    with st.container(border=True):
        days = found.days.with_columns(pl.col("kind").replace_strict(refusals.FAMILY).alias("class"))
        days = days.group_by("day", "class").agg(messages=pl.col("recipients").sum()).sort("day", "class")
        charts.legend(charts.BOUNCED, dict(days.group_by("class").agg(pl.col("messages").sum()).iter_rows()), palette())
        span = (scope.since or view.since, scope.until or view.until)
        st.altair_chart(charts.bounced(days, span, palette()), alt="Recipients by day that were not reached, by kind")
        grids.csv(days, "bounces-by-day", key="csv days")
    st.subheader("Who refused what", anchor=False)
    by_kind(found.groups)
    with st.expander("Recipient by recipient, the latest first", icon=":material/list:", type="compact"):
        grids.show(found.single, redacted.RECIPIENTS, alt="Recipients of bounces", key="single")
        grids.csv(found.single, "bounces", key="csv single")


def figures(groups: pl.DataFrame) -> None:
    """How many of each kind that occurs."""
    sums = dict(groups.group_by("kind").agg(pl.col("recipients").sum()).iter_rows())
    with st.container(horizontal=True, gap="small"):
        for kind in KINDS:
            if sums.get(kind):
                words.badge(refusals.BOUNCES, kind, after=f" · {words.number(sums[kind])}")


def by_kind(groups: pl.DataFrame) -> None:
    """Each kind with what to do about it; patterns before single cases."""
    rank = {kind: at for at, kind in enumerate(KINDS)}
    order = groups.with_columns(rank=pl.col("kind").replace_strict(rank)).sort(
        ~pl.col("pattern"), "rank", -pl.col("recipients")
    )
    shown = order.with_columns(
        kind=pl.Series([[refusals.BOUNCES[kind].text] for kind in order["kind"]]),
        pattern=pl.Series(["pattern" if one else "single" for one in order["pattern"]]),
    )
    grids.show(shown, GROUPS, alt="Bounces by kind and by who refused", key="groups", lines=4)
    grids.csv(order.drop("rank"), "bounces-by-provider", key="csv groups")
    with st.container(border=True, gap="small"):
        for kind in KINDS:
            if kind in order["kind"].to_list():
                with st.container(gap="xxsmall"):
                    words.badge(refusals.BOUNCES, kind)
                    st.markdown(refusals.BOUNCE_STEPS[kind])


if __name__ == "__main__":
    page()
