"""What an alert says, as plain lines and as JSON; text from reports is inert in both."""

from __future__ import annotations

import re
from typing import Final

from app.alerts.due import Alert
from app.render import SCHEMA_VERSION, clean, plain, unlinked

SAID: Final = {"opened": "New", "worse": "Worse", "resolved": "Resolved"}
# What chats take as markup, a mention, a channel, an emoji or a link, in Slack, Teams, Discord, Telegram and Matrix.
ACTIVE: Final = re.compile(r"[*_~`|<>\[\](){}#@&!\\]|:(?=[a-z0-9_+-]+:)|(?<=:)//|(?<=www)\.", re.IGNORECASE)
LOOKALIKE: Final = {
    "<": "‹", ">": "›", "@": "＠", "*": "∗", "_": "ˍ", "~": "∼", "`": "ʼ", "|": "¦", "#": "＃", "[": "(", "]": ")",
    "(": "(", ")": ")", "{": "(", "}": ")", "&": "＆", "!": "！", "\\": "/", ":": "∶", "//": "／／", ".": "․",
}  # fmt: skip
LIMIT: Final = 600  # characters of one sentence; a chat is no place for more


def inert(text: str) -> str:
    """Text that no chat makes markup, a mention or a link of: what would act is replaced by what looks like it."""
    return ACTIVE.sub(lambda match: LOOKALIKE[match[0]], clean(text))[:LIMIT]


def title(alert: Alert) -> str:
    """One line for a subject or a heading."""
    record = alert.finding.record
    return clean(f"{SAID[alert.event]} ({record.severity}): {record.title}")[:180]


def lines(alert: Alert) -> list[str]:
    """The message, line by line."""
    record, one = alert.finding.record, alert.finding
    if alert.event == "resolved":
        return [unlinked(clean(text)) for text in (f"{record.state.capitalize()}. {record.reason}", record.finding_key)]
    said = (record.why, f"Next: {record.fix}", f"Owner: {one.owner or 'nobody yet'}", record.finding_key)
    return [unlinked(clean(text))[:LIMIT] for text in said]


def document(alert: Alert) -> dict[str, object]:
    """The webhook's JSON; docs/alerts.md describes it."""
    record = alert.finding.record
    return {
        "schema_version": SCHEMA_VERSION,
        "event": alert.event,
        "text": inert(title(alert)),
        "finding": {
            "id": record.finding_key,
            "kind": record.kind,
            "severity": record.severity,
            "state": record.state,
            "domain": record.domain,
            "source_key": record.source_key,
            "title": clean(record.title),
            "why": clean(record.why),
            "fix": clean(record.fix),
            "owner": alert.finding.owner or None,
            "since": plain(record.since),
            "messages": record.messages,
            "impact": record.impact,
            "reason": clean(record.reason),
            "reopened": record.reopened,
        },
    }
