"""Northlight, an invented outdoor retailer in Switzerland: its domains, its senders, and who abuses its name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sample_reports.forwarding import Forwarder
from sample_reports.networks import BOT_NETWORKS, DRIP_NETWORKS
from sample_reports.reporters import BUSINESS, CONSUMERS, EVERYWHERE, MEMBERS, PRIVATE, SHOPPERS
from sample_reports.senders import EVERY_DAY, SHOP_WEEK, Key, Rhythm, Sender
from sample_reports.spoofing import Campaign
from sample_reports.timeline import Timeline

MAIN = "northlight.example"
SHOP = "northlight-shop.example"
CLUB = "northlight-club.example"
NEWS = f"news.{MAIN}"

RELAY = ("94.126.16.21", "94.126.16.22", "2a00:1128:1:1::131:21")
OFFICE = tuple(f"40.107.{a}.{b}" for a, b in ((20, 41), (20, 97), (21, 66), (22, 112), (22, 139), (24, 60), (24, 101)))
OFFICE_MORE = ("52.101.5.23", "52.101.5.61", "52.101.6.14", "2a01:111:f403:c200::1", "2a01:111:f403:c201::3")
CRM = tuple(f"161.71.{a}.{b}" for a, b in ((34, 5), (34, 6), (34, 7), (36, 11), (36, 12), (60, 9))) + tuple(
    f"13.110.208.{n}" for n in (12, 14, 17, 22, 31)
)


@dataclass(frozen=True)
class Policy:
    """What the domain's DMARC record says from a day on."""

    day: date
    p: str
    sp: str
    np: str


@dataclass(frozen=True)
class Organisation:
    """All that sends in Northlight's name."""

    policies: dict[str, tuple[Policy, ...]]
    senders: tuple[Sender, ...]
    forwarders: tuple[Forwarder, ...]
    campaigns: tuple[Campaign, ...]

    def policy(self, domain: str, day: date) -> Policy:
        """The policy in force on a day."""
        return [policy for policy in self.policies[domain] if policy.day <= day][-1]


def northlight(period: Timeline) -> Organisation:
    """The organisation over this period."""
    start = date.min
    return Organisation(
        policies={
            MAIN: (Policy(start, "none", "none", "none"), Policy(period.policy_changed, "quarantine", "none", "none")),
            SHOP: (Policy(start, "none", "none", "none"),),
            CLUB: (Policy(start, "reject", "reject", "reject"),),
        },
        senders=(*_main_office(period), *_main_services(period), *_shop(period), *_club()),
        forwarders=_forwarders(),
        campaigns=_campaigns(period),
    )


def _main_office(period: Timeline) -> tuple[Sender, ...]:
    """What the offices send themselves."""
    return (
        Sender(
            "microsoft-365", MAIN, MAIN, "microsoft.com", "aligned", "staff mailboxes",
            OFFICE + OFFICE_MORE, Rhythm(620, noise=0.12), BUSINESS,
            keys=(
                Key(MAIN, "selector1", until=period.selector_rotated),
                Key(MAIN, "selector2", since=period.selector_rotated),
            ),
            envelope=MAIN, breakage=0.005, null_senders=0.012, helo="mail-zr0che01on20.outbound.protection.outlook.com",
        ),
        Sender(
            "own-relay", MAIN, MAIN, "metanet.ch", "aligned", "invoices and orders from the company's own mail relay",
            RELAY, Rhythm(210, month_end=3.2, noise=0.2), BUSINESS,
            keys=(Key(MAIN, "nl2025"),), envelope=MAIN, breakage=0.003,
        ),
        Sender(
            "old-server", MAIN, MAIN, "green.ch", "aligned", "mail server of the old office, until it is switched off",
            ("82.195.228.14",), Rhythm(32, until=period.old_server_off), BUSINESS,
            envelope=MAIN,
        ),
        Sender(
            "agency-form", MAIN, MAIN, "cyon.ch", "unknown", "contact form of a small web site, run by an agency",
            ("149.126.4.61",), Rhythm(5, week=EVERY_DAY, noise=0.4), CONSUMERS,
            envelope="s056.cyon.net", elsewhere="fail",
        ),
    )  # fmt: skip


