"""A grade only rises; a verified report wins over one in doubt; and the sums hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from ingest.attestation import NOT_CHECKED, Attestation, Doubt, Grade
from ingest.inputs.base import Message
from ingest.outcome import Duplicate, Outcome, Quarantined, Reason, Stored
from ingest.reading import Reading
from tests.warehouse.build import NOW, ListInput, identify, loader, message, one, row, warehouse, xml
from warehouse import journal, quarantine
from warehouse.connect import Warehouse
from warehouse.load import Loader, load
from warehouse.reparse import reparse
from warehouse.retention import prune
from warehouse.retry import retry
from warehouse.settings import RetentionSettings

VERIFIED = Attestation(Grade.VERIFIED, "reporter.test", "s1", "valid")
MISMATCH = Attestation(Grade.MISMATCH, "evil.test", "s1", "another domain's", Doubt.MISMATCH)
UNSIGNED = Attestation(Grade.UNVERIFIED, status="no signature", doubt=Doubt.UNVERIFIED)
NO_ANSWER = Attestation(Grade.UNVERIFIED, "reporter.test", "s1", "temperror", Doubt.UNPROVABLE)

GRADE = "SELECT attestation, attested_by, attestation_status, doubt FROM aggregate_report"
DOUBTS = """
    SELECT (SELECT sum(messages) FROM aggregate_record), (SELECT sum(messages) FROM daily),
           (SELECT sum(messages) FROM aggregate_record WHERE doubt <> ''),
           (SELECT coalesce(sum(messages), 0) FROM daily WHERE doubt <> '')
