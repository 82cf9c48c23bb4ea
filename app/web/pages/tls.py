"""Is mail to me encrypted on its way, and where does it fail?"""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from app.web import cached_mail, charts, filters, grids, notices, refusals, words
from app.web.axes import Span
from app.web.theme import palette

column = st.column_config
POLICIES: Final[grids.Config] = {
    "domain": column.TextColumn("Domain", pinned=True, width=190),
    "policy": grids.chips(refusals.POLICIES, "Policy", 110),
    "share": column.NumberColumn("Encrypted", format="%.2f %%", width=90),
    "successful_sessions": column.NumberColumn("Good sessions", format="localized"),
    "failed_sessions": column.NumberColumn("Failed", format="localized"),
    "reporters": column.NumberColumn("Reporters", width=80),
    "first_day": column.DateColumn("First day", format="D MMM YYYY"),
    "last_day": column.DateColumn("Last day", format="D MMM YYYY"),
}
FAILURES: Final[grids.Config] = {
    "receiving_mx_hostname": column.TextColumn("Mail server", pinned=True, width=170),
    "result_type": column.TextColumn("Result", width=160),
    "failed_sessions": column.NumberColumn("Failed", format="localized", width=70),
    "first_day": column.DateColumn("First day", format="D MMM YYYY", width=95),
    "last_day": column.DateColumn("Last day", format="D MMM YYYY", width=95),
    "domain": column.TextColumn("Domain", width=145),
    "senders": column.NumberColumn("Senders", width=75),
    "reporters": column.NumberColumn("Reporters", width=80),
    "failure_reason_code": column.TextColumn("Reporter's words", width=115),
}


def page() -> None:
    """Draw the page."""
    view = filters.view()
    scope = view.scope_to_today
    found = cached_mail.tls(view.state, scope)
    span = (scope.since or view.since, scope.until or view.until)
    well, failed = (int(found.days[name].sum()) for name in ("successful_sessions", "failed_sessions"))
    headline(well, failed)
    if found.days.is_empty():
        notices.say_next(
            "No reports in this period. TLS reports come daily to the address in your _smtp._tls TXT record. Publish "
            "one, and poll that mailbox.",
            {"For example": '_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=mailto:tls-reports@example.com"'},
        )
        return
    st.caption(
        f"{words.count(well + failed, 'session')} of senders that report, {words.day(span[0])} to "
        f"{words.full_day(span[1])}. Mail that you send is another matter: this is about mail that is sent to you."
    )
    trend(found.days, failed, span)
    if failed:
        failures(found.failures)
    policies(found.policies)


def headline(well: int, failed: int) -> None:
    """The share that failed; never good news without sessions."""
    if not well + failed:
        title = "No TLS reports"
    elif failed:
        title = f"{words.share(failed, well + failed)} of sessions failed"
    else:
        title = "Every session was encrypted as it should be"
    st.title(title, anchor=False)


def trend(days: pl.DataFrame, failed: int, span: Span) -> None:
    """Failed sessions by day."""
    if not failed:
        notices.good("No session failed in these days.")
        return
    with st.container(border=True):
        by_day = days.group_by("day").agg(messages=pl.col("failed_sessions").sum()).sort("day")
        bars = by_day.filter(pl.col("messages") > 0).with_columns(pl.lit("failed").alias("class"))
        charts.legend(charts.FAILED, {"failed": failed}, palette())
        st.altair_chart(charts.failed_sessions(bars, span, palette()), alt="TLS sessions by day that failed")
        grids.csv(days, "tls-by-day", key="csv days")


def failures(rows: pl.DataFrame) -> None:
    """What failed, at which server, and the step for it."""
    st.subheader("What failed, and where", anchor=False)
    if rows.is_empty():
        st.info("The reports count failed sessions, but give no details of any.", icon=":material/help:")
        return
    grids.show(
        rows,
        grids.filled(FAILURES, rows, "failure_reason_code"),
        alt="Failed TLS sessions by mail server and result",
        key="failures",
    )
    grids.csv(rows, "tls-failures", key="csv failures")
    known = [result for result in rows["result_type"].unique(maintain_order=True) if result in refusals.RESULTS]
    if known:
        with st.container(border=True, gap="small"):
            for result in known:
                with st.container(gap="xxsmall"):
                    st.badge(result, icon=":material/lock_open:", color="orange")
                    st.markdown(refusals.RESULTS[result])


def policies(rows: pl.DataFrame) -> None:
    """Under which policy sessions were judged; without one, encryption can be stripped."""
    st.subheader("Policies that senders found", anchor=False)
    total = pl.col("successful_sessions") + pl.col("failed_sessions")
    frame = rows.with_columns(
        share=100 * pl.col("successful_sessions") / total,
        policy=pl.Series([[words.word(refusals.POLICIES, name).text] for name in rows["policy_type"]]),
    )
    grids.show(frame, POLICIES, alt="TLS policies by domain", key="policies")
    grids.csv(frame.drop("policy"), "tls-policies", key="csv policies")
    bare = frame.filter(pl.col("policy_type") == "no-policy-found")["domain"].unique(maintain_order=True)
    if bare.len():
        words.say(
            f"Without a policy nobody notices when encryption is stripped: {words.listed(bare.to_list())}. Publish "
            "MTA-STS in mode testing first, read these reports for two weeks, then enforce.",
            limit=600,
        )


if __name__ == "__main__":
    page()
