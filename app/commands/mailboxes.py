"""A look at a mailbox that changes nothing in it; what `init` and `doctor` share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from analysis.wording import count
from ingest.inputs.api import ApiInput
from ingest.inputs.base import Message
from ingest.inputs.boxes import api
from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_connect import check
from ingest.inputs.imap_link import Retry
from ingest.inputs.imap_session import opened
from ingest.inputs.login import login_of
from ingest.reading import read
from ingest.settings import MailboxSettings, UnpackLimits

SAMPLE = 200  # messages that are read to say what the mailbox holds


@dataclass(slots=True)
class Sample:
    """What the latest messages of a mailbox are."""

    messages: int = 0
    report_mails: int = 0
    reports: int = 0
    others: int = 0  # TLS reports, failure reports, bounces
    refused: int = 0
    domains: set[str] = field(default_factory=set)
    reporters: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None


def folders(settings: MailboxSettings) -> dict[str, tuple[int, int, int]]:
    """Log in and look: for each folder how many messages, UIDVALIDITY, and the next UID (0 where not told)."""
    if settings.kind != "imap":
        return _folders_by_api(settings)
    check(settings)
    session = opened(settings, login_of(settings), time.monotonic)
    try:
        found = {folder: session.open(folder, readonly=True) for folder in settings.folders}
        return {folder: (it.exists, it.uidvalidity, it.uidnext or 0) for folder, it in found.items()}
    finally:
        session.close()


def _folders_by_api(settings: MailboxSettings) -> dict[str, tuple[int, int, int]]:
    service = api(settings)
    try:
        return {folder: (service.place(folder).messages, 0, 0) for folder in settings.folders}
    finally:
        service.close()


def server(settings: MailboxSettings) -> str:
    """What a mailbox is read from, for people."""
    return {"gmail": "Gmail", "graph": "Microsoft Graph"}.get(settings.kind, settings.host)


def sample(settings: MailboxSettings, limits: UnpackLimits, found: dict[str, tuple[int, int, int]]) -> Sample:
    """Read the latest messages of each folder, and say what they are. Stores nothing."""
    result = Sample()
    for folder, (_, uidvalidity, uidnext) in found.items():
        one = replace(settings, folders=(folder,), after="leave", batch_messages=SAMPLE)
        for message in _latest(one, limits, uidvalidity, uidnext):
            reading = read(message, limits)
            result.messages += 1
            result.report_mails += bool(reading.reports)
            result.others += len(reading.tls_reports) + len(reading.failure_reports) + len(reading.notices)
            result.refused += bool(reading.refusals)
            for item in reading.reports:
                meta = item.report.report_metadata
                result.reports += 1
                result.domains.add(item.report.policy_published.domain)
                result.reporters.add(meta.org_name)
                result.first = min(result.first or meta.begin_at, meta.begin_at)
                result.last = max(result.last or meta.end_at, meta.end_at)
    return result


def _latest(settings: MailboxSettings, limits: UnpackLimits, uidvalidity: int, uidnext: int) -> Sequence[Message]:
    (folder,) = settings.folders
    if settings.kind != "imap":
        return ApiInput(settings, limits, api(settings)).latest(folder, SAMPLE)
    cursors = {(settings.name, folder): (uidvalidity, max(0, uidnext - 1 - SAMPLE))}
    batches = ImapInput(settings, limits, retry=Retry(tries=1)).fetch(cursors)
    return next(iter(batches), ())


def told(settings: MailboxSettings, found: dict[str, tuple[int, int, int]], seen: Sample) -> Iterator[str]:
    """What was found, as sentences."""
    for folder, (messages, _, _) in found.items():
        yield f"Connected to {server(settings)}. {folder}: {count(messages, 'message')}."
    if seen.report_mails and seen.first and seen.last:
        yield (
            f"Of the latest {seen.messages:,}: {count(seen.report_mails, 'report mail')} "
            f"about {count(len(seen.domains), 'domain')} from {count(len(seen.reporters), 'reporter')}, "
            f"{seen.first:%Y-%m-%d} to {seen.last:%Y-%m-%d}."
        )
    elif found:
        yield f"Of the latest {seen.messages:,}, none is an aggregate report."
    if seen.others:
        yield f"They hold {seen.others:,} TLS reports, failure reports and bounces."
    yield "Nothing was moved, marked or deleted, and nothing will be."
