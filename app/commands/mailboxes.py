"""A look at a mailbox that changes nothing in it; what `init` and `doctor` share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_link import Retry
from ingest.inputs.imap_session import Session
from ingest.inputs.password import password
from ingest.reading import read
from ingest.settings import MailboxSettings, UnpackLimits

SAMPLE = 200  # messages that are read to say what the mailbox holds


@dataclass(slots=True)
class Sample:
    """What the latest messages of a mailbox are."""

    messages: int = 0
    report_mails: int = 0
    reports: int = 0
    refused: int = 0
    domains: set[str] = field(default_factory=set)
    reporters: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None


def folders(settings: MailboxSettings) -> dict[str, tuple[int, int, int]]:
    """Log in and look: for each folder how many messages, UIDVALIDITY, and the next UID (0 where not told)."""
    session = Session(settings, lambda: password(settings), time.monotonic)
    try:
        opened = {folder: session.open(folder, readonly=True) for folder in settings.folders}
        return {folder: (it.exists, it.uidvalidity, it.uidnext or 0) for folder, it in opened.items()}
    finally:
        session.close()


def sample(settings: MailboxSettings, limits: UnpackLimits, found: dict[str, tuple[int, int, int]]) -> Sample:
    """Read the latest messages of each folder, and say what they are. Stores nothing."""
    result = Sample()
    for folder, (_, uidvalidity, uidnext) in found.items():
        one = replace(settings, folders=(folder,), after="leave", batch_messages=SAMPLE)
        cursors = {(settings.name, folder): (uidvalidity, max(0, uidnext - 1 - SAMPLE))}
        batches = ImapInput(one, limits, retry=Retry(tries=1)).fetch(cursors)
        for message in next(iter(batches), ()):
            reading = read(message, limits)
            result.messages += 1
            result.report_mails += bool(reading.reports)
            result.refused += bool(reading.refusals)
            for item in reading.reports:
                meta = item.report.report_metadata
                result.reports += 1
                result.domains.add(item.report.policy_published.domain)
                result.reporters.add(meta.org_name)
                result.first = min(result.first or meta.begin_at, meta.begin_at)
                result.last = max(result.last or meta.end_at, meta.end_at)
    return result


def told(settings: MailboxSettings, found: dict[str, tuple[int, int, int]], seen: Sample) -> Iterator[str]:
    """What was found, as sentences."""
    for folder, (messages, _, _) in found.items():
        yield f"Connected to {settings.host}. {folder}: {messages:,} messages."
    if seen.report_mails and seen.first and seen.last:
        yield (
            f"Of the latest {seen.messages:,}: {seen.report_mails:,} report mails about {len(seen.domains):,} domains "
            f"from {len(seen.reporters):,} reporters, {seen.first:%Y-%m-%d} to {seen.last:%Y-%m-%d}."
        )
    elif found:
        yield f"Of the latest {seen.messages:,}, none is a report."
    yield "Nothing was moved, marked or deleted, and nothing will be."
