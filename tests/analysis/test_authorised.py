"""The gate on where reports go, from what DNS says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from analysis.authorised import authorised, authorised_then
from ingest.probes.answer import Status
from ingest.probes.dmarc import Destination, DmarcObservation

GOOD = DmarcObservation(
    "example.com", Status.VALUE, "example.com", ("v=DMARC1; p=none; rua=mailto:d@agency.test",), ("agency.test",), 0,
    (Destination("agency.test", "example.com._report._dmarc.agency.test", takes=True),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "state", "said"),
    [
        (GOOD, "pass", "which say that they take them"),
        (replace(GOOD, destinations=(), hosts=("example.com",)), "pass", "all of your own organization"),
        (replace(GOOD, destinations=(replace(GOOD.destinations[0], takes=False),)), "stop", "does not say"),
        (replace(GOOD, destinations=(replace(GOOD.destinations[0], takes=None),)), "unknown", "gave no answer"),
        (replace(GOOD, hosts=(), destinations=()), "stop", "asks nobody"),
        (replace(GOOD, unread=2), "stop", "2 of the addresses"),
        (replace(GOOD, records=("v=DMARC1; p=none", "v=DMARC1; p=reject")), "stop", "receivers use none"),
        (DmarcObservation("example.com", Status.NXDOMAIN), "stop", "no DMARC record at _dmarc.example.com"),
        (DmarcObservation("example.com", Status.TIMEOUT), "unknown", "no answer for _dmarc.example.com (timeout)"),
    ],
)
def test_the_state_says_what_was_seen_and_what_to_do(seen: DmarcObservation, state: str, said: str) -> None:
    gate = authorised(seen)
    assert (gate.id, gate.state) == ("authorised", state)
    assert said in gate.evidence
    assert bool(gate.fix) is (state != "pass")


def test_a_missing_authorisation_names_the_record_to_publish() -> None:
    gate = authorised(replace(GOOD, destinations=(replace(GOOD.destinations[0], takes=False),)))
    assert 'example.com._report._dmarc.agency.test: "v=DMARC1"' in gate.fix
    assert gate.owner == "agency.test"


def test_what_dns_said_earlier_has_its_day_and_runs_out() -> None:
    kept = authorised_then(GOOD, date(2026, 11, 1), date(2026, 11, 22))
    assert kept is not None
    assert (kept.state, kept.evidence.endswith("DNS said so on 1 Nov 2026.")) == ("pass", True)
    assert authorised_then(GOOD, date(2026, 11, 1), date(2026, 12, 2)) is None
    assert (
        authorised_then(DmarcObservation("example.com", Status.TIMEOUT), date(2026, 11, 22), date(2026, 11, 22)) is None
    )
