"""From reports to the files of a real mailbox: what was saved, what came twice, and what is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from sample_reports.chance import Chance
from sample_reports.organisation import CLUB, MAIN, SHOP
from sample_reports.reports import Report, Row
from sample_reports.timeline import Timeline
from sample_reports.wrapping import ENDINGS, attachment, gzipped, mail, out_of_office


@dataclass(frozen=True)
class Unit:
    """One file, as a program that reads reports meets it.

    `outcome` is what should become of it. For copies, which of them counts depends on the order of reading, so the
    truth decides that (`duplicate` here only says that the content comes a second time). `tells` is what a file of
    another `kind` than aggregate reports is about: a TLS report, a bounce, a failure report.
    """

    path: str
    content: bytes
    reports: tuple[Report, ...] = ()
    outcome: str = "stored"
    reason: str = ""
    note: str = ""
    kind: str = "aggregate"
    tells: Mapping[str, object] = field(default_factory=dict)


def units(reports: Sequence[Report], period: Timeline, seed: int) -> list[Unit]:
    """All files, sorted by path."""
    chance = Chance.of(seed, "oddities")
    mails, saved = _apart(reports, period)
    found: list[Unit] = [_saved(report) for report in saved]
    lost = _pick(mails, chance, lambda r: r.reporter.key == "mail.ru" and r.domain == MAIN)
    pair = _pair(mails)
    found += [_by_mail((report,)) for report in mails if report not in (lost, *pair)]
    if lost:
        found.append(_truncated(lost))
    if pair:
        found.append(replace(_by_mail(pair), note="one mail with two reports"))
    single = [report for report in mails if report not in (lost, *pair)]
    found += _copies(single, chance)
    found += _conflict(single, chance)
    found.append(_absence(period.before_end(min(12, len(period.days()) - 1))))
    return sorted(found, key=lambda unit: unit.path)


def _apart(reports: Sequence[Report], period: Timeline) -> tuple[list[Report], list[Report]]:
    """Mails, and attachments saved before there was a mailbox for them."""
    opened = datetime.combine(period.mailbox_opened, datetime.min.time(), UTC)
    return [r for r in reports if r.sent >= opened], [r for r in reports if r.sent < opened]


def _saved(report: Report, packing: str = "") -> Unit:
    part = attachment(report, packing)
    return Unit(f"files/{part.name}", part.content, (report,))


def _by_mail(reports: Sequence[Report], delay: timedelta = timedelta(), attempt: int = 1) -> Unit:
    first = reports[0]
    at = first.sent + delay
    name = f"mail/{at:%Y-%m-%dT%H%M%S}-{first.reporter.submitter}-{first.domain}.eml"
    return Unit(name, mail(reports, delay, attempt), tuple(reports))


def _pick(reports: Sequence[Report], chance: Chance, wanted: Callable[[Report], bool]) -> Report | None:
    found = [report for report in reports if wanted(report)]
    return chance.choice(found) if found else None


def _pair(reports: Sequence[Report]) -> tuple[Report, ...]:
    """Two reports of one reporter on the same day, about two domains: some reporters send them together."""
    by_day = {(r.begin, r.domain): r for r in reports if r.reporter.key == "yahoo.com"}
    days = sorted(begin for begin, domain in by_day if domain == SHOP and (begin, MAIN) in by_day)
    if not days:
        return ()
    day = days[len(days) // 2]
    return by_day[day, MAIN], by_day[day, SHOP]


def _truncated(report: Report) -> Unit:
    """A download that broke off. Nobody has the rest, so the report is missing from the totals."""
    content = gzipped(attachment(report, "plain").content)
    name = f"files/{report.stem}{ENDINGS['gzip']}"
    return Unit(name, content[: len(content) * 3 // 5], (), "quarantined", "truncated", "the gzip file breaks off")


def _copies(reports: Sequence[Report], chance: Chance) -> list[Unit]:
    """The same reports once more: saved from the mail, packed otherwise, delivered twice."""
    wanted: tuple[tuple[str, str, str], ...] = (
        ("outlook.com", MAIN, "saved"), ("enterprise", MAIN, "saved"), ("fastmail.com", SHOP, "saved"),
        ("google.com", MAIN, "gzip"), ("gmx.net", SHOP, "plain"), ("comcast.net", MAIN, "mail"),
        ("google.com", CLUB, "mail"),
    )  # fmt: skip
    found = []
    for reporter, domain, way in wanted:
        report = _pick(reports, chance, lambda r, key=(reporter, domain): (r.reporter.key, r.domain) == key)  # type: ignore[misc]
        if report and way == "mail":
            unit = _by_mail((report,), timedelta(hours=26, minutes=11), attempt=2)
            found.append(replace(unit, outcome="duplicate", note="the same report, delivered twice"))
        elif report:
            unit = _saved(report, "" if way == "saved" else way)
            note = "the attachment, saved" if way == "saved" else f"the same XML, packed as {way}"
            found.append(replace(unit, outcome="duplicate", note=note))
    return found


def _conflict(reports: Sequence[Report], chance: Chance) -> list[Unit]:
    """A resend with the same identity that tells something else.

    Messages have moved between two rows of one source, so that every total is the same whichever came first.
    """
    report = _pick(reports, chance, lambda r: r.reporter.key == "mimecast" and bool(_twins(r.rows)))
    if not report:
        return []
    rows = list(report.rows)
    more, less = _twins(report.rows)
    rows[more] = (rows[more][0], rows[more][1] + 1)
    rows[less] = (rows[less][0], rows[less][1] - 1)
    unit = _by_mail((replace(report, rows=tuple(rows)),), timedelta(days=2, hours=3), attempt=2)
    return [replace(unit, outcome="quarantined", reason="conflict", note="same identity, other content")]


def _twins(rows: Sequence[tuple[Row, int]]) -> tuple[int, ...]:
    """Two rows that differ in their address only, the second of which can spare a message."""
    for first, (one, _) in enumerate(rows):
        for second, (other, messages) in enumerate(rows):
            alike = one.source == other.source and one._replace(source_ip=other.source_ip) == other
            if first != second and messages > 1 and alike:
                return first, second
    return ()


def _absence(day: date) -> Unit:
    at = datetime(day.year, day.month, day.day, 9, 31, 7, tzinfo=UTC)
    return Unit(f"mail/{at:%Y-%m-%dT%H%M%S}-out-of-office.eml", out_of_office(at), (), "not_report", "", "auto-reply")
