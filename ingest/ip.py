"""The text of an IP address: read once here, the commonest form without `ipaddress`, which takes five times as long."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import AF_INET, inet_pton


def is_ipv4(text: str) -> bool:
    """Whether a text is four decimals without leading zeros, and so in its plain form already."""
    try:
        inet_pton(AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, an IPv4-mapped one as IPv4; None where it is none."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
