"""Everything that might be worth doing, each with what it touches: what `findings` puts in order."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from analysis.changes import Vanished
from analysis.drift import Drift
from analysis.gates import LEGITIMATE, is_open, repair, spf_alone, sureness, undecided
from analysis.genuine import LoneClaims
from analysis.policy import Published, weaker
from analysis.readiness import Readiness
from analysis.reporters import Reporter
from analysis.settings import ReadinessSettings
from analysis.sources import Source
from analysis.wording import count, day, percent, share

# What a finding is about, where its code tells of how it came to be.
KINDS = {
    "alignment_lost": "alignment",
    "misaligned": "alignment",
    "undecided": "decision",
    "decision_expired": "decision",
}
KINDS |= {"new_misaligned": "alignment", "new_source": "decision"}
OF_SOURCE = ("alignment", "decision", "retired_sends", "spf_alone", "vanished")
LEGITIMATE_MAIL = ("alignment", "decision", "spf_alone")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to do: who stopped doing what, when, how many messages, and the one next step.

    `severity` is critical, high, medium or info; `code` is stable; `page` names the app's page that
    holds the evidence. `title`, `why` and `fix` are plain text, made from templates. `certainty` and the
    domain's `weight` are between 0 and 1.
    """

    code: str
    severity: str
    domain: str
    source_key: str | None
    title: str
    why: str
    fix: str
    owner: str | None
    since: date
    messages: int
    page: str
    certainty: float = 1.0
    weight: float = 1.0

    @property
    def kind(self) -> str:
        """What it is about; codes that tell of one thing in several words share it."""
        return KINDS.get(self.code, self.code)

    @property
    def cause(self) -> str:
        """What it is about, within its kind and domain: a source's key, or nothing where there is one a domain."""
        return self.source_key or "" if self.kind in OF_SOURCE else ""

    @property
    def key(self) -> str:
        """Its name for people and programs, the same for as long as the cause is: alignment-k3v7qd2m."""
        text = json.dumps([self.kind, self.domain, self.cause])
        short = base64.b32encode(hashlib.blake2b(text.encode(), digest_size=5).digest()).decode().lower()
        return f"{self.kind.replace('_', '-')}-{short}"

    @property
    def impact(self) -> float:
        """Messages of legitimate mail at stake × weight of the domain × certainty."""
        return self.messages * self.weight * self.certainty if self.kind in LEGITIMATE_MAIL else 0.0


def certainty_of(source: Source) -> float:
    """How sure it is that a source's mail is legitimate: a person's word, else the judgement's own."""
    return 1.0 if source.decided == "approved" else sureness(source)


def lost(drift: Drift, source: Source, domain_at: Published) -> Finding | None:
    """A known sender that used to align and no longer does."""
    if not is_open(drift) or source.kind not in LEGITIMATE or source.decided == "retired":
        return None
    enforced = domain_at.enforced
    effect = f"Receivers are asked to {domain_at.asked} them." if enforced else "Any stricter policy would block them."
    sure = certainty_of(source) >= 0.8
    severity = "critical" if sure and (enforced or drift.messages >= 100) else "high"
    return Finding(
        "alignment_lost", severity, source.domain, source.source_key,
        f"{source.name} stopped aligning as {source.domain} on {day(drift.started_on)}",
        f"Aligned since then: {share(drift.after)} of its mail; before: {share(drift.before)}. "
        f"{count(drift.messages, 'message')} lost. {effect} {drift.cause.sentence}",
        f"Ask who runs {source.name} what changed around {day(drift.started_on)}. {repair(source)}",
        source.owner, drift.started_on, drift.messages, "drift", certainty_of(source),
    )  # fmt: skip


def of_source(source: Source, domain_at: Published) -> Iterator[Finding]:
    """What one source asks for, drift apart."""
    failing = source.messages - source.aligned
    if source.decided == "retired":
        yield _retired(source)
    elif source.kind == "misaligned":
        yield _misaligned(source, failing, domain_at)
    elif source.decision and source.decision.decision == "undecided" and source.decision.until:
        yield _expired(source)


def _retired(source: Source) -> Finding:
    return Finding(
        "retired_sends", "high", source.domain, source.source_key,
        f"{source.name} is retired and still sends as {source.domain}",
        f"{count(source.messages, 'message')} since {day(source.first_seen)}, the last on {day(source.last_seen)}.",
        "Switch it off, remove its DNS records, or approve it again.",
        source.owner, source.first_seen, source.messages, "sources",
    )  # fmt: skip


