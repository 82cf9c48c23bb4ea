"""A report as XML, in its reporter's own hand."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from sample_reports.organisation import Policy
from sample_reports.reporters import Reporter
from sample_reports.reports import Report, Row


def document(report: Report) -> bytes:
    """The whole XML document."""
    reporter = report.reporter
    lines = [reporter.declaration, reporter.root]
    lines += _indented(_body(report), reporter.indent)
    lines.append("</feedback>")
    return ("\n".join(lines) + "\n").encode()


def _indented(lines: Iterator[tuple[int, str]], indent: str) -> Iterator[str]:
    for depth, text in lines:
        yield indent * depth + text


def _element(depth: int, name: str, text: object) -> tuple[int, str]:
    return depth, f"<{name}>{escape(str(text))}</{name}>"


def _body(report: Report) -> Iterator[tuple[int, str]]:
    if report.reporter.version:
        yield _element(1, "version", report.reporter.version)
    yield from _metadata(report)
    yield 1, "<policy_published>"
    for name, text in _policy(report.reporter, report.policy, report.domain):
        yield _element(2, name, text)
    yield 1, "</policy_published>"
    for row, messages in report.rows:
        yield from _record(report.reporter, row, messages)


def _metadata(report: Report) -> Iterator[tuple[int, str]]:
    reporter = report.reporter
    yield 1, "<report_metadata>"
    yield _element(2, "org_name", reporter.org_name)
    yield _element(2, "email", reporter.email)
    if reporter.contact:
        yield _element(2, "extra_contact_info", reporter.contact)
    yield _element(2, "report_id", report.report_id)
    yield 2, "<date_range>"
    yield _element(3, "begin", report.begin)
    yield _element(3, "end", report.end)
    yield 2, "</date_range>"
    if reporter.generator:
        yield _element(2, "generator", reporter.generator)
    yield 1, "</report_metadata>"


def _policy(reporter: Reporter, policy: Policy, domain: str) -> Iterator[tuple[str, str]]:
    words = {
        "domain": domain, "p": policy.p, "sp": policy.sp, "np": policy.np, "adkim": "r", "aspf": "r", "pct": "100",
        "fo": "0" if "Microsoft" in reporter.root or "outlook" in reporter.submitter else "1",
        "testing": "n", "discovery_method": "treewalk",
    }  # fmt: skip
    for name in reporter.policy:
        yield name, words[name]


def _record(reporter: Reporter, row: Row, messages: int) -> Iterator[tuple[int, str]]:
    yield 1, "<record>"
    yield 2, "<row>"
    yield _element(3, "source_ip", row.source_ip)
    yield _element(3, "count", messages)
    yield 3, "<policy_evaluated>"
    yield _element(4, "disposition", row.disposition)
    yield _element(4, "dkim", row.dkim)
    yield _element(4, "spf", row.spf)
    yield from _reason(row.reason)
    yield 3, "</policy_evaluated>"
    yield 2, "</row>"
    yield 2, "<identifiers>"
    if row.envelope_to:
        yield _element(3, "envelope_to", row.envelope_to)
    if row.envelope_from is not None:
        yield _element(3, "envelope_from", row.envelope_from)
    yield _element(3, "header_from", row.header_from)
    yield 2, "</identifiers>"
    yield 2, "<auth_results>"
    yield from _results(reporter, row)
    yield 2, "</auth_results>"
    yield 1, "</record>"


def _reason(reason: tuple[str, str]) -> Iterator[tuple[int, str]]:
    kind, comment = reason
    if kind:
        yield 4, "<reason>"
        yield _element(5, "type", kind)
        if comment:
            yield _element(5, "comment", comment)
        yield 4, "</reason>"


def _results(reporter: Reporter, row: Row) -> Iterator[tuple[int, str]]:
    for signature in row.dkim_results:
        yield 3, "<dkim>"
        yield _element(4, "domain", signature.domain)
        if signature.selector:
            yield _element(4, "selector", signature.selector)
        yield _element(4, "result", signature.result)
        if "human_result" in reporter.shows:
            yield 4, "<human_result/>"
        yield 3, "</dkim>"
    yield 3, "<spf>"
    yield _element(4, "domain", row.spf_result.domain)
    if row.spf_result.scope:
        yield _element(4, "scope", row.spf_result.scope)
    yield _element(4, "result", row.spf_result.result)
    yield 3, "</spf>"
