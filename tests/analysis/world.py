"""Invented mail to ask questions about: reports of a few days, put into a real warehouse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from analysis.identity import Identifier
from ingest.alignment import aligned
from ingest.attestation import NOT_CHECKED, Attestation
from ingest.network import Network, ServiceMap
from ingest.probes.answer import Answer, Status
from ingest.reports.aggregate import (
    AggregateRecord,
    AggregateReport,
    DkimAuthResult,
    OverrideReason,
    PolicyPublished,
    Records,
    ReportMetadata,
    SpfAuthResult,
)
from warehouse import lookups, marks
from warehouse.connect import Warehouse
from warehouse.decisions import SourceDecision, decide, undo
from warehouse.rows import Arrived, staged
from warehouse.save import save
from warehouse.settings import WarehouseSettings

OURS = "example.com"
LAST = date(2026, 11, 22)
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
REPORTERS = ("google.com", "Yahoo", "Outlook.com", "gmx.net")

# The first part of an address → who announces it, and what the map says of them.
OPERATORS = {
    "192.0.2.": ("mailer.test", "Mailer Inc.", "Mailer", "Marketing"),
    "192.88.99.": ("crm.test", "CRM Ltd", "CRM", "SaaS"),
    "198.51.100.": ("rent.test", "Rent a Server GmbH", "Rent", "Web Host"),
    "198.18.": ("access.test", "Access Provider SA", "Access", "ISP"),
    "203.0.113.": ("boxes.test", "Boxes LLC", "Boxes", "Email Provider"),
    "233.252.0.": ("school.test", "School", "School", "Education"),
}
COUNTRIES = ("BR", "VN", "US", "DE", "IN", "TR", "FR")


class Networks:
    """The operators above; every address elsewhere is unknown."""

    edition = "invented"

    def lookup(self, ips: Iterable[str]) -> Iterator[Network]:
        """Who announces each address."""
        return map(self._network, ips)

    def _network(self, ip: str) -> Network:
        for number, (prefix, (domain, name, _, _)) in enumerate(OPERATORS.items()):
            if ip.startswith(prefix):
                return Network(64500 + number, name, domain, COUNTRIES[hash_of(ip) % len(COUNTRIES)])
        return Network()


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return sum(text.encode())


def services(folder: Path) -> ServiceMap:
    """The real map's reader over the operators above."""
    path = folder / "services.csv"
    rows = [f"{domain},{service},{kind}" for domain, _, service, kind in OPERATORS.values()]
    path.write_text("\n".join(["base_reverse_dns,name,type", *rows]), "utf-8")
    return ServiceMap(path)


def days(first: int, last: int = 0) -> list[date]:
    """Days counted back from the last one: days(9) are the last ten."""
    return [LAST - timedelta(days=n) for n in range(first, last - 1, -1)]


@dataclass(frozen=True)
class Policy:
    """What the record says."""

    p: str | None = "none"
    sp: str | None = None
    pct: int | None = None
    testing: str | None = None


