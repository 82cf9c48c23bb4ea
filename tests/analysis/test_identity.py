"""Whose address is it? Rules about networks and reverse names, and one promise: never two operators."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.bonds import Bond
from analysis.identity import Identifier
from ingest.network import NetworkDatabase, ServiceMap
from tests.analysis.world import Networks, services
from warehouse.address import Address

ASKED = datetime(2026, 11, 22, 3, 0)  # noqa: DTZ001 - as the warehouse keeps instants
INSTALLED = Identifier(NetworkDatabase(), ServiceMap())


class Name(NamedTuple):
    ptr: str | None
    confirmed: bool | None = True
    asked_at: datetime = ASKED


@pytest.fixture
def identifier(tmp_path: Path) -> Identifier:
    return Identifier(Networks(), services(tmp_path))


def of(identifier: Identifier, ip: str, name: Name | None = None) -> Address:
    [address] = identifier.identify([ip], {ip: name} if name else {})
    return address


def test_an_operator_that_sends_names_the_source(identifier: Identifier) -> None:
    address = of(identifier, "192.0.2.7")
    assert address[:4] == ("192.0.2.7", "as:mailer.test", "Mailer", "Marketing")
    assert (address.as_name, address.as_domain) == ("Mailer Inc.", "mailer.test")


@pytest.mark.parametrize(("ip", "key"), [("198.51.100.9", "net:198.51.100.0/24"), ("198.18.3.9", "net:198.18.3.0/24")])
def test_a_hoster_or_access_provider_never_does(identifier: Identifier, ip: str, key: str) -> None:
    address = of(identifier, ip)
    assert (address.source_key, address.service) == (key, None)
    assert address.service_type in {"Web Host", "ISP"}


@pytest.mark.parametrize(
    ("ip", "key"),
    [
        ("198.51.200.9", "net:198.51.200.0/24"),
        ("10.1.2.3", "net:10.1.2.0/24"),
        ("2001:db8:1:2:3::4", "net:2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "as:mailer.test"),
        ("fe80::1%eth0", "net:fe80::/64"),
        ("no address", "net:invalid"),
        ("", "net:invalid"),
    ],
)
def test_an_unknown_network_stands_for_itself(identifier: Identifier, ip: str, key: str) -> None:
    address = of(identifier, ip)
    assert (address.source_ip, address.source_key) == (ip, key)


def test_a_confirmed_reverse_name_names_a_tenant(identifier: Identifier) -> None:
    address = of(identifier, "198.51.100.9", Name("mx1.mail.tenant.co.uk"))
    assert address.source_key == "ptr:tenant.co.uk@rent.test"
    assert (address.ptr, address.ptr_confirmed, address.ptr_at) == ("mx1.mail.tenant.co.uk", True, ASKED)


def test_a_tenant_that_the_map_knows_has_its_name_and_type(identifier: Identifier) -> None:
    address = of(identifier, "198.51.100.9", Name("out.crm.test"))
    assert address[1:4] == ("ptr:crm.test@rent.test", "CRM", "SaaS")


@pytest.mark.parametrize(
    "name",
    [
        Name("mx.tenant.test", confirmed=False),
        Name(None, confirmed=None),
        Name("static-198-51-100-9.tenant.test"),
        Name("9.100.51.198.tenant.test"),
        Name("ip-198051100009.tenant.test"),
        Name("host-c6336409.tenant.test"),
        Name("vps77.rent.test"),
        Name("line7.access.test"),
        Name("mx"),
        Name("evil name.tenant.test"),
        Name("<b>.tenant.test"),
        Name("x." * 120 + "test"),
    ],
)
def test_a_reverse_name_that_proves_nothing_is_kept_but_names_nobody(identifier: Identifier, name: Name) -> None:
    address = of(identifier, "198.51.100.9", name)
    assert address.source_key == "net:198.51.100.0/24"
    assert address.ptr == name.ptr


def test_a_reverse_name_does_not_take_an_address_from_the_operator_that_sends(identifier: Identifier) -> None:
    assert of(identifier, "192.0.2.7", Name("o1.mail.customer.test")).source_key == "as:mailer.test"


@pytest.mark.parametrize(
    ("ip", "name", "key", "type_"),
    [
        ("233.252.0.7", None, "as:school.test", "Education"),
        ("233.252.0.7", Name("mx.school.test"), "as:school.test", "Education"),
        ("233.252.0.7", Name("mx.other.test"), "ptr:other.test@school.test", "Education"),
        ("233.252.0.7", Name("out.crm.test"), "ptr:crm.test@school.test", "SaaS"),
        ("233.252.0.7", Name("mx.other.test", confirmed=False), "as:school.test", "Education"),
        ("233.252.0.7", Name("vps7.rent.test"), "as:school.test", "Education"),
    ],
)
def test_a_guest_in_a_network_that_others_share_is_told_from_its_operator(
    identifier: Identifier, ip: str, name: Name | None, key: str, type_: str
) -> None:
    address = of(identifier, ip, name)
    assert (address.source_key, address.service_type) == (key, type_)


def test_our_own_dns_tells_a_guest_from_an_operator_that_sends(identifier: Identifier) -> None:
    for by, key in (("path", "ptr:invoices.test@mailer.test"), ("key", "as:mailer.test")):
        [address] = identifier.identify(["192.0.2.7"], None, {"192.0.2.7": Bond(by, None, "invoices.test")})
        assert (address.source_key, address.bound_by) == (key, "path" if by == "path" else None)


@pytest.mark.parametrize(
    ("ip", "key", "service"),
    [
        ("40.107.20.41", "as:microsoft.com", "Microsoft 365"),
        ("2a01:111:f403:c200::1", "as:microsoft.com", "Microsoft 365"),
        ("20.50.2.1", "net:20.50.2.0/24", None),
        ("209.85.220.41", "as:google.com", "Google Workspace and Gmail"),
        ("34.118.1.1", "net:34.118.1.0/24", None),
        ("54.240.8.1", "as:amazon.com", "Amazon SES"),
        ("3.5.6.7", "net:3.5.6.0/24", None),
        ("167.89.23.14", "svc:sendgrid", "Twilio SendGrid"),
        ("198.2.130.14", "svc:mailchimp", "Mailchimp"),
        ("51.222.16.3", "net:51.222.16.0/24", None),
    ],
)
def test_the_installed_databases_tell_mail_services_from_rented_servers(ip: str, key: str, service: str | None) -> None:
    address = of(INSTALLED, ip)
    assert (address.source_key, address.service) == (key, service)


ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda n: str(IPv4Address(n))),
    st.integers(0x2000 << 112, (0x3000 << 112) - 1).map(lambda n: str(IPv6Address(n))),
)
NAMES = st.sampled_from(["mx.tenant.test", "a.b.example.net", "mail.sendgrid.net", "smtp.ovh.net"]).map(Name)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(ADDRESSES, st.none() | NAMES), min_size=1, max_size=50))
def test_only_a_service_of_the_catalogue_spans_operators(asked: list[tuple[str, Name | None]]) -> None:
    names = {ip: name for ip, name in asked if name}
    found = INSTALLED.identify([ip for ip, _ in asked], names)
    operators: dict[str, set[str | None]] = {}
    for address in found:
        operators.setdefault(address.source_key, set()).add(address.as_domain)
    assert [ip for ip, _ in asked] == [address.source_ip for address in found]
    assert all(len(domains) == 1 for key, domains in operators.items() if not key.startswith("svc:"))
    assert INSTALLED.identify([ip for ip, _ in asked], names) == found


@pytest.mark.parametrize(
    ("ip", "ptr", "key"),
    [
        # One service in two networks, its customer's name on an address of its own network, and a rented server
        # that calls itself a service: only a name that leads back says so.
        ("167.89.23.14", Name("o1.mail.customer.test"), "svc:sendgrid"),
        ("51.222.16.3", Name("o1.ptr1.sendgrid.net"), "svc:sendgrid"),
        ("51.222.16.3", Name("o1.ptr1.sendgrid.net", confirmed=False), "net:51.222.16.0/24"),
        ("82.165.3.4", Name("mout.kundenserver.de"), "svc:ionos"),
        ("95.216.3.4", Name("static.1.2.clients.your-server.de"), "net:95.216.3.0/24"),
        ("40.107.20.41", Name("mail.customer.test"), "as:microsoft.com"),
    ],
)
def test_a_service_is_one_source_wherever_it_sends_from(ip: str, ptr: Name, key: str) -> None:
    assert of(INSTALLED, ip, ptr).source_key == key
