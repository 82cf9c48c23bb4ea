"""The life of a finding: open, fixed, verified, closed; and open again when it comes back.

A person says that a fix is published, that a finding is closed, or that nobody wants to hear of it for a
while. What reports can prove, reports decide: that a fix works, that it does not, that a cause is gone, that it
is back. A record outlives its finding: the same cause is never told of twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.findings import SEVERITIES, Finding, Found
from analysis.settings import FindingSettings
from analysis.wording import count, percent
from warehouse.findings import FindingRecord, Move

# What the mail itself proves, and by which of its sums; everything else is over when it is no longer found.
PROVED_BY = {"alignment": "aligned", "spf_alone": "dkim_aligned"}
REFUTED = 0.5  # share of aligned mail below which a fix that is said to be published plainly does not work
OVER = ("verified", "closed")


@dataclass(frozen=True, slots=True)
class Proof:
    """A source's mail on the complete days after one: how many days, messages, and how many of them in order."""

    days: int
    messages: int
    good: int

    def enough(self, settings: FindingSettings) -> bool:
        """Whether there is enough mail to tell."""
        return self.days >= settings.verify_days and self.messages >= settings.verify_messages

    def holds(self, settings: FindingSettings) -> bool:
        """Whether it proves that all is well."""
        return self.enough(settings) and self.good >= settings.verified_share * self.messages

    def fails(self, settings: FindingSettings) -> bool:
        """Whether it proves that nothing is."""
        return self.enough(settings) and self.good < REFUTED * self.messages


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody sees who looks now: what is found, and the mail of each source by day.

    `mail` has domain, source_key, day, messages, aligned and dkim_aligned.
    """

    found: Found
    mail: pl.DataFrame
    settings: FindingSettings

    @property
    def complete(self) -> date:
        """The last day whose reports have come."""
        assert self.found.newest is not None
        return self.found.newest - timedelta(days=self.settings.lag_days)

    def proof(self, record: FindingRecord, after: date) -> Proof:
        """How the record's source fared after a day; on the last days only, where that is long ago."""
        column = PROVED_BY[record.kind]
        days = (
            self.mail.filter(
                (pl.col("domain") == record.domain)
                & (pl.col("source_key") == record.source_key)
                & pl.col("day").is_between(after, self.complete, closed="right")
                & (pl.col("messages") > 0)
            )
            .group_by("day")
            .agg(pl.col("messages", column).sum())
            .sort("day")
        )
        # The last days that hold enough: a fault of weeks ago must not weigh against what holds now.
        days = days.tail(max(self.settings.verify_days, 7))
        return Proof(days.height, int(days["messages"].sum()), int(days[column].sum()))


def moves(look: Look, records: Mapping[str, FindingRecord]) -> list[Move]:
    """What changes in the records, in order: what is found, then what no longer is."""
    if look.found.newest is None:
        return []
    told: dict[str, Finding] = {}
    for finding in look.found.findings:
        if finding.code != "ready":  # good news is no cause of anything
            told.setdefault(finding.key, finding)
    made = [_found(look, finding, records.get(key)) for key, finding in told.items()]
    made += [
        _gone(look, record) for key, record in records.items() if key not in told and record.domain in look.found.others
    ]
    return [move for move in made if move.action or move.record != records.get(move.record.finding_key)]


def after(records: Mapping[str, FindingRecord], made: Sequence[Move]) -> list[FindingRecord]:
    """All records as they are after these moves, the most important first."""
    result = dict(records) | {move.record.finding_key: move.record for move in made}
    return sorted(result.values(), key=_order)


def progress(look: Look, record: FindingRecord) -> str:
    """How far the proof of a fix is, as a sentence; empty where nothing waits for one."""
    if record.state != "fixed" or record.fixed_on is None or record.kind not in PROVED_BY:
        return ""
    proof, settings = look.proof(record, record.fixed_on), look.settings
    if not proof.days:
        return f"No mail on complete days since the fix; {settings.verify_days} are needed."
    good = percent(proof.good, proof.messages)
    return (
        f"{good} of {count(proof.messages, 'message')} in order on {count(proof.days, 'complete day')} since the fix."
    )


def _order(record: FindingRecord) -> tuple[int, int, float, int, str]:
    state = ("open", "fixed", "verified", "closed").index(record.state)
    return state, SEVERITIES.index(record.severity), -record.impact, -record.messages, record.finding_key


def _found(look: Look, finding: Finding, record: FindingRecord | None) -> Move:
    newest, today = look.complete + timedelta(days=look.settings.lag_days), look.found.today
    if record is None:
        return Move("finding.open", fresh(finding, today, newest))
    now = _renewed(record, finding, newest)
    if record.state == "fixed":
        return _judged(look, now)
    if record.state in OVER and (why := _back(look, record, finding)):
        return Move(
            "finding.reopen", replace(_into(now, "open", why, today), reopened=record.reopened + 1, fixed_on=None)
        )
    return Move("", now)