def _main_services(period: Timeline) -> tuple[Sender, ...]:
    """The services that departments of the main company use."""
    return (
        Sender(
            "sendgrid", MAIN, NEWS, "sendgrid.com", "aligned", "newsletter, with its own return path",
            ("167.89.23.14", "167.89.23.15", "149.72.184.91", "149.72.184.92"),
            Rhythm(3300, week=(0.03, 2.6, 0.12, 0.04, 2.4, 0.02, 0.01), before_holidays=1.5), CONSUMERS,
            keys=(Key(NEWS, "s1"), Key("sendgrid.net", "smtpapi")), envelope=f"em7161.{NEWS}", elsewhere="fail",
        ),
        Sender(
            "mailjet", MAIN, MAIN, "mailjet.com", "misaligned",
            "booking confirmations for courses and tours; loses its key in the period",
            tuple(f"87.253.233.{n}" for n in (4, 5, 9, 17, 33)) + tuple(f"185.189.236.{n}" for n in (12, 48)),
            Rhythm(310, week=(1.0, 0.9, 0.9, 1.0, 1.15, 0.75, 0.6)), CONSUMERS,
            keys=(Key(MAIN, "mailjet", until=period.step), Key("bnc3.mailjet.com", "mailjet")),
            envelope="bnc3.mailjet.com", elsewhere="softfail",
        ),
        Sender(
            "salesforce", MAIN, MAIN, "salesforce.com", "misaligned",
            "customer database of the business sales team; its servers stop signing one by one",
            CRM, Rhythm(240, noise=0.2), BUSINESS,
            keys=_slide(period), envelope="bnc.salesforce.com", elsewhere="softfail",
        ),
        Sender(
            "zoho-desk", MAIN, MAIN, "zoho.com", "aligned", "helpdesk: aligned by SPF alone, signs with its own domain",
            tuple(f"136.143.188.{n}" for n in (11, 16, 51, 54, 95)),
            Rhythm(120, week=(1.3, 1.1, 1.0, 1.0, 0.9, 0.4, 0.3)), CONSUMERS,
            keys=(Key("zohodesk.eu", "zd1"),), envelope=f"desk.{MAIN}", elsewhere="fail",
        ),
        Sender(
            "brevo", MAIN, MAIN, "sendinblue.com", "misaligned",
            "tried out by the marketing team without telling anybody; begins in the period",
            tuple(f"77.32.148.{n}" for n in (20, 21, 24, 37, 52, 81)),
            Rhythm(210, since=period.new_service, starts_slowly=4, noise=0.25), CONSUMERS,
            keys=(Key("brevosend.com", "mail"),), envelope="bounce.dm.d.sender-sib.com", elsewhere="softfail",
        ),
    )  # fmt: skip


def _slide(period: Timeline) -> tuple[Key, ...]:
    """One server after another moves to machines that nobody gave the key to; the last one keeps it."""
    moving, span = CRM[:-1], (period.slide_ends - period.slide_starts).days
    # Unevenly, as migrations go: a pilot, a pause, then the rest in small groups.
    when = (0.0, 0.13, 0.18, 0.31, 0.42, 0.5, 0.63, 0.76, 0.84, 1.0)
    keys = tuple(
        Key(MAIN, "sf2023", until=period.slide_starts + timedelta(days=round(span * share)), servers=(server,))
        for server, share in zip(moving, when, strict=True)
    )
    return (*keys, Key(MAIN, "sf2023", servers=CRM[-1:]))


