"""The weekly summary as a mail: plain text first, HTML beside it, one picture inside."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Final

from analysis.weekly import WeeklySummary
from app.exports import weekly_html, weekly_text
from app.exports.weekly_view import view
from app.folding import MAIL
from app.settings import ReportSettings

PICTURE: Final = "alignment@whosends"
SUBJECT: Final = 180  # characters; phones show sixty of them


def mail(summary: WeeklySummary, settings: ReportSettings, picture: bytes | None, sender: str, to: str) -> EmailMessage:
    """The mail to one address, the same bytes each time.

    Its date is the Monday after the week, its Message-ID made from what it says, so that a mail system that gets
    it twice can tell. A quiet week is one line of text.
    """
    page = view(summary, settings)
    text = weekly_text.render(summary, settings)
    source = f"cid:{PICTURE}" if picture else ""
    html = "" if page.quiet else weekly_html.render(summary, settings, source)
    digest = sha256("\0".join((page.subject, text, html, to)).encode() + (picture or b"")).hexdigest()
    made = EmailMessage(policy=MAIL)
    made["From"], made["To"], made["Subject"] = sender, to, page.subject[:SUBJECT]
    monday = datetime.combine(summary.last_day + timedelta(days=1), time(), UTC)
    made["Date"] = format_datetime(monday)
    made["Message-ID"] = f"<{summary.week}.{digest[:32]}@{parseaddr(sender)[1].rpartition('@')[2] or 'whosends'}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    made.set_content(text, cte="quoted-printable")
    if html:
        made.add_alternative(html, subtype="html", cte="quoted-printable")
        if picture:
            page_part = made.get_payload()[1]  # type: ignore[index]
            page_part.add_related(picture, "image", "png", cid=f"<{PICTURE}>", filename="alignment.png")  # type: ignore[union-attr]
    for number, part in enumerate(made.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{number}_{digest[:24]}")
    return made


def content_hash(made: EmailMessage) -> str:
    """SHA-256 of what a mail says."""
    return sha256(made.as_bytes()).hexdigest()
