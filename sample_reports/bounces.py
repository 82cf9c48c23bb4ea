"""What of Northlight's mail was not delivered, why, and since when; and bounces of mail that never was Northlight's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sample_reports.chance import Chance
from sample_reports.notices import WRITERS, Letter, Verdict, trick
from sample_reports.oddities import Unit
from sample_reports.organisation import MAIN, SHOP
from sample_reports.timeline import Timeline


@dataclass(frozen=True)
class Desk:
    """Who writes in Northlight's name: the sender as people see it, the return path, and whose Message-ID it has."""

    name: str
    address: str
    subjects: tuple[str, ...]
    host: str
    writer: str
    made_by: str

    @property
    def domain(self) -> str:
        """The domain that people see."""
        return self.address.partition("@")[2]


OFFICE = Desk(
    "Regula Amstutz", f"regula.amstutz@{MAIN}", ("AW: Termin naechste Woche", "Offerte 2214", "WG: Lieferung Tal"),
    "ZR0P278MB0112.CHEP278.PROD.OUTLOOK.COM", "exchange", "ZR0P278MB0112.CHEP278.PROD.OUTLOOK.COM",
)  # fmt: skip
INVOICES = Desk(
    "Northlight", f"rechnung@{MAIN}", ("Rechnung {number}", "Zahlungserinnerung {number}"), f"mx.{MAIN}", "postfix",
    f"mx.{MAIN}",
)  # fmt: skip
PARCELS = Desk("Northlight Shop", f"versand@{SHOP}", ("Ihr Paket {number}",), f"mx.{MAIN}", "postfix", f"mx.{SHOP}")
HELP = Desk("Northlight Hilfe", f"hilfe@{MAIN}", ("[#{number}] Ihre Anfrage",), "sender4.zoho.com", "exim", MAIN)
COURSES = Desk(
    "Northlight Kurse", f"kurse@{MAIN}", ("Ihre Buchung {number}", "Tour am Samstag"), "o9.p38.mailjet.com", "postfix",
    "mailjet.com",
)  # fmt: skip
SALES = Desk(
    "Jonas Gerber", f"jonas.gerber@{MAIN}", ("Ihre Anfrage {number}", "Mietausruestung Saison"),
    "smtp13-zrh.mta.salesforce.com", "sendmail", "sfdc.net",
)  # fmt: skip

PEOPLE = (
    "anna.keller", "beat.huber", "carla.frei", "daniel.wyss", "eva.moser", "fabio.bernasconi", "gret.zaugg",
    "hans.ruegg", "ines.favre", "jan.odermatt", "karin.suter", "luca.rossi", "mia.baumann", "nico.graf", "olga.petrova",
    "paul.steiner", "rita.caduff", "sven.lindt", "tina.vogt", "urs.amrein", "vera.nef", "walter.joos",
)  # fmt: skip
PLACES = (
    "seilbahnen-nord.example", "huettenwart.example", "bergsport-handel.example", "gipfelbund.example",
    "klettergarten.example", "talverein.example",
)  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """How one receiver refuses mail of one desk. `said` may name the recipient and the sender's `domain`."""

    kind: str
    desk: Desk
    provider: str
    remote: str
    status: str
    said: str
    times: int
    action: str = "failed"
    writer: str = ""
    begins: bool = False


GONE, FULL = "hard", "soft"
EVER: tuple[Refusal, ...] = (
    Refusal(GONE, OFFICE, "", "mail.{place}", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient "
            "{recipient} not found by SMTP address lookup", 8),
    Refusal(GONE, INVOICES, "", "mx.{place}", "5.1.1", "550 5.1.1 <{recipient}>: Recipient address rejected: User "
            "unknown in virtual mailbox table", 6),
    Refusal(GONE, PARCELS, "", "mx.{place}", "5.1.1", "550 5.1.1 <{recipient}>: Recipient address rejected: User "
            "unknown in local recipient table", 4),
    Refusal(GONE, HELP, "", "mx.{place}", "5.1.1", "550 5.1.1 User unknown: {recipient}", 3),
    Refusal(GONE, INVOICES, "", "mx.{place}", "5.1.1", "550 5.1.1 <{recipient}>... User Unknown", 2, writer="qmail"),
    Refusal(GONE, OFFICE, "Google", "aspmx.l.google.com", "5.1.1", "550 5.1.1 The email account that you tried to "
            "reach does not exist. {recipient} - gsmtp", 3, writer="gmail"),
    Refusal(FULL, INVOICES, "Google", "aspmx.l.google.com", "4.2.2", "452 4.2.2 The recipient's inbox is out of "
            "storage space. - gsmtp", 4, "delayed"),
    Refusal(FULL, OFFICE, "", "mail.{place}", "5.2.2", "552 5.2.2 {recipient}: mailbox full, quota exceeded", 3),
    Refusal(FULL, INVOICES, "", "mx.{place}", "4.4.1", "connect to mx.{place}[198.51.100.20]:25: Connection timed out",
            3, "delayed"),
)  # fmt: skip
MONTH_END = Refusal(
    "throttled", INVOICES, "Yahoo", "mta7.am0.yahoodns.net", "4.7.0", "421 4.7.0 [TSS04] Messages from 94.126.16.21 "
    "temporarily deferred due to unexpected volume or user complaints - 4.16.55.1", 9, "delayed",
)  # fmt: skip
UNSIGNED: tuple[Refusal, ...] = (
    Refusal("authentication", SALES, "Google", "aspmx.l.google.com", "4.7.32", "421 4.7.32 Your email has been rate "
            "limited because the From: header (RFC5322) in this message isn't aligned with either the authenticated "
            "SPF or DKIM organizational domain. DMARC alignment is required. - gsmtp", 9, begins=True),
    Refusal("authentication", SALES, "Mimecast", "eu-smtp-inbound-1.mimecast.com", "5.0.0", "550 DMARC Sender Invalid "
            "- envelope rejected - https://community.mimecast.com/docs/DOC-1369#550", 4),
)  # fmt: skip
BLOCKED = Refusal(
    "policy", COURSES, "IONOS", "mx00.kundenserver.de", "5.0.0", "554 Transaction failed Reject due to policy "
    "restrictions. For explanation visit https://postmaster.kundenserver.de/case?c=hd&i=ip&v=87.253.233.9", 14,
    begins=True,
)  # fmt: skip
BACKSCATTER, TRICKS = 12, 2