def _shop(period: Timeline) -> tuple[Sender, ...]:
    """The web shop's own domain."""
    return (
        Sender(
            "mailgun", SHOP, SHOP, "mailgun.com", "aligned", "order confirmations, with its own return path",
            ("159.135.228.10", "159.135.228.11", "69.72.40.7", "69.72.40.8"),
            Rhythm(680, week=SHOP_WEEK, noise=0.18, before_holidays=1.7), SHOPPERS,
            keys=(Key(SHOP, "mx"),), envelope=f"mg.{SHOP}",
            added=("143.55.232.21", "143.55.232.22"), added_on=period.pool_changed,
        ),
        Sender(
            "mailchimp", SHOP, SHOP, "intuit.com", "aligned", "offers to customers, without its own return path",
            tuple(f"198.2.130.{n}" for n in (14, 15, 71, 72)) + tuple(f"205.201.131.{n}" for n in (120, 121, 152)),
            Rhythm(2100, week=(0.02, 0.02, 0.05, 3.6, 0.15, 0.02, 2.2), noise=0.22, before_holidays=1.6), SHOPPERS,
            keys=(Key(SHOP, "k2"), Key("mcsv.net", "k2")), envelope="mail{n}.suw15.mcsv.net",
        ),
        Sender(
            "own-relay", SHOP, SHOP, "metanet.ch", "aligned", "parcel notices from the company's own mail relay",
            RELAY, Rhythm(85, week=(1.1, 1.1, 1.1, 1.1, 1.1, 0.7, 0.1)), SHOPPERS,
            keys=(Key(SHOP, "nl2025"),), envelope=SHOP, breakage=0.003,
        ),
        Sender(
            "microsoft-365", SHOP, SHOP, "microsoft.com", "aligned", "the shop team's shared mailbox",
            OFFICE, Rhythm(48), SHOPPERS, keys=(Key(SHOP, "selector1"),), envelope=SHOP, null_senders=0.02,
            helo="mail-zr0che01on20.outbound.protection.outlook.com",
        ),
        Sender(
            "emarsys", SHOP, SHOP, "emarsys.com", "misaligned", "review requests; never was set up for the domain",
            tuple(f"185.4.120.{n}" for n in (66, 67, 90)), Rhythm(150, week=SHOP_WEEK, noise=0.2), SHOPPERS,
            keys=(Key("emsmtp.com", "key1"),), envelope="bounce.emsmtp.com", elsewhere="fail",
        ),
    )  # fmt: skip


def _club() -> tuple[Sender, ...]:
    """The club hardly sends; its domain mainly has to be kept from abuse."""
    return (
        Sender(
            "own-relay", CLUB, CLUB, "metanet.ch", "aligned", "membership cards from the company's own mail relay",
            RELAY[:2], Rhythm(9, noise=0.3), MEMBERS, keys=(Key(CLUB, "nl2025"),), envelope=CLUB,
            elsewhere="fail", breakage=0.003,
        ),
    )  # fmt: skip


def _forwarders() -> tuple[Forwarder, ...]:
    return (
        Forwarder(
            "hoster-forwarding", "hostpoint.ch", "customers' domains at a hoster, forwarded with a rewritten envelope",
            ("217.26.49.200", "217.26.49.201", "217.26.50.33", "2a00:d70:0:a::e0"), 0.012, PRIVATE,
            rewrites="srs.gipfelbund.example", grows_to=2.2,
        ),
        Forwarder(
            "alumni-forwarding", "switch.ch", "lifelong addresses of former students, forwarded with the envelope kept",
            ("195.176.20.11", "195.176.20.12", "2001:620:0:ff::a1"), 0.008, PRIVATE, survives=0.955, sealed=True,
        ),
        Forwarder(
            "mailing-list", "mythic-beasts.com", "a public list on trail building; adds a subject tag and a footer",
            ("93.93.130.6", "2a00:1098:0:82::6"), 0.0016, PRIVATE, rewrites="lists.trailbuilders.example",
            survives=0.02, signs=("lists.trailbuilders.example", "list"), sealed=True, path="list", copies=24,
            only=(f"{MAIN}/microsoft-365",),
        ),
    )  # fmt: skip


def _campaigns(period: Timeline) -> tuple[Campaign, ...]:
    mixed = {"ours": 0.4, "random": 0.3, "own": 0.14, "signed": 0.06, "empty": 0.1}
    return (
        Campaign(
            "spoofing-burst", MAIN, "false invoices from rented and broken machines", BOT_NETWORKS, 240, 1900, 0.45,
            period.burst_starts, period.burst_ends, "softfail", {"ours": 0.5, "random": 0.42, "empty": 0.08},
            EVERYWHERE, at_once=170,
        ),
        Campaign(
            "spoofing-drip", MAIN, "a few forged messages every day", DRIP_NETWORKS, 160, 6, 0.5,
            date.min, date.max, "softfail", mixed, EVERYWHERE, at_once=4, subdomains=("billing", "secure-login"),
        ),
        Campaign(
            "spoofing-drip", SHOP, "a few forged messages every day", DRIP_NETWORKS, 60, 2, 0.6,
            date.min, date.max, "softfail", mixed, EVERYWHERE, at_once=2,
        ),
        Campaign(
            "spoofing-drip", CLUB, "a few forged messages every day", DRIP_NETWORKS, 90, 3.4, 0.6,
            date.min, date.max, "fail", mixed, EVERYWHERE, at_once=2,
        ),
    )  # fmt: skip
