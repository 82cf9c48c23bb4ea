"""`whosends readiness --dns`: the record as it stands, and where its reports may go, from a real name server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Whosends
from tests.servers.nsd import Nsd

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def nsd() -> Iterator[Nsd]:
    record = '_dmarc TXT "v=DMARC1; p=none; rua=mailto:d@example.com,mailto:x@{}; fo=1; pct=50"\n'
    server = Nsd(
        {"example.com": record.format("agency.test"), "agency.test": "example.com._report._dmarc A 192.0.2.1\n"}
    )
    server.start()
    yield server
    server.remove()


@pytest.fixture
def config(nsd: Nsd, home: Path) -> Path:
    path = home / "dns.toml"
    path.write_text(f'[resolver]\nnameservers = ["127.0.0.1"]\nport = {nsd.port}\n')
    return path


def test_the_record_that_stands_is_kept_and_a_destination_that_says_nothing_stops(
    whosends: Whosends, month: Path, config: Path, nsd: Nsd
) -> None:
    words = ("readiness", "example.com", "--target", "quarantine", "--warehouse", month, "--config", config, "--json")
    guessed = whosends(*words)
    assert (guessed.code, guessed.document["dns"]) == (0, None)
    looked = whosends(*words, "--dns")
    [gate] = [one for one in looked.document["gates"] if one["id"] == "authorised"]
    assert (looked.code, gate["state"], looked.document["next"]) == (1, "stop", None)
    assert 'example.com._report._dmarc.agency.test: "v=DMARC1"' in gate["fix"]
    assert looked.document["dns"]["destinations"][0]["takes"] is False


def test_what_dns_said_counts_without_it_too_and_says_from_when(
    whosends: Whosends, month: Path, config: Path, nsd: Nsd
) -> None:
    words = ("readiness", "example.com", "--target", "quarantine", "--warehouse", month, "--config", config)
    assert "By evidence, not by DNS" in whosends(*words).out
    looked = whosends(*words, "--json", "--dns").document
    kept = whosends(*words, "--json").document
    assert (kept["dns"], kept["dns_seen_at"]) == (looked["dns"], looked["dns_seen_at"])
    [gate] = [one for one in kept["gates"] if one["id"] == "authorised"]
    assert (gate["state"], kept["verdict"]) == ("stop", "stop")
    assert "DNS said so on" in gate["evidence"]
    # Nobody answers for com here: what the tree says is not known, and the text says so.
    assert kept["ledger"]["two_rules"]["unknown"] == kept["ledger"]["two_rules"]["walked"] > 0
    shown = whosends(*words, "--offline").out
    assert "DNS was not asked or did not answer: there the list counts" in shown
    assert "not known from DNS" in shown
    nsd.stop()
    try:
        again = whosends(*words, "--dns")
    finally:
        nsd.restart()
    assert "DNS did not answer" in again.err  # for com, again; the rest is fresh
    assert "does not say that it takes reports" in again.out


def test_what_is_published_next_keeps_its_addresses(whosends: Whosends, month: Path, home: Path) -> None:
    server = Nsd({"example.com": '_dmarc TXT "v=DMARC1; p=none; rua=mailto:d@example.com; fo=1; pct=50"\n'})
    server.start()
    try:
        file = home / "own.toml"
        file.write_text(f'[resolver]\nnameservers = ["127.0.0.1"]\nport = {server.port}\n')
        ran = whosends(
            "readiness", "example.com", "--target", "reject", "--warehouse", month, "--config", file, "--json", "--dns"
        )
    finally:
        server.remove()
    assert ran.document["next"]["record"] == "v=DMARC1; p=quarantine; t=y; rua=mailto:d@example.com; fo=1"
    assert (
        "--offline forbids it" in whosends("readiness", "example.com", "--dns", "--offline", "--warehouse", month).err
    )


def test_what_stops_it_has_the_domains_owner_where_nobody_is_nearer(
    whosends: Whosends, month: Path, home: Path
) -> None:
    file = home / "owned.toml"
    file.write_text('[[domain]]\nname = "example.com"\nowner = "Ada"\n[readiness]\nenough_reporters = 99\n')
    ran = whosends("readiness", "example.com", "--warehouse", month, "--config", file, "--json")
    owners = {gate["owner"] for gate in ran.document["gates"] if gate["state"] != "pass"}
    assert owners == {"Ada"}
    assert not any(gate["owner"] for gate in ran.document["gates"] if gate["state"] == "pass")
