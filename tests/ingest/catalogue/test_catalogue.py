"""The doors: which service a trace leads to, and that no trace, however made, does harm."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.catalogue import Catalogue, catalogue
from ingest.catalogue.hosts import host_by_asn, host_by_ptr
from ingest.catalogue.selectors import compiled
from ingest.catalogue.service import Match


def found(match: Match | None) -> tuple[str, str, str] | None:
    return (match.service.id, match.field, match.mark) if match else None


@pytest.mark.parametrize(
    ("door", "trace", "expected"),
    [
        ("by_ptr", "o1.ptr1234.sendgrid.net", ("sendgrid", "ptr", "sendgrid.net")),
        ("by_ptr", "MAIL-eopbgr80.outbound.protection.OUTLOOK.com.", ("microsoft-365", "ptr", "outlook.com")),
        ("by_ptr", "notsendgrid.net", None),
        ("by_ptr", "sendgrid.net.example.com", None),
        ("by_ptr", "ec2-1-2-3-4.compute-1.amazonaws.com", None),
        ("by_ptr", "static.4.3.2.1.clients.your-server.de", None),
        ("by_ptr", "4.3.2.1.bc.googleusercontent.com", None),
        ("by_include", "_spf.google.com", ("google-workspace", "spf", "_spf.google.com")),
        ("by_include", "1234.spf04.hubspotemail.net", ("hubspot", "spf", "hubspotemail.net")),
        ("by_include", "google.com", None),
        ("by_bounce_domain", "eu-west-1.amazonses.com", ("amazon-ses", "bounce", "amazonses.com")),
        ("by_bounce_target", "feedback-smtp.us-east-1.amazonses.com", ("amazon-ses", "bounce_target", "amazonses.com")),
        ("by_bounce_target", "pm.mtasv.net", ("postmark", "bounce_target", "pm.mtasv.net")),
        ("by_dkim_target", "s1.domainkey.u1.wl2.sendgrid.net", ("sendgrid", "dkim_target", "sendgrid.net")),
        ("by_dkim_target", "dkim2.mcsv.net", ("mailchimp", "dkim_target", "mcsv.net")),
        ("by_signing_domain", "example-com.20230601.gappssmtp.com", ("google-workspace", "signs_as", "gappssmtp.com")),
        ("by_signing_domain", "example.com", None),
    ],
)
def test_a_trace_leads_to_its_service(door: str, trace: str, expected: tuple[str, str, str] | None) -> None:
    assert found(getattr(catalogue(), door)(trace)) == expected


def test_networks_lead_to_services_and_hosters_to_none() -> None:
    assert found(catalogue().by_asn(11377)) == ("sendgrid", "asn", "11377")
    assert catalogue().by_asn(None) is None
    for hoster in (16509, 8075, 24940):
        assert catalogue().by_asn(hoster) is None
        assert host_by_asn(hoster)
    assert host_by_ptr("static.4.3.2.1.clients.your-server.de") == host_by_asn(24940)
    assert host_by_asn(11377) is None
    assert host_by_ptr("o1.sendgrid.net") is None


def test_an_address_is_named_by_a_confirmed_reverse_name_before_its_network() -> None:
    by_address = catalogue().by_address
    assert found(by_address(16509, "o1.mail.klaviyomail.com", True)) == ("klaviyo", "ptr", "klaviyomail.com")
    # Whoever holds an address can point its reverse name anywhere; only the service can point back.
    assert by_address(16509, "o1.sendgrid.net", False) is None
    assert by_address(16509, "o1.sendgrid.net", None) is None
    assert found(by_address(11377, "mail.customer.example", True)) == ("sendgrid", "asn", "11377")
    assert by_address(None, None, None) is None


def selected(selector: str, domain: str = "") -> list[tuple[str, str]]:
    return [(match.service.id, match.field) for match in catalogue().by_selector(selector, domain)]


def test_selectors_are_hints_and_the_services_own_come_first() -> None:
    assert selected("scph0921") == [("sparkpost", "selectors")]
    assert selected("20180907203110PM") == [("postmark", "selectors")]
    assert selected("sz7kpr2ukt5d2qeaknyvsmbcmcwdpidk") == [("amazon-ses", "selectors")]
    assert ("mailchimp", "common_selectors") in selected("k1")
    assert ("mailgun", "common_selectors") in selected("k1")
    assert selected("scph") == selected("xscph1") == selected("nobodys-own") == []
    # A service's own signing domain leaves no doubt.
    assert selected("k1", "mcsv.net") == [("mailchimp", "common_selectors")]
    assert selected("scph0921", "mcsv.net") == []


def test_search_takes_names_and_traces() -> None:
    def ids(words: str) -> list[str]:
        return [one.id for one in catalogue().search(words)]

    assert ids("campaign monitor") == ["campaign-monitor"]
    assert ids("u1.wl.SENDGRID.net") == ["sendgrid"]
    assert "zoho-mail" in ids("zoho")
    assert ids("no such thing") == []


@given(st.text(max_size=300), st.text(max_size=80))
def test_no_text_does_harm(text: str, other: str) -> None:
    known = catalogue()
    for door in ("by_ptr", "by_include", "by_bounce_domain", "by_bounce_target", "by_dkim_target", "by_signing_domain"):
        getattr(known, door)(text)
    known.by_selector(text, other)
    known.search(text)
    host_by_ptr(text)


def test_a_name_of_any_length_costs_little_and_leads_nowhere() -> None:
    long = "a." * 500_000 + "sendgrid.net"
    assert catalogue().by_ptr(long) is None
    assert catalogue().by_selector("1" * 1_000_000 + "pm") == ()


def test_an_empty_catalogue_knows_nothing() -> None:
    assert Catalogue(()).by_ptr("sendgrid.net") is None
    assert Catalogue(()).by_selector("s1") == ()


@pytest.mark.parametrize("pattern", ["", "{x}", "S1", "a b", "{n", "-{n}", "^a$", "a{any}b{what}"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"selector|placeholder"):
        compiled(pattern)


def test_small_commands_do_not_read_the_catalogue() -> None:
    code = (
        "import sys; from app.cli import main; main(['--help']); "
        "from ingest.catalogue import catalogue; "
        "assert catalogue.catalogue.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
