"""Reports as XML, as RFC 7489 appendix C and RFC 9990 have it, each in its reporter's hand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.worlds.evaluation import Row
from benchmarks.worlds.organisation import Policy
from benchmarks.worlds.reporters import Reporter
from benchmarks.worlds.reporting import Slot
from benchmarks.worlds.volume import day_of

ROOTS = {
    "7489": '<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">',
    "9990": '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">',
    "none": "<feedback>",
}


def write(folder: Path, slot: Slot, reporter: Reporter, policy: Policy, rows: Counter[Row]) -> None:
    """Write one report as a file, named as RFC 7489 section 7.2.1.1 asks."""
    begin, end = period(slot, reporter)
    receiver = reporter.email.rpartition("@")[2]
    name = f"{receiver}!{slot.domain}!{begin}!{end}!{_report_id(slot)}.xml"
    folder.joinpath(name).write_text(document(slot, reporter, policy, rows), "utf-8")


def period(slot: Slot, reporter: Reporter) -> tuple[int, int]:
    """First and last second of a report, as Unix time."""
    start = datetime.combine(day_of(slot.day), time(), UTC) + timedelta(hours=reporter.begins)
    length = timedelta(days=reporter.span) / reporter.parts
    begin = start + slot.part * length
    return int(begin.timestamp()), int((begin + length).timestamp()) - 1


def document(slot: Slot, reporter: Reporter, policy: Policy, rows: Counter[Row]) -> str:
    """The whole document. Records stand in the order in which the reporter came upon them."""
    begin, end = period(slot, reporter)
    metadata = (
        _element("org_name", reporter.name)
        + _element("email", reporter.email)
        + _element("report_id", _report_id(slot))
        + f"<date_range><begin>{begin}</begin><end>{end}</end></date_range>"
    )
    records = "\n".join("".join(_record(row, messages)) for row, messages in rows.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{ROOTS[reporter.standard]}\n'
        f"<report_metadata>{metadata}</report_metadata>\n"
        f"<policy_published>{''.join(_published(slot.domain, reporter, policy))}</policy_published>\n"
        f"{records}\n</feedback>\n"
    )


def _report_id(slot: Slot) -> str:
    return hashlib.blake2b(repr(tuple(slot)).encode(), digest_size=10).hexdigest()


def _element(name: str, text: object) -> str:
    return f"<{name}>{escape(str(text))}</{name}>"


def _published(domain: str, reporter: Reporter, policy: Policy) -> Iterator[str]:
    yield _element("domain", domain)
    if reporter.standard == "9990":
        yield from (_element("discovery_method", "treewalk"), _element("p", policy.p), _element("sp", policy.sp))
        yield from (_element("adkim", policy.adkim), _element("aspf", policy.aspf), _element("testing", "n"))
        return
    yield from (_element("adkim", policy.adkim), _element("aspf", policy.aspf))
    yield from (_element("p", policy.p), _element("sp", policy.sp), _element("pct", 100))


def _record(row: Row, messages: int) -> Iterator[str]:
    yield f"<record><row>{_element('source_ip', row.source_ip)}{_element('count', messages)}<policy_evaluated>"
    yield _element("disposition", row.disposition) + _element("dkim", row.dkim) + _element("spf", row.spf)
    kind, comment = row.reason
    if kind:
        yield f"<reason>{_element('type', kind)}{_element('comment', comment) if comment else ''}</reason>"
    yield "</policy_evaluated></row><identifiers>"
    if row.envelope_from is not None:
        yield _element("envelope_from", row.envelope_from)
    yield _element("header_from", row.header_from) + "</identifiers><auth_results>"
    for signature in row.signatures:
        selector = _element("selector", signature.selector) if signature.selector else ""
        yield f"<dkim>{_element('domain', signature.domain)}{selector}{_element('result', signature.result)}</dkim>"
    scope = _element("scope", row.spf_scope) if row.spf_scope else ""
    yield f"<spf>{_element('domain', row.spf_domain)}{scope}{_element('result', row.spf_result)}</spf>"
    yield "</auth_results></record>"
