"""Reports, messages and warehouses to test with: small, plain, and each number chosen."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.inputs.base import Cursors, Message, Position
from ingest.outcome import Outcome
from ingest.settings import UnpackLimits
from warehouse import quarantine
from warehouse.address import Address
from warehouse.connect import Warehouse
from warehouse.load import Loader
from warehouse.quarantine import Kept
from warehouse.settings import WarehouseSettings

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DAY = 86_400
BEGIN = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())

ROW = """<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>
<disposition>none</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>
<identifiers><header_from>{header_from}</header_from></identifiers>
<auth_results><dkim><domain>{header_from}</domain><selector>s1</selector><result>{dkim}</result></dkim>
<spf><domain>{header_from}</domain><result>{spf}</result></spf></auth_results></record>"""


def row(
    ip: str = "192.0.2.1", count: int = 10, dkim: str = "pass", spf: str = "fail", header_from: str = "example.com"
) -> str:
    """One record as XML."""
    return ROW.format(ip=ip, count=count, dkim=dkim, spf=spf, header_from=header_from)


def torn() -> bytes:
    """A report whose packing is cut off, which no other parser is asked about: that one takes a second to start."""
    return gzip.compress(xml(), mtime=0)[:-20]


def xml(
    *rows: str,
    reporter: str = "Reporter",
    report_id: str = "r1",
    domain: str = "example.com",
    begin: int = BEGIN,
    days: float = 1,
) -> bytes:
    """A whole report as XML; one plain record where none is given."""
    return f"""<?xml version="1.0"?><feedback><report_metadata>
<org_name>{reporter}</org_name><email>r@example.net</email><report_id>{report_id}</report_id><date_range>
<begin>{begin}</begin><end>{begin + int(days * DAY)}</end></date_range>
</report_metadata><policy_published><domain>{domain}</domain><p>none</p></policy_published>
{"".join(rows or (row(),))}</feedback>""".encode()


def message(raw: bytes, origin: str = "a file", uid: int = 0, uidvalidity: int = 1) -> Message:
    """A message; with a uid, one of folder INBOX of the mailbox main."""
    position = Position("main", "INBOX", uidvalidity, uid) if uid else None
    return Message(raw, origin, len(raw), None, position)


@dataclass
class ListInput:
    """Messages from a list, in batches; remembers what it was told."""

    batches: list[list[Message]]
    acts: bool = False
    remote: bool = False
    name: str = "main"
    told: list[tuple[Message, Outcome]] = field(default_factory=list)
    redone: list[Position] = field(default_factory=list)

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Yield the batches, without what the cursors cover."""
        for batch in self.batches:
            yield [m for m in batch if not _covered(m, cursors)]

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Remember."""
        self.told.extend(settled)

    def redo(self, owed: Sequence[Position]) -> None:
        """Remember."""
        self.redone.extend(owed)


def _covered(item: Message, cursors: Cursors) -> bool:
    if item.position is None:
        return False
    at = cursors.get((item.position.mailbox, item.position.folder))
    return at is not None and at[0] == item.position.uidvalidity and item.position.uid <= at[1]


def identify(source_ips: Sequence[str]) -> list[Address]:
    """Every address is its own source."""
    return [Address(ip, f"ip:{ip}") for ip in source_ips]


def warehouse(folder: Path, **settings: object) -> Warehouse:
    """An empty warehouse in a folder."""
    return Warehouse(folder / "warehouse.duckdb", WarehouseSettings(**settings))  # type: ignore[arg-type]


def loader(target: Warehouse, limits: UnpackLimits | None = None) -> Loader:
    """A loader into a warehouse at a fixed time."""
    return Loader(target, limits or UnpackLimits(), identify, lambda: NOW)


def polled(target: Warehouse, days: int) -> None:
    """A poller ran on each day after NOW, and found nothing."""
    with target.writing() as connection:
        connection.execute(
            """
            INSERT INTO load_run BY NAME
            SELECT run.* REPLACE (run.started_at + to_days(n::INTEGER) AS started_at)
            FROM (FROM load_run ORDER BY run_key LIMIT 1) run, range(1, ? + 1) days(n)
            """,
            [days],
        )


def one(target: Warehouse, sql: str) -> object:
    """The one value that a query gives."""
    with target.reading() as connection:
        found = connection.execute(sql).fetchone()
    assert found is not None
    return found[0] if len(found) == 1 else found


def refused(target: Warehouse) -> Kept:
    """The first message in quarantine."""
    with target.reading() as connection:
        kept = quarantine.show(connection, 1)
    assert kept is not None
    return kept
