"""The next record: one small step, nothing lost, and none where the way is at its end."""

from __future__ import annotations

import pytest

from analysis.candidate import parse
from analysis.next_record import next_record
from analysis.policy import Published


@pytest.mark.parametrize(
    ("now", "target", "next_one"),
    [
        ("p=none", "reject", "p=quarantine; t=y"),
        ("p=quarantine; t=y", "reject", "p=quarantine"),
        ("p=quarantine", "reject", "p=reject; t=y"),
        ("p=reject; t=y", "reject", "p=reject"),
        ("p=quarantine; sp=none", "reject", "p=reject; t=y"),
        ("p=reject; sp=quarantine", "reject", "p=reject"),
        ("p=none; rua=mailto:a@b.example; ruf=mailto:c@b.example", "quarantine",
         "p=quarantine; t=y; rua=mailto:a@b.example; ruf=mailto:c@b.example"),
    ],
)  # fmt: skip
def test_each_step(now: str, target: str, next_one: str) -> None:
    step = next_record(Published(), target, parse(now))
    assert step is not None
    assert step.record == f"v=DMARC1; {next_one}"


@pytest.mark.parametrize(
    ("now", "target"), [("p=quarantine", "quarantine"), ("p=reject", "reject"), ("p=reject", "quarantine")]
)
def test_the_end_of_the_way(now: str, target: str) -> None:
    assert next_record(Published(), target, parse(now)) is None


def test_from_reports_alone_only_the_change_is_said() -> None:
    step = next_record(Published("quarantine", "none", pct=50), "reject")
    assert step is not None
    assert (step.changes, step.record, step.drop) == ("p=reject; t=y", None, ("sp", "pct"))
    assert "RFC 7489" in step.why
