"""changes and drift: the sample's events, a domain's change in parts, and an earlier day's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.news import KINDS
from tests.app.conftest import Whosends


def test_the_samples_events_are_told(whosends: Whosends, sample: Path) -> None:
    ran = whosends("changes", "--warehouse", sample, "--json")
    told = {
        (one["kind"], one["as_domain"] or one["reporter"] or one["subject"]): one for one in ran.document["changes"]
    }
    assert ran.code == 1
    assert told[("new_source", "sendinblue.com")]["started_on"] == "2026-11-04"
    assert told[("reporter_gap", "gmx.net")]["started_on"] == "2026-10-20"
    assert told[("policy_change", "p: none → quarantine")]["started_on"] == "2026-09-21"
    (wave,) = [one for one in ran.document["changes"] if one["kind"] == "spoofing"]
    assert (wave["started_on"], wave["ended_on"]) == ("2026-10-27", "2026-10-31")
    assert {kind for kind, _ in told} <= set(KINDS)
    one = whosends("changes", "--warehouse", sample, "--kind", "spoofing", "--since", "2026-11-10")
    assert one.code == 0
    assert "Nothing of that kind changed" in one.err


def test_a_domains_change_is_the_sum_of_its_parts(whosends: Whosends, sample: Path) -> None:
    (part,) = whosends("drift", "--warehouse", sample, "--json").document["decompositions"]
    assert sum(one["points"] for one in part["effects"]) == pytest.approx(part["points"])
    assert part["effects"][0]["points"] < 0
    assert part["sentence"].startswith("\N{MINUS SIGN}")
    assert "Mailjet lost DKIM" in part["sentence"]
    assert part["sentence"] in whosends("drift", "--warehouse", sample).out


def test_what_was_known_on_a_day_can_be_asked_again(whosends: Whosends, sample: Path) -> None:
    now = whosends("drift", "--warehouse", sample, "--json").document["drifts"]
    then = whosends("drift", "--warehouse", sample, "--json", "--known-at", "2999-01-01").document["drifts"]
    assert [(one["source_key"], one["started_on"]) for one in now] == [(o["source_key"], o["started_on"]) for o in then]
    assert whosends("drift", "--warehouse", sample, "--known-at", "2020-01-01").code == 3
    assert whosends("drift", "--warehouse", sample, "--known-at", "soon").code == 2
