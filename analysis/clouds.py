"""Operators that both send mail themselves and rent servers to everybody: which networks are which.

The mail networks are those that the operators publish in their own SPF records
(spf.protection.outlook.com, _spf.google.com, amazonses.com); all else in these operators' space is
somebody's server, whatever the operator is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network


@dataclass(frozen=True, slots=True)
class MailNetwork:
    """The networks from which an operator sends its customers' mail."""

    service: str
    service_type: str
    blocks: tuple[IPv4Network | IPv6Network, ...]


def _blocks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(block) for block in text.split())


# Operators whose mail networks have keys of their own → id in the catalogue.
OPERATED = {"as:google.com": "google-workspace", "as:microsoft.com": "microsoft-365", "as:amazon.com": "amazon-ses"}

# as_domain → its own mail service.
MAIL_NETWORKS: dict[str, tuple[MailNetwork, ...]] = {
    "microsoft.com": (
        MailNetwork(
            "Microsoft 365",
            "Email Provider",
            _blocks(
                "40.92.0.0/15 40.107.0.0/16 52.100.0.0/14 104.47.0.0/17 2a01:111:f400::/48 2a01:111:f403::/48"
                " 51.4.72.0/24 51.5.72.0/24 51.5.80.0/27 20.47.149.138/32 2a01:4180:4050:0800::/64"
            ),
        ),
    ),
    "google.com": (
        MailNetwork(
            "Google Workspace and Gmail",
            "Email Provider",
            _blocks(
                "35.190.247.0/24 64.233.160.0/19 66.102.0.0/20 66.249.80.0/20 72.14.192.0/18 74.125.0.0/16"
                " 108.177.8.0/21 108.177.96.0/19 172.217.0.0/16 172.253.0.0/16 173.194.0.0/16 209.85.128.0/17"
                " 216.58.192.0/19 216.239.32.0/19 35.191.0.0/16 130.211.0.0/22"
                " 2001:4860:4000::/36 2404:6800:4000::/36 2607:f8b0:4000::/36 2800:3f0:4000::/36"
                " 2a00:1450:4000::/36 2c0f:fb50:4000::/36"
            ),
        ),
    ),
    "amazon.com": (
        MailNetwork(
            "Amazon SES",
            "SaaS",
            _blocks(
                "199.255.192.0/22 199.127.232.0/22 54.240.0.0/18 54.240.64.0/19 69.169.224.0/20 23.249.208.0/20"
                " 23.251.224.0/19 76.223.128.0/19 76.223.176.0/20 206.55.144.0/20 216.221.160.0/19"
            ),
        ),
    ),
}

# Operators whose map entry names the company, though anybody can rent a server in their network.
RENTED_OUT = frozenset(
    {
        "microsoft.com", "google.com", "amazon.com", "oracle.com", "akamai.com", "alibabagroup.com", "alibaba.com",
        "alibabacloud.com", "tencent.com", "huawei.com", "ibm.com",
    }
)  # fmt: skip