def _back(look: Look, record: FindingRecord, finding: Finding) -> str:
    """Why something that was over is not; empty where it is, though the month judged still shows it."""
    if not record.found:
        return "It came back."
    if finding.since > record.changed_on:
        return f"It began anew on {finding.since.isoformat()}."
    if record.kind in PROVED_BY and record.state == "verified":
        if look.proof(record, max(record.fixed_on or record.changed_on, record.changed_on)).fails(look.settings):
            return "Its mail fails again."
        return ""
    worst = SEVERITIES.index(record.worst or record.severity)
    return f"It is {finding.severity} now." if SEVERITIES.index(finding.severity) < worst else ""


def _gone(look: Look, record: FindingRecord) -> Move:
    today = look.found.today
    now = replace(record, found=False)
    match record.state:
        case "open":
            return _ended(look, now)
        case "fixed":
            return _judged(look, now)
        case "verified" if (today - record.changed_on).days >= look.settings.close_days:
            return Move("finding.close", _into(now, "closed", "Reports have shown it in order for long enough.", today))
    return Move("", now)


def _ended(look: Look, record: FindingRecord) -> Move:
    """What was open and is no longer found, though nobody said that it was fixed."""
    today, settings = look.found.today, look.settings
    if record.kind not in PROVED_BY:
        return Move("finding.close", _into(record, "closed", "It is no longer found.", today))
    # One that nobody can tell any more may still be ours.
    if str(record.source_key) in look.found.others[record.domain]:
        return Move("finding.close", _into(record, "closed", "Its source is no sender of this domain.", today))
    proof = look.proof(record, record.last_found_on - timedelta(days=settings.verify_days))
    if proof.holds(settings):
        return Move("finding.verify", _into(record, "verified", _proved(proof), today))
    if (look.complete - record.last_found_on).days >= settings.quiet_days and not proof.messages:
        why = f"Its source has sent nothing for {settings.quiet_days} days."
        return Move("finding.close", _into(record, "closed", why, today))
    return Move("", record)


def _judged(look: Look, record: FindingRecord) -> Move:
    """A fix that is said to be published: it works, it does not, or nobody can tell yet."""
    today, settings = look.found.today, look.settings
    fixed_on = record.fixed_on or record.changed_on
    if record.kind not in PROVED_BY:
        if not record.found and look.complete > fixed_on:
            return Move("finding.verify", _into(record, "verified", "It is no longer found.", today))
        return Move("", record)
    proof = look.proof(record, fixed_on)
    if proof.holds(settings):
        return Move("finding.verify", _into(record, "verified", _proved(proof), today))
    if proof.fails(settings):
        why = f"The fix did not help: {percent(proof.good, proof.messages)} in order since."
        return Move("finding.refute", replace(_into(record, "open", why, today), fixed_on=None))
    return Move("", record)


def _proved(proof: Proof) -> str:
    good = percent(proof.good, proof.messages)
    return f"{good} of {count(proof.messages, 'message')} in order on {count(proof.days, 'complete day')}."


def _into(record: FindingRecord, state: str, reason: str, today: date) -> FindingRecord:
    return replace(record, state=state, reason=reason, changed_on=today, worst=record.severity)


def fresh(finding: Finding, today: date, newest: date) -> FindingRecord:
    """The record of a finding that nobody has told of before."""
    return FindingRecord(
        finding.key, finding.kind, finding.code, finding.domain, finding.source_key, finding.severity,
        round(finding.impact, 3), finding.messages, finding.since, finding.title, finding.why, finding.fix,
        finding.page, finding.owner, "open", "", today, today, newest, found=True,
    )  # fmt: skip


def _renewed(record: FindingRecord, finding: Finding, newest: date) -> FindingRecord:
    """The record with what reports say of it now."""
    renewed = fresh(finding, record.opened_on, newest)
    kept = ("state", "reason", "changed_on", "owner", "note", "snoozed_until", "fixed_on", "worst", "reopened")
    return replace(renewed, **{name: getattr(record, name) for name in kept})


def proofs_since(records: Mapping[str, FindingRecord], settings: FindingSettings, newest: date) -> date | None:
    """The first day whose mail is needed to judge what waits for proof; None where nothing does."""
    # No proof needs more than the last weeks: what is older is the fault itself.
    earliest = newest - timedelta(days=settings.quiet_days + 14)
    days: Iterator[date] = (
        max(min(record.fixed_on or record.changed_on, record.last_found_on), earliest)
        for record in records.values()
        if record.kind in PROVED_BY and record.state != "closed"
    )
    first = min(days, default=None)
    return None if first is None else max(first - timedelta(days=settings.verify_days), earliest)