def _misaligned(source: Source, failing: int, domain_at: Published) -> Finding:
    enforced = domain_at.enforced
    new = " (new)" if source.is_new else ""
    blocked = source.quarantined + source.rejected
    effect = f"{blocked:,} were quarantined or rejected." if blocked else "None were blocked so far."
    fix = repair(source)
    serious = failing >= 20 and source.confidence >= 0.5
    severity = "critical" if enforced and source.decided == "approved" else "high" if serious else "medium"
    return Finding(
        "new_misaligned" if source.is_new else "misaligned", severity, source.domain, source.source_key,
        f"{source.name} sends as {source.domain} without aligning{new}",
        f"{failing:,} of {source.messages:,} messages did not align. {effect}",
        f"If it is yours, {fix[0].lower()}{fix[1:]} If not, mark it as spoof.",
        source.owner, source.first_seen, failing, "sources", certainty_of(source),
    )  # fmt: skip


def _expired(source: Source) -> Finding:
    assert source.decision is not None
    assert source.decision.until is not None
    return Finding(
        "decision_expired", "medium", source.domain, source.source_key,
        f"The decision on {source.name} ran out on {day(source.decision.until)}",
        f"It sent {count(source.messages, 'message')} as {source.domain} in the days judged.",
        "Decide again.", source.owner, source.decision.until, source.messages, "sources", DOUBT,
    )  # fmt: skip


def to_decide(found: Sequence[Source], target: str, settings: ReadinessSettings) -> Iterator[Finding]:
    """Sources of one domain whose nature only a person can tell."""
    waiting = undecided(found, target, settings)
    clear = [source for source in waiting if source.kind == "forwarded" and source.confidence >= settings.sure]
    if clear:
        yield _forwarders(clear)
    total = sum(source.messages for source in found)
    for source in waiting:
        if source.kind in LOOKS and source not in clear:
            yield _undecided(source, total)


def _undecided(source: Source, total: int) -> Finding:
    new = " new" if source.is_new else ""
    severity = "high" if source.kind == "unknown" and source.messages >= 0.01 * total else "medium"
    return Finding(
        "new_source" if source.is_new else "undecided", severity, source.domain, source.source_key,
        f"Decide whether the{new} source {source.name} may send as {source.domain}",
        f"{count(source.messages, 'message')}, first seen on {day(source.first_seen)}, "
        f"{percent(source.aligned, source.messages)} aligned; it looks {LOOKS[source.kind]} "
        f"({share(source.confidence)} sure).",
        "Ask the departments that send mail, then approve it or mark it as forwarder or spoof.",
        source.owner, source.first_seen, source.messages, "sources", DOUBT,
    )  # fmt: skip


def _forwarders(found: Sequence[Source]) -> Finding:
    """Clear forwarders in one finding: they need a nod, not a search."""
    messages, first = sum(source.messages for source in found), min(source.first_seen for source in found)
    failing = messages - sum(source.aligned for source in found)
    what = f"{found[0].name} passes" if len(found) == 1 else f"{len(found)} sources pass"
    return Finding(
        "forwarders", "medium", found[0].domain, found[0].source_key if len(found) == 1 else None,
        f"{what} on mail of {found[0].domain}: confirm them as forwarders" if len(found) > 1
        else f"{what} on mail of {found[0].domain}: confirm it as a forwarder",
        f"{failing:,} of {messages:,} messages lost alignment on the way; only DKIM signatures survive it.",
        "Mark them as forwarders, so that they no longer count as open.",
        found[0].owner, first, failing, "sources",
    )  # fmt: skip


def on_spf(found: Sequence[Source], settings: ReadinessSettings) -> Iterator[Finding]:
    """Senders that align by SPF alone: what their readers forward fails."""
    for source in spf_alone(found, settings):
        yield Finding(
            "spf_alone", "medium", source.domain, source.source_key,
            f"{source.name} stands on SPF alone for {source.domain}",
            f"DKIM aligned for {source.dkim_aligned:,} of {source.messages:,} messages; once forwarded, the rest fail.",
            repair(source), source.owner, source.first_seen, source.messages - source.dkim_aligned, "sources",
            source.confidence,
        )  # fmt: skip


SUSPICIOUS = 1000  # messages in doubt from which somebody seems to mean it
NEWS = 30  # days for which a change of policy is news
DOUBT = 0.5  # what a message weighs of which nobody can say whether it is legitimate
LOOKS = {"unknown": "like neither yours nor spoofing", "forwarded": "forwarded", "aligned": "like yours"}


def spoofing(found: Sequence[Source], domain_at: Published) -> Iterator[Finding]:
    """All that looks like spoofing of one domain, as one finding."""
    forged = [source for source in found if source.kind == "spoofing"]
    failing = sum(source.messages - source.aligned for source in forged)
    if failing < 10:
        return
    stopped = sum(source.quarantined + source.rejected for source in forged)
    first = min(source.first_seen for source in forged)
    networks = f"{len(forged):,} sources" if len(forged) > 1 else "one source"
    held = stopped >= 0.5 * failing
    total = sum(source.messages for source in found)
    severity = "info" if held else "high" if failing >= max(0.05 * total, 100) else "medium"
    fix = (
        "Nothing: the policy does its work."
        if held and domain_at.enforced
        else "Receivers stop most of it by rules of their own. Work towards p=reject, so that all are asked to."
        if held
        else "Work towards p=reject; until then receivers deliver it. Marking it as spoof keeps the list short."
    )
    yield Finding(
        "spoofing", severity, forged[0].domain, forged[0].source_key if len(forged) == 1 else None,
        f"{failing:,} messages that look like spoofing of {forged[0].domain}",
        f"They came from {networks}; receivers quarantined or rejected {stopped:,} of them.",
        fix, None, first, failing, "sources",
    )  # fmt: skip


