"""Whose network an address is in, and which service a host name belongs to, from data that is installed.

Both tables come with parsedmarc and stay where it keeps them: the IP database by IPinfo and the map of
reverse DNS names are CC BY-SA 4.0. Where they are missing, everything here answers "unknown".
"""

from __future__ import annotations

import csv
import importlib.util
import ipaddress
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingest.ip import is_ipv4

if TYPE_CHECKING:
    import maxminddb

log = logging.getLogger(__name__)


class Network(NamedTuple):
    """The autonomous system that announces an address, and the country (ISO 3166-1 alpha-2) it is used in."""

    asn: int | None = None
    as_name: str = ""
    as_domain: str = ""
    country: str = ""


class Service(NamedTuple):
    """Who runs hosts under a domain, and what they are: `type` is the map's word (ISP, SaaS, Marketing…)."""

    name: str
    type: str


UNKNOWN = Network()


def resource(*parts: str) -> Path | None:
    """A file among parsedmarc's resources, or None. Its package is not imported: that takes a second."""
    spec = importlib.util.find_spec("parsedmarc")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, "resources", *parts)
        if path.is_file():
            return path
    return None


class NetworkDatabase:
    """Looks addresses up in an IPinfo Lite database; `path` None means the one that is installed.

    It is open only while it is asked (opening takes 0.1 ms): what was read of it would stay in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or resource("ipinfo", "ipinfo_lite.mmdb")

    @contextmanager
    def _open(self) -> Iterator[maxminddb.Reader | None]:
        # Not at the top: it brings multiprocessing along, and most of what imports this file looks nothing up.
        import maxminddb  # noqa: PLC0415

        if self._path is None:
            yield None
            return
        try:
            reader = maxminddb.open_database(self._path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as fault:
            log.warning("network.unreadable path=%s fault=%s", self._path, fault)
            yield None
            return
        with reader:
            yield reader

    @property
    def edition(self) -> str:
        """Which database it is; empty where there is none."""
        with self._open() as reader:
            return str(reader.metadata().build_epoch) if reader else ""

    def lookup(self, ips: Iterable[str]) -> Iterator[Network]:
        """The networks of addresses in text; UNKNOWN for private, reserved and unlisted ones, and for non-addresses."""
        with self._open() as reader:
            for ip in ips:
                yield self._look_up(reader, ip) if reader and _is_global(ip) else UNKNOWN

    def _look_up(self, reader: maxminddb.Reader, ip: str) -> Network:
        try:
            found = reader.get(ip)
        except (ValueError, RuntimeError) as fault:  # maxminddb.InvalidDatabaseError is a RuntimeError
            log.warning("network.unreadable path=%s fault=%s", self._path, fault)
            return UNKNOWN
        if not isinstance(found, dict):
            return UNKNOWN
        number = str(found.get("asn") or "").upper().removeprefix("AS")
        return Network(
            asn=int(number) if number.isascii() and number.isdigit() else None,
            as_name=str(found.get("as_name") or ""),
            as_domain=str(found.get("as_domain") or "").lower(),
            country=str(found.get("country_code") or ""),
        )


# The first octets under which some IPv4 addresses are nobody's (IANA's special-purpose registry).
_SPECIAL = frozenset(map(str, (0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256))))


def _is_global(ip: str) -> bool:
    """Whether a text is an address that somebody may announce."""
    if is_ipv4(ip) and ip.partition(".")[0] not in _SPECIAL:  # most are settled here
        return True
    try:
        return ipaddress.ip_address(ip).is_global
    except ValueError:
        return False


class ServiceMap:
    """Names the service behind a reverse DNS name; `path` None means the map that is installed."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or resource("maps", "base_reverse_dns_map.csv")

    @cached_property
    def _services(self) -> dict[str, Service]:
        if self._path is None:
            return {}
        try:
            with self._path.open(encoding="utf-8", newline="") as lines:
                return {
                    row["base_reverse_dns"].strip().lower(): Service(row["name"].strip(), row["type"].strip())
                    for row in csv.DictReader(lines)
                    if row.get("base_reverse_dns") and row.get("name") and row.get("type")
                }
        except (OSError, UnicodeDecodeError, csv.Error) as fault:
            log.warning("services.unreadable path=%s fault=%s", self._path, fault)
            return {}

    @property
    def edition(self) -> str:
        """Which map it is; empty where there is none."""
        try:
            return blake2b(self._path.read_bytes(), digest_size=8).hexdigest() if self._path else ""
        except OSError:
            return ""

    def lookup(self, name: str) -> Service | None:
        """The service of a host name or domain, by its longest listed suffix; None where none is listed."""
        rest = name.lower().rstrip(".")
        while rest:
            service = self._services.get(rest)
            if service is not None:
                return service
            rest = rest.partition(".")[2]
        return None