def bounces(period: Timeline, seed: int) -> Iterator[Unit]:
    """All bounces of the period."""
    days = [day for day in period.days() if day >= period.mailbox_opened]
    stories = [
        *((refusal, days) for refusal in EVER),
        (MONTH_END, [day for day in days if (day + timedelta(days=2)).day <= 2]),
        *((refusal, [day for day in days if day >= period.provider_refused]) for refusal in UNSIGNED),
        (BLOCKED, [day for day in days if day >= period.provider_blocked]),
    ]
    for refusal, possible in stories:
        yield from _told(refusal, possible, seed)
    burst = [day for day in days if period.burst_starts <= day <= period.burst_ends + timedelta(days=1)]
    yield from _backscatter(burst, seed)
    yield from _tricks([day for day in days if day >= period.before_end(40)], seed)


def bounce_events(period: Timeline) -> list[tuple[str, date, str, str]]:
    """Kind, first day, the source whose mail it is, and who refuses it."""
    return [
        ("provider_refuses", period.provider_refused, "salesforce", "Google"),
        ("provider_blocks", period.provider_blocked, "mailjet", "IONOS"),
    ]


def _told(refusal: Refusal, days: Sequence[date], seed: int) -> Iterator[Unit]:
    """Spread over the days on which it may happen, at odd hours; a story begins on its first day."""
    chance = Chance.of(seed, "bounce", refusal.desk.address, refusal.provider, refusal.said)
    for number in range(refusal.times if days else 0):
        part = days[number * len(days) // refusal.times : (number + 1) * len(days) // refusal.times] or days
        day = part[0] if refusal.begins and not number else chance.choice(part)
        sent = _moment(day, chance)
        place = chance.choice(PLACES)
        letter = _letter(refusal.desk, f"{chance.choice(PEOPLE)}@{place}", sent, chance)
        said = refusal.said.format(recipient=letter.recipient, place=place)
        at = sent + timedelta(seconds=chance.randint(2, 90), hours=4 if refusal.action == "delayed" else 0)
        verdict = Verdict(
            said, refusal.status, refusal.desk.host, refusal.remote.format(place=place), at, refusal.action
        )
        content = WRITERS[refusal.writer or refusal.desk.writer](letter, verdict)
        yield _unit(content, at, refusal.desk.domain, refusal.kind, refusal.provider or place)


def _letter(desk: Desk, recipient: str, sent: datetime, chance: Chance) -> Letter:
    subject = chance.choice(desk.subjects).format(number=chance.digits(6))
    message_id = f"{sent:%Y%m%d%H%M%S}.{chance.hexadecimal(10)}@{desk.made_by}"
    return Letter(desk.name, desk.address, desk.address, recipient, subject, message_id, sent)


def _backscatter(days: Sequence[date], seed: int) -> Iterator[Unit]:
    """Bounces of forged mail: made elsewhere, sent to names that nobody here has."""
    chance = Chance.of(seed, "backscatter")
    for number in range(BACKSCATTER if days else 0):
        sent = _moment(days[number * len(days) // BACKSCATTER], chance)
        place, name = chance.choice(PLACES), f"{chance.choice(PEOPLE).partition('.')[0]}{chance.digits(2)}@{MAIN}"
        letter = Letter(
            "Zahlungsdienst", name, name, f"{chance.choice(PEOPLE)}@{place}", "Ihr Konto wurde eingeschraenkt",
            f"{chance.hexadecimal(16)}@host{chance.digits(2)}.vps-verleih.example", sent,
        )  # fmt: skip
        said = f"550 5.1.1 <{letter.recipient}>: Recipient address rejected: User unknown"
        at = sent + timedelta(seconds=chance.randint(2, 90))
        writer = chance.choice(("postfix", "postfix", "exim"))
        content = WRITERS[writer](letter, Verdict(said, "5.1.1", f"mx.{place}", f"mx.{place}", at))
        yield _unit(content, at, MAIN, "fake", place)


def _tricks(days: Sequence[date], seed: int) -> Iterator[Unit]:
    """One that looks like a bounce to a machine too, and one that does not."""
    chance = Chance.of(seed, "trick")
    for number in range(TRICKS if days else 0):
        at = _moment(days[number * len(days) // TRICKS], chance)
        content = trick(INVOICES.address, at, html=bool(number))
        if number:
            name = f"mail/{at:%Y-%m-%dT%H%M%S}-delivery-failed.eml"
            yield Unit(name, content, (), "not_report", "", "phishing that poses as a bounce")
        else:
            yield _unit(content, at, MAIN, "fake", MAIN)


def _unit(content: bytes, at: datetime, domain: str, kind: str, provider: str) -> Unit:
    tells = {"domain": domain, "kind": kind, "provider": provider, "day": at.date().isoformat()}
    return Unit(f"mail/{at:%Y-%m-%dT%H%M%S}-bounce-{kind}.eml", content, kind="bounce", tells=tells)


def _moment(day: date, chance: Chance) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(seconds=chance.randint(6 * 3600, 19 * 3600))
