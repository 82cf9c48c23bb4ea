"""TLS reports into their tables, each once."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ingest.inputs.base import Message
from ingest.reading import ReadReport
from ingest.reports.tls import PARSER_VERSION, TlsPolicy, TlsReport, parse
from warehouse import documents
from warehouse.connect import Connection, insert
from warehouse.instants import utc
from warehouse.once import Ended, Place, Said, decide
from warehouse.outdated import Reader
from warehouse.packing import document_hash
from warehouse.rows import INSTANT, REPAIRS, TEXT, counted_days, table
from warehouse.save import NEW
from warehouse.terms import Terms

PLACE = Place("tls_report", "tls_report_key", "tls_report_key_seq", "identity_hash", "content_hash")

REPORT = pa.schema(
    [
        ("tls_report_key", pa.int64()),
        *((name, TEXT) for name in ("identity_hash", "content_hash", "document_hash")),
        ("run_key", pa.int64()),
        ("origin", TEXT),
        ("received_at", INSTANT),
        ("stored_at", INSTANT),
        ("parser_version", pa.int32()),
        *((name, TEXT) for name in ("reporter", "contact_info", "report_id")),
        ("begin_at", INSTANT),
        ("end_at", INSTANT),
        ("day", pa.date32()),
        ("policies", pa.int32()),
        ("total_successful_session_count", pa.int64()),
        ("total_failure_session_count", pa.int64()),
        ("repairs", REPAIRS),
    ]
)
_HEAD = [
    ("tls_report_key", pa.int64()),
    ("policy_index", pa.int32()),
    ("day", pa.date32()),
    ("domain", TEXT),
    ("reporter", TEXT),
    ("policy_type", TEXT),
]
POLICY = pa.schema(
    [
        *_HEAD,
        ("policy_string", pa.list_(TEXT)),
        ("mx_host", pa.list_(TEXT)),
        ("total_successful_session_count", pa.int64()),
        ("total_failure_session_count", pa.int64()),
    ]
)
FAILURE = pa.schema(
    [
        *_HEAD,
        *((name, TEXT) for name in ("result_type", "sending_mta_ip", "receiving_mx_hostname", "receiving_mx_helo")),
        ("receiving_ip", TEXT),
        ("failed_session_count", pa.int64()),
        ("additional_information", TEXT),
        ("failure_reason_code", TEXT),
    ]
)


def save(connection: Connection, arrived: Sequence[tuple[Message, ReadReport[TlsReport]]], terms: Terms) -> list[Ended]:
    """Insert what is new, in the caller's transaction; what became of each, in order."""
    reports = [read.report for _, read in arrived]
    hashes = [document_hash(read.document) for _, read in arrived]
    said = Said([_content(report) for report in reports], hashes, READER)
    ended = decide(connection, PLACE, [_identity(report) for report in reports], said)
    put(connection, [(one.key, *item) for one, item in zip(ended, arrived, strict=True) if one.status == NEW], terms)
    return ended


def put(connection: Connection, arrived: Sequence[tuple[int, Message, ReadReport[TlsReport]]], terms: Terms) -> None:
    """Insert reports under these keys, in the caller's transaction."""
    heads, policies, failures, originals = [], [], [], {}
    for key, message, read in arrived:
        name = document_hash(read.document)
        originals[name] = read.document
        hashes = (_identity(read.report), _content(read.report), name)
        heads.append((key, *hashes, *_report_row(message, read.report, terms)))
        for place, policy in enumerate(read.report.policies, 1):
            head = _head(key, place, read.report, policy)
            policies.append((*head, *_policy_row(policy)))
            failures += [(*head, *_failure_row(policy, at)) for at in range(len(policy.failure_details))]
    if heads:
        insert(connection, "tls_report", table(REPORT, heads))
        insert(connection, "tls_policy", table(POLICY, policies))
        insert(connection, "tls_failure", table(FAILURE, failures))
        if terms.keep_documents:
            documents.keep(connection, originals.items())


def _report_row(message: Message, report: TlsReport, terms: Terms) -> tuple[object, ...]:
    return (
        terms.run_key,
        message.origin,
        utc(message.received_at),
        terms.now,
        PARSER_VERSION,
        report.organization_name,
        report.contact_info,
        report.report_id,
        utc(report.begin_at),
        utc(report.end_at),
        counted_days(report.begin_at, report.end_at)[0],
        len(report.policies),
        report.total_successful_session_count,
        report.total_failure_session_count,
        report.repairs,
    )


def _head(key: int, place: int, report: TlsReport, policy: TlsPolicy) -> tuple[object, ...]:
    day = counted_days(report.begin_at, report.end_at)[0]
    return (key, place, day, policy.policy_domain, report.organization_name, policy.policy_type)


def _policy_row(policy: TlsPolicy) -> tuple[object, ...]:
    return (
        policy.policy_string,
        policy.mx_host,
        policy.total_successful_session_count,
        policy.total_failure_session_count,
    )


def _failure_row(policy: TlsPolicy, at: int) -> tuple[object, ...]:
    failure = policy.failure_details[at]
    return (
        failure.result_type,
        failure.sending_mta_ip,
        failure.receiving_mx_hostname,
        failure.receiving_mx_helo,
        failure.receiving_ip,
        failure.failed_session_count,
        failure.additional_information,
        failure.failure_reason_code,
    )


def _identity(report: TlsReport) -> str:
    """The reporter, its id and the period; the domains too, since some use one id for all of a day's reports."""
    domains = sorted({policy.policy_domain for policy in report.policies})
    period = (str(report.begin_at.timestamp()), str(report.end_at.timestamp()))
    return document_hash(
        "\x1f".join((report.organization_name.casefold(), report.report_id, *period, *domains)).encode()
    )


def _content(report: TlsReport) -> str:
    """What the report says, whatever the order of its policies and their details."""
    said = sorted(
        repr((_policy_row(policy), sorted(repr(detail) for detail in policy.failure_details), policy.policy_type))
        for policy in report.policies
    )
    return document_hash("\x1f".join(said).encode())


READER = Reader("tls_report", "tls_report_key", PARSER_VERSION, lambda document: _content(parse(document)))