def vanished(gone: Vanished) -> Finding:
    """A steady source that fell silent."""
    source = gone.source
    every = "daily" if gone.usual_pause == 1 else f"every {gone.usual_pause:g} days"
    return Finding(
        "vanished", "medium" if source.decided == "approved" else "info", source.domain, source.source_key,
        f"{source.name} has sent nothing as {source.domain} for {count(gone.silent_days, 'day')}",
        f"Before, it sent {every}; the last mail was reported for {day(source.last_seen)}.",
        "If it was switched off, mark it as retired and remove its DNS records; if not, look at its queue.",
        source.owner, source.last_seen, 0, "sources",
    )  # fmt: skip


def of_domain(readiness: Readiness, domain_at: Published, newest: date, today: date) -> Iterator[Finding]:
    """What the domain as a whole asks for."""
    states = {gate.id: gate for gate in readiness.gates}
    domain, owner = readiness.domain, None
    fresh, subdomains = states["fresh"], states["subdomains"]
    if fresh.state != "pass":
        yield Finding(
            "no_reports", "high", domain, None, f"No new reports for {domain}", fresh.evidence, fresh.fix,
            owner, readiness.last_day or newest, readiness.messages, "reports",
        )  # fmt: skip
    if (
        domain_at.since
        and domain_at.before
        and weaker(domain_at.p, domain_at.before)
        and (today - domain_at.since).days <= 30
    ):
        yield Finding(
            "policy_weakened", "high", domain, None,
            f"The policy of {domain} became weaker on {day(domain_at.since)}",
            f"Reports show p={domain_at.p or 'none'}, and p={domain_at.before} before.",
            "If nobody meant to, publish the former record again.",
            owner, domain_at.since, readiness.messages, "readiness",
        )  # fmt: skip
    asked = readiness.dns_gate
    # However long ago DNS said so: it is over when DNS says otherwise, and not because nobody asked.
    if asked and asked.state == "stop":
        yield Finding(
            "not_authorised", "high", domain, None, f"Reports about {domain} do not find their way",
            asked.evidence, asked.fix, owner, readiness.dns_since or newest, readiness.messages, "readiness",
        )  # fmt: skip
    if subdomains.state == "stop":
        yield Finding(
            "subdomains_open", "medium", domain, None, f"Subdomains of {domain} are under a weaker policy",
            subdomains.evidence, subdomains.fix, owner, domain_at.since or newest, 0, "readiness",
        )  # fmt: skip
    if readiness.verdict == "go" and not readiness.already:
        yield Finding(
            "ready", "info", domain, None, f"{domain} can move to p={readiness.target}",
            f"All {len(readiness.gates)} conditions hold over the last {readiness.days} days with reports.",
            f"Publish p={readiness.target}, and look again in a week.",
            owner, newest, readiness.messages, "readiness",
        )  # fmt: skip


def in_doubt(claims: LoneClaims) -> Finding:
    """Mail that only reporters in doubt tell of. It changed no verdict; somebody may want it to."""
    one = claims.reporters == 1
    who = "one unverified reporter" if one else f"{claims.reporters} unverified reporters"
    return Finding(
        "reports_in_doubt", "medium" if claims.messages >= SUSPICIOUS else "info", claims.domain, None,
        f"{count(claims.messages, 'message')} of {claims.domain} claimed by {who} only",
        f"{'Its' if one else 'Their'} report mails are not signed by the reporter, so anybody may have written them. "
        f"{count(claims.sources, 'source')} in them, told of by nobody else, count in no verdict.",
        "See who it is with 'whosends reporters'. Nothing else needs to be done.",
        None, claims.first_day, claims.messages, "reports",
    )  # fmt: skip


def silent(domain: str, reporters: Sequence[Reporter]) -> Iterator[Finding]:
    """Usual reporters that no longer write. Their names are their own text: the reports page shows them."""
    gone = [one.silent_since for one in reporters if one.silent_since]
    if gone:
        lost = sum(one.share for one in reporters if one.silent_since)
        noun = "reporter has" if len(gone) == 1 else "reporters have"
        yield Finding(
            "reporters_silent", "medium" if lost >= 0.1 else "info", domain, None,
            f"{len(gone)} usual {noun} fallen silent",
            f"They told of {share(lost)} of all messages. That mail is not gone, only unseen.",
            "Check that the rua address still accepts their mail.", None, min(gone), 0, "reports",
        )  # fmt: skip
