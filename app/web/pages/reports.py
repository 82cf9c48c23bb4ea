"""Where does this number come from, and what was refused?"""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from app.web import cached, filters, grids, notices, refused, telling, words
from app.web.filters import View

LIMIT: Final = 2000
column = st.column_config
INSTANT: Final = "D MMM YYYY, HH:mm"
REPORTS: Final[grids.Config] = {
    "day": column.DateColumn("Day", format="D MMM YYYY", width=95),
    "reporter": column.TextColumn("Reporter", width=160),
    "domain": column.TextColumn("Domain", width=160),
    "messages": grids.MESSAGES,
    "records": column.NumberColumn("Records", format="localized", width=75),
    "p": column.TextColumn("p", width=85),
    "standard": column.TextColumn("RFC", width=60),
    "days": column.NumberColumn("Days", width=55),
    "repairs": column.NumberColumn("Repairs", width=65),
    "received_at": column.DatetimeColumn("Received", format=INSTANT, width=130),
}
RECORDS: Final[grids.Config] = {
    "source_ip": column.TextColumn("Address"),
    "messages": grids.MESSAGES,
    "dkim_aligned": column.CheckboxColumn("DKIM aligned"),
    "spf_aligned": column.CheckboxColumn("SPF aligned"),
    "disposition": column.TextColumn("Disposition"),
    "reasons": column.TextColumn("Override reasons"),
    "header_from": column.TextColumn("Header from"),
    "envelope_from": column.TextColumn("Envelope from"),
    "envelope_to": column.TextColumn("Envelope to"),
    "dkim": column.TextColumn("DKIM results"),
    "spf": column.TextColumn("SPF results"),
}
RUNS: Final[grids.Config] = {
    "started_at": column.DatetimeColumn("Started", format=INSTANT, width=130),
    "input": column.TextColumn("Input", width=145),
    "seen": column.NumberColumn("Seen", format="localized", width=65),
    "stored": column.NumberColumn("Stored", format="localized", width=65),
    "duplicates": column.NumberColumn("Duplicates", format="localized", width=80),
    "quarantined": column.NumberColumn("Refused", format="localized", width=70),
    "not_reports": column.NumberColumn("Not reports", format="localized", width=85),
    "reports": column.NumberColumn("Reports", format="localized", width=70),
    "records": column.NumberColumn("Records", format="localized", width=80),
    "messages": grids.MESSAGES,
    "ended_at": column.DatetimeColumn("Ended", format=INSTANT, width=130),
}


def page() -> None:
    """Draw the page."""
    view = filters.view()
    st.title("Reports", anchor=False)
    reports, quarantine, runs = st.tabs(
        ["Reports", "Quarantine", "Runs"], key="tab", bind="query-params", on_change="rerun"
    )
    if reports.open:
        with reports:
            stored(view)
    if quarantine.open:
        with quarantine:
            refused.listing(view)
    if runs.open:
        with runs:
            history(view)


def stored(view: View) -> None:
    """The reports of these days, and the records of the one that was chosen."""
    reporter = st.selectbox(
        "Reporter",
        cached.reporters(view.state, view.scope),
        index=None,
        placeholder="All reporters",
        format_func=words.plain,
        key="reporter",
        bind="query-params",
        width=260,
    )
    about, scope = telling.asked(view)
    frame = cached.reports(view.state, scope, reporter or "", LIMIT, about)
    # Who comes from a sentence about a change looks for the first report that shows it.
    frame, order = (frame.sort("day", maintain_order=True), "earliest") if about else (frame, "latest")
    if frame.is_empty():
        notices.none_in_scope()
        return
    st.caption(
        f"{words.count(frame.height, 'report')}, {order} first. Tick one for its records and its XML."
        if frame.height < LIMIT
        else f"The latest {words.number(LIMIT)} reports. Narrow the days, the domain or the reporter to see others."
    )
    rows = grids.show(frame, REPORTS, alt="Reports", key="reports", select="single-row")
    grids.csv(frame, "reports", key="csv reports")
    asked = st.query_params.get("report", "")
    key = int(frame["report_key"][rows[0]]) if rows else int(asked) if asked.isdecimal() and len(asked) < 18 else None
    if key is not None:
        one(key, frame.filter(report_key=key), view)


def one(report_key: int, told: pl.DataFrame, view: View) -> None:
    """One report: its id and where it came from (`told`, its row), its records, and the XML as it came."""
    records = cached.report_records(view.state, report_key)
    st.subheader(f"Report {report_key}", anchor=False)
    if records.is_empty():
        st.info("There is no such report, or it holds no records.", icon=":material/search_off:")
        return
    for row in told.iter_rows(named=True):
        words.facts((("Report id", row["report_id"]), ("From", row["origin"])))
    grids.show(records, RECORDS, alt="Records of this report", key="records")
    with st.container(horizontal=True):
        grids.csv(records, f"report-{report_key}", key="csv records")
        document = cached.document(view.state, report_key)
        if document is None:
            st.caption("Its XML was not kept (warehouse.keep_documents).", width="content")
        else:
            name = f"whosends-report-{report_key}.xml"
            st.download_button(
                "XML", document, name, "application/octet-stream", key="xml", icon=":material/download:",
                on_click="ignore", type="tertiary",
            )  # fmt: skip


def history(view: View) -> None:
    """Every run of ingest and poll, and that its numbers add up."""
    frame: pl.DataFrame = cached.runs(view.state)
    st.caption("Seen = stored + duplicates + refused + not reports: every message ends in exactly one of them.")
    grids.show(frame, RUNS, alt="Runs of ingest and poll", key="runs", lines=2)
    grids.csv(frame, "runs", key="csv runs")


if __name__ == "__main__":
    page()
