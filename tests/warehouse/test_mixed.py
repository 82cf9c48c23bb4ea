"""A mixed mailbox: every kind of report in one batch, each stored once, each counted, none lost."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingest.inputs.base import Message
from ingest.outcome import Duplicate, NotAReport, Quarantined, Reason, Stored
from ingest.settings import PrivacySettings
from tests.ingest import mail_writer, wrap
from tests.warehouse.build import NOW, ListInput, loader, message, one, polled, warehouse, xml
from warehouse import reads_mail, retention
from warehouse.connect import Warehouse
from warehouse.load import Loader, LoadSummary, load
from warehouse.retry import retry
from warehouse.scope import Scope
from warehouse.settings import RetentionSettings

CASES = Path(__file__).parents[1] / "cases"
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)

REPORTS = """
    SELECT (SELECT count(*) FROM aggregate_report), (SELECT count(*) FROM tls_report),
           (SELECT count(*) FROM failure_report), (SELECT count(DISTINCT notice_key) FROM delivery_status)
"""
COUNTS = "SELECT reports, tls_reports, failure_reports, notices FROM load_run ORDER BY run_key DESC LIMIT 1"


def case(name: str) -> bytes:
    (path,) = [path for path in CASES.glob(f"{name}-*") if ".expected." not in path.name]
    return path.read_bytes()


def tls(
    failed: int = 3, domain: str = "example.com", report_id: str = "t1", organization: str = "Example Mail"
) -> bytes:
    details = [{"result_type": "certificate-expired", "failed_session_count": failed, "receiving_mx_hostname": "mx1"}]
    policy = {
        "policy_type": "sts",
        "policy_domain": domain,
        "total_successful_session_count": 100,
        "total_failure_session_count": failed,
        "failure_details": details,
    }
    report = {
        "organization_name": organization,
        "contact_info": "tls@mail.example.net",
        "report_id": report_id,
        "begin_at": BEGIN,
        "end_at": BEGIN + timedelta(seconds=86_399),
        "policies": [policy],
    }
    return mail_writer.tls(report)


MIXED: dict[str, tuple[bytes, type[object]]] = {
    "aggregate": (xml(), Stored),
    "aggregate again": (gzip.compress(xml()), Duplicate),
    "aggregate in a mail": (wrap.common_mail(xml(report_id="r2")), Stored),
    "tls": (tls(), Stored),
    "tls again": (gzip.compress(tls()), Duplicate),
    "tls in a mail": (case("tls/002"), Stored),
    "tls refused": (case("tls/011"), Quarantined),
    "tls of another kind": (case("tls/042"), NotAReport),
    "failure": (case("failure/001"), Stored),
    "failure with other line ends": (case("failure/001").replace(b"\n", b"\r\n"), Duplicate),
    "failure as text": (case("failure/006"), Stored),
    "failure refused": (case("failure/016"), Quarantined),
    "bounce": (case("dsn/001"), Stored),
    "bounce again": (case("dsn/001"), Duplicate),
    "bounce of three": (case("dsn/020"), Stored),
    "bounce as text": (case("dsn/011"), Stored),
    "bounce refused": (case("dsn/027"), Quarantined),
    "bounce of a report of ours": (case("dsn/037"), Stored),
    "automatic reply": (case("dsn/043"), NotAReport),
    "read receipt": (case("dsn/045"), NotAReport),
    "newsletter": (wrap.mail("Content-Type: text/html", b"<p>Hello</p>"), NotAReport),
    "broken": (xml()[:-20], Quarantined),
    "empty": (b"", NotAReport),
}


def mixed() -> ListInput:
    return ListInput([[message(raw, name, uid) for uid, (name, (raw, _)) in enumerate(MIXED.items(), 1)]])


def loaded(by: Loader, *raws: bytes) -> LoadSummary:
    return load(ListInput([[message(raw, f"file {n}") for n, raw in enumerate(raws)]]), by)


def test_a_mixed_mailbox_is_sorted_in_one_poll(tmp_path: Path) -> None:
    target, source = warehouse(tmp_path), mixed()
    summary = load(source, loader(target))
    assert {item.origin: type(outcome) for item, outcome in source.told} == {n: kind for n, (_, kind) in MIXED.items()}
    assert summary.seen == summary.stored + summary.duplicates + summary.quarantined + summary.not_reports == len(MIXED)
    assert one(target, REPORTS) == (2, 2, 2, 4)
    assert one(target, COUNTS) == (10, 2, 2, 4)
    assert one(target, "SELECT sum(reports) FROM message") == 10
    assert one(target, "SELECT count(*) FROM delivery_status") == 7
    # The aggregate numbers are what they are without the others.
    assert one(target, "SELECT (SELECT sum(messages) FROM daily), (SELECT sum(messages) FROM aggregate_record)") == (
        20,
        20,
    )


def test_reading_it_again_changes_nothing(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    first = load(mixed(), loader(target))
    tables = ("aggregate_report", "tls_report", "tls_policy", "tls_failure", "failure_report", "delivery_status")
    counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in (*tables, "raw_document", "quarantine"))
    before = one(target, f"SELECT {counts}")
    again = ListInput([[replace(item, position=None) for item in mixed().batches[0]]])
    second = load(again, loader(target))
    assert one(target, f"SELECT {counts}") == before
    assert (second.stored, second.reports, second.notices) == (0, 0, 0)
    assert second.duplicates == first.stored + first.duplicates
    assert (second.quarantined, second.not_reports) == (first.quarantined, first.not_reports)


@pytest.mark.parametrize(
    ("other", "status"),
    [
        (tls(), Duplicate),
        (tls(organization="EXAMPLE mail"), Duplicate),
        (tls(failed=4), Quarantined),
        (tls(report_id="t2"), Stored),
        (tls(organization="Another"), Stored),
        (tls(domain="example.org"), Stored),
    ],
)
def test_what_makes_a_tls_report_another_one(tmp_path: Path, other: bytes, status: type[object]) -> None:
    target = warehouse(tmp_path)
    loaded(loader(target), tls())
    source = ListInput([[message(other)]])
    load(source, loader(target))
    ((_, outcome),) = source.told
    assert type(outcome) is status
    if isinstance(outcome, Quarantined):
        assert outcome.reason is Reason.CONFLICT
        assert one(target, "SELECT sum(total_failure_session_count) FROM tls_policy") == 3


def test_policies_in_another_order_are_the_same_report(tmp_path: Path) -> None:
    document = json.loads(tls())
    document["policies"].append(json.loads(tls(domain="example.org"))["policies"][0])
    turned = {**document, "policies": document["policies"][::-1]}
    summary = loaded(loader(warehouse(tmp_path)), json.dumps(document).encode(), json.dumps(turned, indent=2).encode())
    assert (summary.stored, summary.duplicates) == (1, 1)


def test_tls_reports_are_kept_with_their_documents(tmp_path: Path) -> None:
    kept, bare = warehouse(tmp_path / "a"), warehouse(tmp_path / "b", keep_documents=False)
    for target in (kept, bare):
        loaded(loader(target), tls())
    assert one(kept, "SELECT count(*) FROM raw_document JOIN tls_report USING (document_hash)") == 1
    assert one(bare, "SELECT count(*) FROM raw_document") == 0


# -- personal data ---------------------------------------------------------------------------------

PERSONAL = ("jane.doe", "victim.person", "ann.example", "bounce+ann", "orders.team", "Order 4711", "secret invoice")
BOTH = (case("failure/001"), case("dsn/001"))


def everything(target: Warehouse) -> str:
    with target.reading() as connection:
        rows = [
            connection.execute(f"FROM {name}").fetchall() for name in ("failure_report", "delivery_status", "message")
        ]
        documents = connection.execute("SELECT count(*) FROM raw_document").fetchall()
    return repr((rows, documents))


def test_nothing_personal_is_stored_unless_somebody_asks(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(loader(target), *BOTH)
    stored = everything(target)
    assert not [name for name in PERSONAL if name.lower() in stored.lower()]
    assert one(target, "SELECT count(*) FROM raw_document") == 0
    assert one(target, "SELECT length(recipient_pseudonym) FROM delivery_status") == 16
    assert one(target, "SELECT length(mail_from_pseudonym) FROM failure_report") == 16


def test_everything_is_stored_where_somebody_asked(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(replace(loader(target), privacy=PrivacySettings("full", "full")), *BOTH)
    assert one(target, "SELECT recipient, subject, message_id FROM delivery_status") == (
        "jane.doe@shop.example.org",
        "Order 4711 for Jane Doe",
        "<20261120100000.4711@app.example.com>",
    )
    assert one(target, "SELECT mail_from, rcpt_to[1], subject FROM failure_report") == (
        "bounce+ann@shop.example.org",
        "victim.person@mail.example.net",
        "Your secret invoice 4711",
    )
    assert one(target, "SELECT count(*) FROM raw_document") == 2


def test_pseudonyms_differ_between_warehouses_and_not_within_one(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        target = warehouse(tmp_path / name)
        for raw in (case("dsn/001"), case("dsn/002")):
            loaded(loader(target), raw)
        assert one(target, "SELECT count(*), count(DISTINCT recipient_pseudonym) FROM delivery_status") == (2, 1)
        found.append(one(target, "SELECT any_value(recipient_pseudonym) FROM delivery_status"))
    assert found[0] != found[1]


def test_failure_reports_and_bounces_go_after_their_days(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    by = replace(loader(target), privacy=PrivacySettings("full", "full"))
    loaded(by, *BOTH, tls())
    settings = RetentionSettings(personal_days=0)
    polled(target, settings.bounces_days + 1)

    def left(days: int) -> object:
        with target.writing() as connection:
            retention.forget(connection, settings, NOW + timedelta(days=days))
        return one(target, f"{REPORTS}, (SELECT count(*) FROM raw_document)")

    assert left(settings.failures_days - 1) == (0, 1, 1, 1, 3)
    assert left(settings.failures_days + 1) == (0, 1, 0, 1, 2)
    assert left(settings.bounces_days + 1) == (0, 1, 0, 0, 1)


def test_a_load_forgets_what_is_old(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(loader(target), *BOTH)
    polled(target, 400)
    loaded(replace(loader(target), clock=lambda: NOW + timedelta(days=400)), xml())
    assert one(target, REPORTS) == (1, 0, 0, 0)


def test_tls_documents_go_with_the_days_of_documents(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(loader(target), tls(), xml())
    with target.writing() as connection:
        pruned = retention.prune(connection, RetentionSettings(documents_days=1), NOW)
    assert (pruned.documents, one(target, "SELECT count(*) FROM raw_document")) == (2, 0)
    assert one(target, REPORTS) == (1, 1, 0, 0)


# -- days, retries, reads --------------------------------------------------------------------------


def test_a_bounce_from_the_future_counts_on_the_day_it_was_received(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    raw = case("dsn/001").replace(b"20 Nov 2026 10:00:05", b"20 Nov 2036 10:00:05")
    received = datetime(2026, 11, 21, 1, tzinfo=UTC)
    load(ListInput([[Message(raw, "a", len(raw), received)]]), loader(target))
    assert one(target, "SELECT day FROM delivery_status") == date(2026, 11, 21)


def test_a_refused_tls_report_is_stored_by_a_retry_once_it_can_be(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    limits = replace(loader(target).limits, document_bytes=10)
    assert load(ListInput([[message(gzip.compress(tls()))]]), replace(loader(target), limits=limits)).quarantined == 1
    assert retry(loader(target), [1]).loaded.tls_reports == 1
    assert one(target, "SELECT count(*) FROM quarantine") == 0


def test_reads_answer_by_domain_and_day(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(
        loader(target), tls(), tls(domain="example.org", report_id="t2"), *BOTH, case("dsn/003"), case("failure/013")
    )
    scope = Scope(("example.com",), date(2026, 11, 1), date(2026, 11, 30))
    with target.reading() as connection:
        days = reads_mail.tls_days(connection, scope)
        failures = reads_mail.tls_failures(connection, scope)
        sources = reads_mail.failure_sources(connection, scope)
        complaints = reads_mail.failures(connection, scope, complaints=True)
        deliveries = reads_mail.deliveries(connection, scope)
        by_day = reads_mail.delivery_days(connection, scope)
        statuses = reads_mail.delivery_statuses(connection, scope, limit=1)
        policies = reads_mail.tls_policies(connection, Scope())
        known = {kind: reads_mail.last_days(connection, kind) for kind in reads_mail.KINDS}
        nothing = reads_mail.deliveries(connection, Scope(("';--",)))
    assert days.rows() == [("example.com", date(2026, 11, 20), 100, 3, 1)]
    assert failures.select("result_type", "receiving_mx_hostname", "failed_sessions").rows() == [
        ("certificate-expired", "mx1", 3)
    ]
    assert sources.select("source_ip", "incidents", "dkim_result").rows() == [("203.0.113.7", 1, "fail")]
    assert complaints["feedback_type"].to_list() == ["abuse"]
    assert deliveries.select("code", "recipient_domain", "recipients").sort("code").rows() == [
        ("5.1.1", "shop.example.org", 1),
        ("5.7.26", "shop.example.org", 1),
    ]
    assert by_day.select("code_class", "recipients", "notices").rows() == [("permanent", 2, 2)]
    assert statuses.height == 1
    assert policies["domain"].to_list() == ["example.com", "example.org"]
    assert known["tls"] == {"example.com": date(2026, 11, 20), "example.org": date(2026, 11, 20)}
    assert set(known["bounces"]) == set(known["failures"]) == {"example.com"}
    assert nothing.is_empty()
