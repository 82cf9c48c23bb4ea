"""`whosends selectors`: what programs rely on, and what the demonstration's events look like in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import exitcodes
from tests.app.conftest import Whosends

FIELDS = {
    "domain", "signing_domain", "selector", "own", "states", "messages", "passed", "keyless", "first_seen", "last_seen",
    "last_passed", "failing_since", "removable_since", "rhythm", "service", "published", "uses",
}  # fmt: skip


def test_the_demonstrations_keys(whosends: Whosends, sample: Path) -> None:
    ran = whosends("selectors", "-d", "northlight.example", "--warehouse", sample, "--json")
    assert ran.code == exitcodes.OK
    assert all(set(one) == FIELDS for one in ran.document["selectors"])
    found = {one["selector"]: one for one in ran.document["selectors"]}
    assert (found["mailjet"]["states"], found["mailjet"]["failing_since"]) == (["ghost"], "2026-10-08")
    assert found["selector1"]["states"] == ["unused"]
    assert [(turn["selector"], turn["rotated"]) for turn in ran.document["rotations"]] == [
        ("mailjet", False),
        ("selector2", True),
    ]
    assert ran.document["published"] == "unknown: DNS was not asked"


def test_one_state_and_what_is_declared(whosends: Whosends, sample: Path) -> None:
    Path("s.toml").write_text(
        '[[source]]\ndomain = "northlight.example"\nverdict = "approved"\n'
        'match = { selector = "s9", signing_domain = "northlight.example" }\n',
        "utf-8",
    )
    ran = whosends("selectors", "--state", "orphan", "--declared", "s.toml", "--warehouse", sample)
    assert (ran.code, "s9" in ran.out, len(ran.out.splitlines())) == (exitcodes.OK, True, 2)


def test_no_reports_of_these_days_is_unknown(whosends: Whosends, home: Path, month: Path) -> None:
    assert whosends("selectors", "--warehouse", home / "none.duckdb").code == exitcodes.USAGE
    assert whosends("selectors", "--until", "2001-01-01", "--warehouse", month).code == exitcodes.UNKNOWN


@pytest.mark.parametrize("others", [False, True])
def test_foreign_keys_are_asked_for(whosends: Whosends, sample: Path, others: bool) -> None:
    ran = whosends("selectors", "--warehouse", sample, "--json", *(["--others"] if others else []))
    assert others or all(one["own"] for one in ran.document["selectors"])