@dataclass
class World:
    """Mail as it is sent. `save` writes one report for each day, reporter and domain."""

    warehouse: Warehouse
    identifier: Identifier
    policy: dict[str, Policy] = field(default_factory=dict)
    sent: dict[tuple[date, str, str], list[AggregateRecord]] = field(default_factory=lambda: defaultdict(list))
    policies: dict[tuple[date, str, str], Policy] = field(default_factory=dict)
    walkers: frozenset[str] = frozenset()  # reporters that follow RFC 9989 and say that they walk the tree

    @classmethod
    def at(cls, folder: Path) -> World:
        """An empty world with a warehouse in a folder."""
        warehouse = Warehouse(folder / "warehouse.duckdb", WarehouseSettings(), lingering=True)
        with warehouse.writing():
            pass
        return cls(warehouse, Identifier(Networks(), services(folder)))

    def send(
        self,
        ip: str,
        when: Iterable[date],
        messages: int = 10,
        *,
        domain: str = OURS,
        header_from: str = "",
        dkim: Sequence[tuple[str, str, str]] = (),
        spf: tuple[str, str] = ("", "none"),
        reason: tuple[str, str] | None = None,
        disposition: str = "none",
        reporters: Sequence[str] = REPORTERS[:3],
    ) -> None:
        """So many messages on each day, as each of the reporters tells of them."""
        visible = header_from or domain
        passed_dkim = any(result == "pass" and aligned(visible, name) for name, _, result in dkim)
        passed_spf = spf[1] == "pass" and aligned(visible, spf[0])
        record = AggregateRecord(
            source_ip=ip,
            messages=messages,
            disposition=disposition,
            dkim_aligned=passed_dkim,
            spf_aligned=passed_spf,
            reasons=(OverrideReason(*reason),) if reason else (),
            header_from=visible,
            envelope_from=spf[0] or None,
            envelope_to=None,
            dkim=tuple(DkimAuthResult(*one) for one in dkim),
            spf=(SpfAuthResult(spf[0], "mfrom", spf[1]),) if spf[0] else (),
        )
        for day in when:
            for reporter in reporters:
                self.sent[day, reporter, domain].append(record)
                self.policies[day, reporter, domain] = self.policy.get(domain, Policy())

    def save(self, attestation: Attestation = NOT_CHECKED) -> Warehouse:
        """Store what was sent since the last time, as vouched for."""
        reports = [
            Arrived(report, str(number), "invented", None, attestation) for number, report in enumerate(self._reports())
        ]
        with self.warehouse.writing(reports=False) as connection:
            save(connection, staged(reports), 1, NOW.replace(tzinfo=None), self.identifier.identify)
            marks.change(connection, (report.report.policy_published.domain for report in reports))
        self.sent.clear()
        return self.warehouse

    def decide(self, source_key: str, decision: str, *, owner: str | None = None, until: date | None = None) -> None:
        """What a person decides."""
        with self.warehouse.writing(reports=False) as connection:
            decide(connection, SourceDecision(OURS, source_key, decision, "ada", owner, None, until), NOW)

    def undo(self, source_key: str) -> None:
        """What a person takes back."""
        with self.warehouse.writing(reports=False) as connection:
            undo(connection, OURS, source_key, "ada", NOW)

    def dns(self, takes: bool | None, at: datetime = NOW, host: str = "agency.test") -> None:
        """DNS is asked: our record sends reports to a host, which takes them, or does not say so (None: no answer)."""
        answers = [Answer(f"_dmarc.{OURS}", "TXT", Status.VALUE, (f"v=DMARC1; p=none; rua=mailto:d@{host}",), 60)]
        if takes is not None:
            status, said = (Status.VALUE, ("v=DMARC1",)) if takes else (Status.NXDOMAIN, ())
            answers.append(Answer(f"{OURS}._report._dmarc.{host}", "TXT", status, said, 60))
        with self.warehouse.writing() as connection:
            lookups.keep(connection, answers, at)

    def _reports(self) -> Iterator[AggregateReport]:
        for (day, reporter, domain), records in self.sent.items():
            begin = datetime.combine(day, time(), UTC)
            policy = self.policies[day, reporter, domain]
            number = f"{day}-{domain}-{len(records)}"
            yield AggregateReport(
                ReportMetadata(reporter, "r@reporter.test", None, number, begin, begin + timedelta(days=1)),
                PolicyPublished(
                    domain,
                    policy.p,
                    policy.sp,
                    pct=policy.pct,
                    testing=policy.testing,
                    discovery_method="treewalk" if reporter in self.walkers else None,
                ),
                Records.of(records),
                "9990" if reporter in self.walkers else "7489",
            )


# -- senders that most stories need ---------------------------------------------------------------

MAILER = "192.0.2.10"  # a service that aligns by DKIM, with its own return path
OFFICE = "203.0.113.10"  # our mailboxes at a provider: aligned by both
RELAY = "198.51.100.10"  # our own server at a hoster: aligned by both
FORWARDER = "198.51.200.10"  # a network that nobody knows

MAILER_KEYS = ((OURS, "m1", "pass"), ("mailer.test", "m1", "pass"))
MAILER_PATH = ("bounce.mailer.test", "pass")


def usual(world: World, when: Sequence[date], *, domain: str = OURS) -> None:
    """A domain's everyday mail: offices, own server, and a service."""
    keys = tuple((domain if name == OURS else name, selector, result) for name, selector, result in MAILER_KEYS)
    world.send(OFFICE, when, 20, domain=domain, dkim=((domain, "office", "pass"),), spf=(domain, "pass"))
    world.send(RELAY, when, 8, domain=domain, dkim=((domain, "own", "pass"),), spf=(domain, "pass"))
    world.send(MAILER, when, 30, domain=domain, dkim=keys, spf=MAILER_PATH)


def unaligned(folder: Path) -> World:
    """A world with the usual mail and a sender that does not align, saved."""
    world = World.at(folder)
    usual(world, days(40))
    world.send("192.88.99.10", days(20), 40, dkim=(("crm.test", "c1", "pass"),), spf=("b.crm.test", "pass"))
    world.save()
    return world
