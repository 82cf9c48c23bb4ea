"""Addresses that the DNS of our own domains binds to a service, and those that it does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
import pytest

from analysis.bonds import Bond, Passing, bonds
from analysis.identity import Identifier
from analysis.pointers import Pointers
from analysis.regrouping import Known
from ingest.catalogue.catalogue import catalogue
from ingest.ip import parsed
from ingest.network import NetworkDatabase, ServiceMap
from warehouse.dns import KEPT

SENDGRID, INTERCOM = catalogue().get("sendgrid"), catalogue().get("intercom")
SES = "54.240.8.21"
AT = datetime(2026, 11, 22)  # noqa: DTZ001 - as the warehouse keeps instants
ORG = "ours.test"
RECORDS: dict[tuple[str, str], list[str]] = {
    (ORG, "TXT"): ["v=spf1 include:spf.ours.test include:mailgun.org -all"],
    ("spf.ours.test", "TXT"): ["v=spf1 include:sendgrid.net ip4:192.0.2.0/24 -all"],
    ("sendgrid.net", "TXT"): ["v=spf1 ip4:198.51.100.0/24 -all"],
    ("mailgun.org", "TXT"): ["v=spf1 ip4:198.51.100.128/25 include:unlisted.test -all"],
    ("unlisted.test", "TXT"): ["v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all"],
    ("s1._domainkey.ours.test", "CNAME"): ["inner._domainkey.ours.test."],
    ("inner._domainkey.ours.test", "CNAME"): ["S1.U1.sendgrid.net."],
    ("x1._domainkey.ours.test", "CNAME"): ["x1.keys.frobmail.test."],
    ("em.ours.test", "CNAME"): ["u1.wl.sendgrid.net."],
    ("ses.ours.test", "MX"): ["10 feedback-smtp.eu-west-1.amazonses.com."],
    ("two.ours.test", "MX"): ["10 mx.sendgrid.net.", "20 mx.elsewhere.test."],
    ("mailboxes.ours.test", "MX"): ["10 aspmx.l.google.com."],
    ("unlisted.ours.test", "MX"): ["10 mx.frobmail.test."],
    (ORG, "MX"): ["1 aspmx.l.google.com.", "5 alt1.aspmx.l.google.com.", "9 mx.ours.test."],
    ("gone.ours.test", "CNAME"): [],
}


def answers() -> pl.DataFrame:
    earlier = {("gone.ours.test", "CNAME"): ["u9.mailgun.org."]}
    rows = [(ORG, *name, records, AT, AT, earlier.get(name, records)) for name, records in RECORDS.items()]
    schema = [*KEPT.schema().names, "earlier"]
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture(scope="module")
def pointers() -> Pointers:
    return Pointers(answers(), catalogue(), lasting=True)


def service(pointers: Pointers, path: str) -> str | None:
    found = pointers.path(path)
    return found.service.id if found and found.service else None


def test_a_name_leads_to_a_service_through_aliases_of_ones_own(pointers: Pointers) -> None:
    found = pointers.key("S1", "ours.test")
    assert found
    assert found.service
    assert (found.service.id, found.organization) == ("sendgrid", "sendgrid.net")
    assert service(pointers, "em.ours.test") == "sendgrid"
    assert service(pointers, "ses.ours.test") == "amazon-ses"
    assert pointers.path("two.ours.test") is None
    # Where mailboxes are is not who sends.
    assert pointers.path("mailboxes.ours.test") is None
    assert pointers.path("unlisted.ours.test") is None
    assert pointers.path("unasked.ours.test") is None
    assert pointers.key("x1", "ours.test") == (None, "frobmail.test")


def test_what_was_taken_out_counts_for_whose_mail_it_was_and_not_for_what_is_set_up(pointers: Pointers) -> None:
    assert service(pointers, "gone.ours.test") == "mailgun"
    assert service(Pointers(answers(), catalogue(), lasting=False), "gone.ours.test") is None


def test_what_a_domain_names(pointers: Pointers) -> None:
    assert pointers.named(ORG) == {"sendgrid", "mailgun", "amazon-ses", "google-workspace"}
    assert pointers.named("theirs.test") == frozenset()


@pytest.mark.parametrize(
    ("ip", "found"),
    [
        ("198.51.100.7", "sendgrid"),
        ("198.51.100.200", "mailgun"),  # the more exact of two
        ("203.0.113.9", "mailgun"),  # through a record of somebody whom no catalogue lists
        ("2001:db8::5", "mailgun"),
        ("192.0.2.9", None),  # our own network is no service
        ("10.0.0.1", None),
    ],
)
def test_an_include_covers_addresses(pointers: Pointers, ip: str, found: str | None) -> None:
    address = parsed(ip)
    assert address
    covering = pointers.covering(address)
    assert (covering.id if covering else None) == found


def passing(
    paths: list[tuple[str, str, int]],
    keys: list[tuple[str, str, str, str, int]],
    homes: list[tuple[str, str, str, int]],
) -> Passing:
    def frame(rows: Sequence[tuple[object, ...]], *names: str) -> pl.DataFrame:
        return pl.DataFrame(rows, dict.fromkeys(names, pl.String) | {"messages": pl.Int64}, orient="row")

    return Passing(
        frame(paths, "source_ip", "spf_domain"),
        frame(keys, "source_ip", "source_key", "signing_domain", "selector"),
        frame(homes, "signing_domain", "selector", "source_key"),
    )


IPS = tuple(f"10.0.0.{number}" for number in range(1, 10))


def test_mail_that_passes_binds_its_address(pointers: Pointers) -> None:
    home = [("ours.test", "s1", "net:home", 90), ("ours.test", "s1", "net:away", 10)]
    keys = [
        ("10.0.0.5", "net:home", "ours.test", "s1", 9),
        ("10.0.0.6", "net:away", "ours.test", "s1", 9),
        ("10.0.0.7", "net:home", "ours.test", "s1", 9),
    ]
    paths = [
        ("10.0.0.1", "em.ours.test", 9),
        ("10.0.0.2", "em.ours.test", 2),
        ("10.0.0.3", "em.ours.test", 4),
        ("10.0.0.3", "bounces.elsewhere.test", 5),
        ("10.0.0.4", "u1.bounces.sendgrid.net", 9),
        ("10.0.0.7", "srs.elsewhere.test", 9),
    ]
    found = bonds(IPS, pointers, passing(paths, keys, home), catalogue())
    assert found == {
        "10.0.0.1": Bond("path", SENDGRID, "sendgrid.net"),
        "10.0.0.4": Bond("bounce", SENDGRID),
        "10.0.0.5": Bond("key", SENDGRID, "sendgrid.net"),
    }


def bound(pointers: Pointers, mail: Passing) -> dict[str, tuple[str, str | None, str | None]]:
    """By what each address is bound, to whom, and who carries that."""
    found = bonds(IPS, pointers, mail, catalogue())
    return {ip: (one.by, one.service and one.service.id, one.carrier and one.carrier.id) for ip, one in found.items()}


def test_a_services_own_signature_binds_where_it_is_at_home(pointers: Pointers) -> None:
    home = [("acems7.com", "dk", "net:home", 90), ("acems7.com", "dk", "net:away", 10)]
    keys = [
        ("10.0.0.1", "net:home", "acems7.com", "dk", 9),
        ("10.0.0.2", "net:away", "acems7.com", "dk", 9),
        ("10.0.0.3", "net:home", "acems7.com", "dk", 9),
        ("10.0.0.4", "net:home", "x-com.20230601.gappssmtp.com", "20230601", 9),  # mailboxes pass on as well
    ]
    homes = [*home, ("x-com.20230601.gappssmtp.com", "20230601", "net:home", 9)]
    found = bound(pointers, passing([("10.0.0.3", "fwd.elsewhere.test", 9)], keys, homes))
    assert found == {"10.0.0.1": ("signature", "activecampaign", None)}


def test_who_sends_through_a_carrier_is_whom_nearly_all_mail_leads_to(pointers: Pointers) -> None:
    paths = [
        ("10.0.0.1", "bounces.sendgrid.net", 20),
        ("10.0.0.2", "bounces.sendgrid.net", 20),
        ("10.0.0.3", "bounces.sendgrid.net", 20),
        ("198.51.100.7", "outbound.intercom.io", 19),
        ("198.51.100.7", "em.ours.test", 1),
    ]
    carried = ("sendgrid.info", "smtpapi", 20)  # signed by the carrier too: that tells of nobody
    keys = [
        *((ip, "svc:sendgrid", *carried) for ip in IPS[:3]),
        ("10.0.0.1", "svc:sendgrid", "acems7.com", "dk", 19),
        ("10.0.0.1", "svc:sendgrid", "others.test", "x", 1),
        ("10.0.0.2", "svc:sendgrid", "acems7.com", "dk", 12),
        ("10.0.0.2", "svc:sendgrid", "others.test", "x", 8),
    ]
    homes = [("acems7.com", "dk", "svc:sendgrid", 31), ("sendgrid.info", "smtpapi", "svc:sendgrid", 60)]
    mail = passing(paths, keys, homes)
    assert bound(pointers, mail) == {
        "10.0.0.1": ("signature", "activecampaign", "sendgrid"),
        "10.0.0.2": ("bounce", "sendgrid", None),
        "10.0.0.3": ("bounce", "sendgrid", None),
    }
    # What our SPF record includes the carrier for, it may send for somebody else.
    found = bonds(["198.51.100.7"], pointers, mail, catalogue())["198.51.100.7"]
    assert (found.by, found.service, found.carrier) == ("bounce", INTERCOM, SENDGRID)


@pytest.mark.parametrize(
    ("ptr", "bond", "named"),
    [
        ("a1.intercom-mail.com", None, ("svc:intercom", None, "Amazon SES")),
        ("a1.eu-west-1.amazonses.com", None, ("as:amazon.com", None, None)),
        ("mail.ours.test", None, ("as:amazon.com", None, None)),
        ("mail.ours.test", Bond("path", INTERCOM), ("svc:intercom", "path", "Amazon SES")),
        ("mail.ours.test", Bond("path", INTERCOM, share=0.6), ("as:amazon.com", None, None)),
        ("mail.ours.test", Bond("path", SENDGRID), ("as:amazon.com", None, None)),
        ("mail.ours.test", Bond("include", SENDGRID), ("as:amazon.com", None, None)),
        ("o1.sendgrid.net", Bond("key", INTERCOM), ("svc:intercom", "key", "Amazon SES")),
    ],
)
def test_a_service_is_named_on_the_machines_of_its_carrier(
    ptr: str, bond: Bond | None, named: tuple[str, str | None, str | None]
) -> None:
    name = Known(ptr, True, AT)
    [address] = Identifier(NetworkDatabase(), ServiceMap()).identify([SES], {SES: name}, {SES: bond} if bond else {})
    assert (address.source_key, address.bound_by, address.carrier) == named
    [alone] = Identifier(NetworkDatabase(), ServiceMap()).identify([SES])
    assert (alone.source_key, alone.service, alone.carrier) == ("as:amazon.com", "Amazon SES", None)


def test_the_carrier_is_told_where_our_record_alone_knows_it() -> None:
    bond = Bond("path", INTERCOM, carrier=SENDGRID)
    [address] = Identifier(NetworkDatabase(), ServiceMap()).identify(["95.216.3.4"], {}, {"95.216.3.4": bond})
    assert (address.source_key, address.carrier) == ("svc:intercom", "Twilio SendGrid")


HOSTED: dict[tuple[str, str], list[str]] = {
    ("hosted.test", "TXT"): [
        "v=spf1 mx a:smtp.sendgrid.net a:shared.test a:web.hosted.test/29 include:in.hosted.test -all"
    ],
    ("hosted.test", "MX"): ["10 mx.hosted.test."],
    ("mx.hosted.test", "A"): ["95.216.3.4"],
    ("mx.hosted.test", "AAAA"): ["2a01:4f8::5"],
    ("web.hosted.test", "A"): ["95.216.3.20"],
    ("smtp.sendgrid.net", "A"): ["198.51.100.80"],
    ("shared.test", "A"): ["198.51.100.81"],
    ("in.hosted.test", "TXT"): ["v=spf1 a -all"],
    ("in.hosted.test", "A"): ["95.216.9.9"],
}


@pytest.fixture(scope="module")
def hosted() -> Pointers:
    rows = [("hosted.test", *name, records, AT, AT, records) for name, records in HOSTED.items()]
    return Pointers(
        pl.DataFrame(rows, schema=[*KEPT.schema().names, "earlier"], orient="row"), catalogue(), lasting=True
    )


def test_hosts_of_our_own_that_the_record_names_are_ours_and_their_neighbours_are_not(hosted: Pointers) -> None:
    assert hosted.own_hosts == {"hosted.test": {"95.216.3.4", "2a01:4f8::5", "95.216.9.9"}}
    ips = ["95.216.3.4", "95.216.3.5", "95.216.3.20", "198.51.100.80", "198.51.100.81", "::ffff:95.216.3.4"]
    found = bonds(ips, hosted, passing([], [], []), catalogue())
    assert found == {
        "95.216.3.4": Bond("host", None, "hosted.test"),
        "::ffff:95.216.3.4": Bond("host", None, "hosted.test"),
        "198.51.100.80": Bond("include", SENDGRID),
    }
    [address] = Identifier(NetworkDatabase(), ServiceMap()).identify(["95.216.3.4"], {}, found)
    assert (address.source_key, address.bound_by) == ("ptr:hosted.test@hetzner.de", "host")


def test_a_host_that_two_domains_name_is_neithers() -> None:
    rows = [
        (domain, name, rdtype, records, AT, AT, records)
        for domain in ("one.test", "two.test")
        for name, rdtype, records in (
            (domain, "TXT", [f"v=spf1 a:mx.{domain} -all"]), (f"mx.{domain}", "A", ["95.216.3.4"])
        )
    ]  # fmt: skip
    two = Pointers(
        pl.DataFrame(rows, schema=[*KEPT.schema().names, "earlier"], orient="row"), catalogue(), lasting=True
    )
    assert two.own_hosts == {"one.test": {"95.216.3.4"}, "two.test": {"95.216.3.4"}}
    assert bonds(["95.216.3.4"], two, passing([], [], []), catalogue()) == {}


@pytest.mark.parametrize(
    ("ip", "bond", "key", "by"),
    [
        # A rented server that passes for our return path is the service; a signature alone does not outdo an operator.
        ("95.216.3.4", Bond("path", catalogue().get("sendgrid"), ""), "svc:sendgrid", "path"),
        ("95.216.3.4", Bond("key", catalogue().get("sendgrid"), ""), "svc:sendgrid", "key"),
        ("95.216.3.4", Bond("path", None, "frobmail.test"), "ptr:frobmail.test@hetzner.de", "path"),
        ("95.216.3.4", Bond("path", None, "hetzner.de"), "net:95.216.3.0/24", None),
        ("95.216.3.4", Bond("path", None, "<b>"), "net:95.216.3.0/24", None),
        ("167.89.23.14", Bond("path", catalogue().get("mailgun"), ""), "svc:sendgrid", None),
        ("167.89.23.14", Bond("include", catalogue().get("mailgun"), ""), "svc:mailgun", "include"),
        ("40.107.20.41", Bond("include", catalogue().get("mailgun"), ""), "as:microsoft.com", None),
        # The same service has one key, whether its network or our DNS shows it.
        ("95.216.3.4", Bond("include", catalogue().get("amazon-ses"), ""), "as:amazon.com", "include"),
    ],
)
def test_how_a_bond_names_a_source(ip: str, bond: Bond, key: str, by: str | None) -> None:
    [address] = Identifier(NetworkDatabase(), ServiceMap()).identify([ip], {}, {ip: bond})
    assert (address.source_key, address.bound_by) == (key, by)
