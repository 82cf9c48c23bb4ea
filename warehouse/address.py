"""What is known of one source address. Light, for those who only name sources: the tables are in rows.py."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Address(NamedTuple):
    """What is known of one source address: a row of table `address`."""

    source_ip: str
    source_key: str
    service: str | None = None
    service_type: str | None = None
    asn: int | None = None
    as_name: str | None = None
    as_domain: str | None = None
    country: str | None = None
    ptr: str | None = None
    ptr_confirmed: bool | None = None
    ptr_at: datetime | None = None
    bound_by: str | None = None
    carrier: str | None = None
