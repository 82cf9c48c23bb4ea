"""What to tell whom now: one message when a finding opens or comes back, one when it is worse, one when it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256

from analysis.findings import SEVERITIES
from app.settings import AlertSettings
from app.tracking import Tracked
from warehouse.sendings import Parcel, Sending


@dataclass(frozen=True, slots=True)
class Alert:
    """One message about one finding. `event` is opened, worse or resolved."""

    event: str
    finding: Tracked

    def parcel(self, channel: AlertSettings) -> Parcel:
        """What makes it the same message: the finding, the time that it came, and what became of it."""
        record = self.finding.record
        purpose = f"{record.finding_key} {self.event} {record.reopened}"
        if self.event == "worse":
            purpose += f" {record.severity}"
        digest = sha256(f"{purpose}\0{record.title}\0{record.why}".encode()).hexdigest()
        return Parcel(channel.name, channel.name, purpose, digest, record.severity)


def due(
    channel: AlertSettings, found: Sequence[Tracked], told: Sequence[Sending], now: datetime
) -> Iterator[tuple[Alert, Parcel]]:
    """What a channel is to be told of now (naive UTC), the most important first; `told` is what it was told of."""
    by_purpose = {one.purpose: one for one in told}
    latest = {one.purpose.split()[0]: one for one in told if one.state != "failed"}
    for finding in found:
        alert = _alert(channel, finding, by_purpose, latest.get(finding.record.finding_key))
        if alert is None:
            continue
        parcel = alert.parcel(channel)
        before = by_purpose.get(parcel.purpose)
        if before and before.state != "failed":
            continue
        if not _waits(channel, alert, latest.get(finding.record.finding_key), now):
            yield alert, parcel


def _alert(channel: AlertSettings, finding: Tracked, told: Mapping[str, Sending], last: Sending | None) -> Alert | None:
    record = finding.record
    opened = told.get(f"{record.finding_key} opened {record.reopened}")
    was_told = opened is not None and opened.state != "failed"
    if record.state in ("verified", "closed"):
        return Alert("resolved", finding) if was_told and channel.resolved else None
    if not finding.waiting or not _wanted(channel, finding):
        return None
    if not was_told:
        return Alert("opened", finding)
    worst = last.severity if last and last.severity else record.severity
    return Alert("worse", finding) if SEVERITIES.index(record.severity) < SEVERITIES.index(worst) else None


def _wanted(channel: AlertSettings, finding: Tracked) -> bool:
    record = finding.record
    return (
        SEVERITIES.index(record.severity) <= SEVERITIES.index(channel.severity)
        and (not channel.kinds or record.kind in channel.kinds)
        and (not channel.domains or record.domain in channel.domains)
        and (not channel.owner or finding.owner == channel.owner)
    )


def _waits(channel: AlertSettings, alert: Alert, last: Sending | None, now: datetime) -> bool:
    """Whether it is not the time: it is quiet, or something was said of the finding a short while ago."""
    if alert.finding.record.severity != "critical" and is_quiet(channel.quiet, now.time()):
        return True
    if last is None or alert.event == "worse":
        return False
    return now - last.started_at < timedelta(hours=channel.cooldown)


def is_quiet(span: str, at: time) -> bool:
    """Whether a time of day lies in a span like 21:00-06:00; its end does not."""
    if not span:
        return False
    first, last = (time.fromisoformat(part) for part in span.split("-"))
    return first <= at < last if first <= last else at >= first or at < last
