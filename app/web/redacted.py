"""Single messages on screen: bounced recipients and failure reports, with as much of them as was kept."""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from app.web import cached_mail, grids, notices, words

column = st.column_config
INSTANT: Final = "D MMM YYYY, HH:mm"
RECIPIENTS: Final[grids.Config] = {
    "sent_at": column.DatetimeColumn("Sent", format=INSTANT),
    "domain": column.TextColumn("Domain"),
    "action": column.TextColumn("Action", width=80),
    "code": column.TextColumn("Code", width=70),
    "recipient_domain": column.TextColumn("Recipient at"),
    "recipient": column.TextColumn("Recipient"),
    "remote_mta": column.TextColumn("Mail server"),
    "diagnostic": column.TextColumn("What was said", width=420),
    "form": column.TextColumn("Form", width=80),
}
SOURCES: Final[grids.Config] = {
    "source_ip": column.TextColumn("Source", pinned=True, width=130),
    "header_from": column.TextColumn("From", width=145),
    "incidents": column.NumberColumn("Messages", format="localized", width=80),
    "spf_result": column.TextColumn("SPF", width=70),
    "mail_from_domain": column.TextColumn("SPF domain", width=140),
    "dkim_result": column.TextColumn("DKIM", width=65),
    "dkim_domain": column.TextColumn("DKIM domain", width=130),
    "dkim_selector": column.TextColumn("Selector", width=75),
    "delivery_result": column.TextColumn("Delivery", width=80),
    "last_day": column.DateColumn("Last day", format="D MMM YYYY", width=95),
}
SINGLE: Final[grids.Config] = {
    "arrival_at": column.DatetimeColumn("Arrived", format=INSTANT),
    "domain": column.TextColumn("Domain"),
    "source_ip": column.TextColumn("Source"),
    "reporter": column.TextColumn("Reporter"),
    "delivery_result": column.TextColumn("Delivery", width=90),
    "authentication_results": column.TextColumn("Results", width=380),
    "rcpt_to_domains": column.TextColumn("Recipients at"),
    "mail_from": column.TextColumn("Envelope from"),
    "subject": column.TextColumn("Subject"),
}


def failures(found: cached_mail.Failures) -> None:
    """Failure reports by source, and report by report."""
    if found.sources.is_empty():
        notices.none_in_scope()
        st.caption("Few receivers send failure reports at all. The ruf= tag of your DMARC record asks for them.")
        return
    messages = int(found.sources["incidents"].sum())
    st.markdown(
        f"**{words.count(messages, 'message')}** from **{words.count(found.sources.height, 'source')}** failed "
        "authentication, as receivers report one by one. Forwarding fails here too: look a source up in **Sources** "
        "before you act."
    )
    grids.show(found.sources, SOURCES, alt="Failure reports by source", key="failures")
    grids.csv(found.sources, "failures-by-source", key="csv failures")
    with st.expander("Report by report, the latest first", icon=":material/list:", type="compact"):
        rows = found.single.with_columns(pl.col("rcpt_to_domains").list.join(", "))
        grids.show(rows, SINGLE, alt="Failure reports", key="reports")
        grids.csv(found.single, "failures", key="csv reports")
    st.caption(
        "Local parts, subjects and bodies are left out unless privacy.failure_reports is full, and go after "
        "retention.personal_days."
    )
