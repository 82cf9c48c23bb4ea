"""What the reporters saw, made into reports: one per reporter, domain and span of days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sample_reports.chance import Chance
from sample_reports.organisation import Organisation, Policy
from sample_reports.reporters import Reporter
from sample_reports.timeline import Timeline
from sample_reports.traffic import Seen, Signature, Spf, Traffic, aligned


class Row(NamedTuple):
    """One record as a reporter writes it; what it does not show is empty. `source` stays outside the report."""

    source: str
    source_ip: str
    disposition: str
    dkim: str
    spf: str
    reason: tuple[str, str]
    envelope_to: str
    envelope_from: str | None
    header_from: str
    dkim_results: tuple[Signature, ...]
    spf_result: Spf


@dataclass(frozen=True)
class Report:
    """A report, with what the truth needs to know about it."""

    reporter: Reporter
    domain: str
    report_id: str
    begin: int
    end: int
    policy: Policy
    rows: tuple[tuple[Row, int], ...]
    sent: datetime
    days: frozenset[tuple[str, date]]

    @property
    def messages(self) -> int:
        """How many messages it tells of."""
        return sum(count for _, count in self.rows)

    @property
    def stem(self) -> str:
        """The file name without its ending."""
        unique = f"!{self.report_id}" if self.reporter.id_in_name else ""
        return f"{self.reporter.submitter}!{self.domain}!{self.begin}!{self.end}{unique}"


def spans(reporter: Reporter, period: Timeline) -> Iterator[list[date]]:
    """The days that go into one report each."""
    days = period.days()
    for start in range(0, len(days), reporter.span_days):
        yield days[start : start + reporter.span_days]


def report(
    reporter: Reporter, domain: str, days: list[date], traffic: Traffic, world: tuple[Organisation, int]
) -> Report | None:
    """The report on these days, or none if nothing was seen: an empty day is not reported.

    Messages that look the same to the reporter end up in one row.
    """
    organisation, seed = world
    rows: Counter[Row] = Counter()
    seen_on: set[tuple[str, date]] = set()
    for day in days:
        chance = Chance.of(seed, "report", reporter.key, domain, day)
        policy = organisation.policy(domain, day - timedelta(days=reporter.policy_lag))
        for seen, messages in traffic.get((reporter.key, day), Counter()).items():
            if seen.domain == domain:
                seen_on.add((seen.source, day))
                for row, count in _rows(reporter, policy, seen, messages, chance):
                    rows[row] += count
    if not rows:
        return None
    begins = datetime(days[0].year, days[0].month, days[0].day, reporter.begins_at_hour, tzinfo=UTC)
    ends = begins + timedelta(days=len(days))
    chance = Chance.of(seed, "report-id", reporter.key, domain, days[0])
    return Report(
        reporter=reporter,
        domain=domain,
        report_id=_report_id(reporter.id_style, domain, ends, chance),
        begin=int(begins.timestamp()),
        end=int(ends.timestamp()) + reporter.ends,
        policy=organisation.policy(domain, days[-1] - timedelta(days=reporter.policy_lag)),
        rows=tuple(sorted(rows.items(), key=lambda item: (-item[1], item[0]))),
        sent=ends + timedelta(hours=reporter.sent_after_hours, seconds=chance.randrange(5400)),
        days=frozenset(seen_on),
    )


def _rows(reporter: Reporter, policy: Policy, seen: Seen, messages: int, chance: Chance) -> Iterator[tuple[Row, int]]:
    """Equal messages, parted by what the reporter did with them and for whom they were."""
    dkim = any(s.result == "pass" and aligned(s.domain, seen.header_from) for s in seen.dkim)
    spf = seen.spf.result == "pass" and seen.spf.scope == "mfrom" and aligned(seen.spf.domain, seen.header_from)
    treated = _dispositions(reporter, policy, seen, (messages, dkim or spf), chance)
    recipients = reporter.recipients or ("",)
    weights = [1 / (n + 1) for n in range(len(recipients))]
    for disposition, reason, part in treated:
        for recipient, count in zip(recipients, chance.split(part, weights), strict=True):
            if count:
                yield _row(reporter, seen, (disposition, dkim, spf, reason), recipient), count


def _dispositions(
    reporter: Reporter, policy: Policy, seen: Seen, what: tuple[int, bool], chance: Chance
) -> Iterator[tuple[str, tuple[str, str], int]]:
    """What the reporter did with the messages, and the reason it gives when that is not what the policy asks."""
    messages, passes = what
    if passes:
        yield ("pass" if "pass" in reporter.shows else "none"), ("", ""), messages
        return
    asked = policy.p if seen.header_from == seen.domain else policy.sp
    kind, comment, notices = reporter.forwarding
    noticed = 0
    if seen.path != "direct" and (seen.sealed or not reporter.needs_seal):
        noticed = chance.binomial(messages, notices)
    yield "none", (kind, comment), noticed
    obeyed = messages - noticed if asked == "none" else chance.binomial(messages - noticed, reporter.honours)
    yield asked, ("", ""), obeyed
    yield "none", reporter.override, messages - noticed - obeyed


def _row(reporter: Reporter, seen: Seen, verdict: tuple[str, bool, bool, tuple[str, str]], recipient: str) -> Row:
    """The message as this reporter writes it down."""
    disposition, dkim, spf, reason = verdict
    shows = reporter.shows
    return Row(
        source=seen.source,
        source_ip=seen.source_ip,
        disposition=disposition,
        dkim="pass" if dkim else "fail",
        spf="pass" if spf else "fail",
        reason=reason,
        envelope_to=recipient,
        envelope_from=seen.envelope_from if "envelope_from" in shows else None,
        header_from=seen.header_from,
        dkim_results=tuple(s if "selector" in shows else s._replace(selector="") for s in seen.dkim),
        spf_result=seen.spf if "scope" in shows else seen.spf._replace(scope=""),
    )


def _report_id(style: str, domain: str, ends: datetime, chance: Chance) -> str:
    """Each reporter has its own idea of an identifier."""
    stamp = int(ends.timestamp())
    styles = {
        "time.micro": lambda: f"{stamp + chance.randrange(20000)}.{chance.digits(6)}",
        "v1": lambda: f"v1-{stamp}-{domain}",
        "opendmarc": lambda: f"{domain}:{stamp + 61}",
        "aggr": lambda: f"aggr_report_{ends:%Y_%m_%d}_{chance.hexadecimal(13)}",
    }
    if style in styles:
        return styles[style]()
    if style.startswith("hex"):
        return chance.hexadecimal(int(style.removeprefix("hex")))
    return chance.digits(int(style.removeprefix("digits")))