"""
FORGED, TRUE = xml(row(count=100_000, dkim="fail")), xml(row(count=7))


def arrive(target: Warehouse, *mails: tuple[bytes, Attestation]) -> list[Outcome]:
    """Let mails arrive in one batch, each with what is found of its signatures."""
    found = {raw: attestation for raw, attestation in mails}
    assert len(found) == len(mails)

    def attest(batch: Sequence[tuple[Message, Reading]], now: datetime) -> list[list[Attestation]]:
        assert now.tzinfo is None
        return [[found[message.raw]] * len(reading.reports) for message, reading in batch]

    plain = loader(target)
    source = ListInput([[message(raw) for raw, _ in mails]])
    load(source, Loader(plain.warehouse, plain.limits, plain.identify, plain.clock, attest=attest))
    return [outcome for _, outcome in source.told]


def test_what_is_found_is_stored_with_report_records_and_rollup(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    arrive(target, (xml(row(count=3), row("192.0.2.2", 4)), MISMATCH))
    assert one(target, GRADE) == ("mismatch", "evil.test", "another domain's", "mismatch")
    assert one(target, DOUBTS) == (7, 7, 7, 7)


def test_nothing_speaks_against_what_nobody_asked_about(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    load(ListInput([[message(xml())]]), loader(target))
    assert one(target, GRADE) == ("unattested", None, "not checked", "")
    assert one(target, DOUBTS) == (10, 10, None, 0)


@pytest.mark.parametrize("before", [NOT_CHECKED, UNSIGNED, MISMATCH, NO_ANSWER])
@pytest.mark.parametrize("together", [True, False])
def test_a_verified_resend_raises_the_grade(tmp_path: Path, before: Attestation, together: bool) -> None:
    target = warehouse(tmp_path)
    mails = [(TRUE, before), (b"\n" + TRUE, VERIFIED)]
    outcomes = arrive(target, *mails) if together else [*arrive(target, mails[0]), *arrive(target, mails[1])]
    assert list(map(type, outcomes)) == [Stored, Duplicate]
    assert one(target, GRADE) == ("verified", "reporter.test", "valid", "")
    assert one(target, "SELECT count(*) FROM aggregate_report") == 1
    assert one(target, DOUBTS) == (7, 7, None, 0)


@pytest.mark.parametrize("later", [NOT_CHECKED, UNSIGNED, MISMATCH, NO_ANSWER])
@pytest.mark.parametrize("first", [VERIFIED, NOT_CHECKED])
def test_no_resend_lowers_a_grade(tmp_path: Path, first: Attestation, later: Attestation) -> None:
    target = warehouse(tmp_path)
    arrive(target, (TRUE, first))
    arrive(target, (b"\n" + TRUE, later))
    assert one(target, "SELECT attestation, doubt FROM aggregate_report") == (first.grade, "")


def test_a_file_says_nothing_for_a_forged_mail(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    arrive(target, (TRUE, MISMATCH))
    arrive(target, (b"\n" + TRUE, NOT_CHECKED))
    assert one(target, "SELECT attestation FROM aggregate_report") == "mismatch"


@pytest.mark.parametrize("forged", [UNSIGNED, MISMATCH, NO_ANSWER])
@pytest.mark.parametrize("together", [True, False])
def test_a_verified_report_takes_the_place_of_a_forged_first_comer(
    tmp_path: Path, forged: Attestation, together: bool
) -> None:
    target = warehouse(tmp_path)
    mails = [(FORGED, forged), (TRUE, VERIFIED)]
    outcomes = arrive(target, *mails) if together else [*arrive(target, mails[0]), *arrive(target, mails[1])]
    assert outcomes == [Stored(1), Stored(0, 1)]
    assert one(target, GRADE) == ("verified", "reporter.test", "valid", "")
    assert one(target, DOUBTS) == (7, 7, None, 0)
    assert one(target, "SELECT messages FROM aggregate_report") == 7
    assert one(target, "SELECT count(*) FROM raw_document") == 1
    assert one(target, "SELECT count(*) FROM daily") == 1  # no row of nothing, which lists would show
    with target.reading() as connection:
        kept = quarantine.show(connection, 1)
        assert journal.verify(connection) is None
    assert kept
    assert (kept.reason, kept.message.raw) == (Reason.CONFLICT, FORGED)
    assert one(target, "SELECT action, subject, before->>'attestation', after->>'attested_by' FROM journal") == (
        "report.replace",
        "report 1",
        forged.grade,
        "reporter.test",
    )


def test_what_was_put_aside_does_not_come_back(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    arrive(target, (FORGED, UNSIGNED))
    arrive(target, (TRUE, VERIFIED))
    assert retry(loader(target), [1]).loaded.quarantined == 1
    assert one(target, DOUBTS) == (7, 7, None, 0)


def test_once_verified_no_other_content_wins(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    outcomes = arrive(
        target, (FORGED, UNSIGNED), (TRUE, VERIFIED), (xml(row(count=8)), VERIFIED), (b"\n" + FORGED, MISMATCH)
    )
    assert [type(outcome) for outcome in outcomes] == [Stored, Stored, Quarantined, Quarantined]
    assert one(target, DOUBTS) == (7, 7, None, 0)


def test_a_persons_own_file_is_not_replaced(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    arrive(target, (xml(row(count=9)), NOT_CHECKED))
    (outcome,) = arrive(target, (TRUE, VERIFIED))
    assert isinstance(outcome, Quarantined)
    assert one(target, DOUBTS) == (9, 9, None, 0)


def test_without_kept_documents_the_replacement_is_journalled_all_the_same(tmp_path: Path) -> None:
    target = warehouse(tmp_path, keep_documents=False)
    arrive(target, (FORGED, UNSIGNED))
    arrive(target, (TRUE, VERIFIED))
    assert one(target, "SELECT count(*) FROM journal") == 1
    assert one(target, DOUBTS) == (7, 7, None, 0)


def test_a_report_whose_records_are_gone_is_not_replaced(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    arrive(target, (FORGED, UNSIGNED))
    with target.writing() as connection:
        prune(connection, RetentionSettings(records_days=1), datetime(2027, 11, 1))  # noqa: DTZ001 - UTC
    (outcome,) = arrive(target, (TRUE, VERIFIED))
    assert isinstance(outcome, Quarantined)
    assert one(target, "SELECT sum(messages) FROM daily") == 100_000


@pytest.mark.parametrize(("before", "after"), [(UNSIGNED, UNSIGNED), (NOT_CHECKED, VERIFIED)])
def test_a_report_whose_records_are_gone_is_told_as_its_days_are_counted(
    tmp_path: Path, before: Attestation, after: Attestation
) -> None:
    target = warehouse(tmp_path)
    arrive(target, (TRUE, before))
    with target.writing() as connection:
        prune(connection, RetentionSettings(records_days=1), datetime(2027, 11, 1), sure=True)  # noqa: DTZ001 - UTC
    assert arrive(target, (b"\n" + TRUE, VERIFIED)) == [Duplicate(1)]
    assert one(target, "SELECT attestation, doubt FROM aggregate_report") == (after.grade, after.doubt)
    assert one(target, "SELECT doubt, sum(messages) FROM daily GROUP BY doubt") == (after.doubt, 7)


def test_parsing_again_keeps_what_the_mail_told(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    arrive(target, (TRUE, VERIFIED), (xml(row(count=5), report_id="r2"), MISMATCH))
    told = GRADE.replace("SELECT", "SELECT list((report_id,").replace(" FROM", ") ORDER BY report_id) FROM")
    before = one(target, told)
    assert reparse(target, identify, NOW, everything=True).reports == 2
    assert one(target, told) == before
    assert one(target, DOUBTS) == (12, 12, 5, 5)


@pytest.mark.parametrize("order", [sorted, lambda mails: sorted(mails, reverse=True)])
def test_however_they_arrive_the_end_is_the_same(tmp_path: Path, order: Callable[..., list[int]]) -> None:
    mails = [(FORGED, MISMATCH), (TRUE, VERIFIED), (b"\n" + TRUE, UNSIGNED), (b"\n" + FORGED, UNSIGNED)]
    target = warehouse(tmp_path)
    for at in order(range(len(mails))):
        arrive(target, mails[at])
    assert one(target, DOUBTS) == (7, 7, None, 0)
    assert one(target, "SELECT attestation FROM aggregate_report") == "verified"
