"""Who reports, which part of the mail each sees, and how each writes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

EVERYTHING = frozenset({"selector", "scope", "envelope_from", "envelope_to", "every signature"})

# Shares of mailboxes by audience. What is missing to 1 is with receivers that do not report.
AUDIENCES: dict[str, dict[str, float]] = {
    "consumers": {
        "google.com": 0.42, "Yahoo": 0.13, "Outlook.com": 0.14, "Enterprise Outlook": 0.05, "GMX": 0.06, "WEB.DE": 0.05,
        "comcast.net": 0.03, "Mail.Ru": 0.01, "Fastmail Pty Ltd": 0.01, "Zoho": 0.01, "small": 0.02,
    },
    "business": {
        "google.com": 0.27, "Enterprise Outlook": 0.38, "Outlook.com": 0.06, "Mimecast": 0.06, "Cisco ESA": 0.03,
        "AMAZON-SES": 0.005, "GMX": 0.03, "Yahoo": 0.03, "Fastmail Pty Ltd": 0.02, "Zoho": 0.01, "small": 0.03,
    },
    "forwarded": {
        "google.com": 0.62, "Outlook.com": 0.12, "Yahoo": 0.06, "Enterprise Outlook": 0.05, "GMX": 0.03,
        "Fastmail Pty Ltd": 0.03, "small": 0.03,
    },
    "filtered": {"Enterprise Outlook": 0.6, "google.com": 0.3},
    "everywhere": {
        "google.com": 0.35, "Yahoo": 0.15, "Outlook.com": 0.14, "Enterprise Outlook": 0.12, "Mail.Ru": 0.06,
        "GMX": 0.04, "WEB.DE": 0.03, "comcast.net": 0.03, "small": 0.03,
    },
    "nobody": {"mx-reports.example": 1.0},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reporter:
    """A reporter and its habits.

    `shows`: the optional elements it fills, and "every signature" where it does not tell of the first alone.
    `begins`: hour (UTC) at which its day begins. `span`: days in a report; `parts`: reports in a day.
    `standard`: 7489, 9990 or none (no namespace). `honours`: share of failing mail treated as the policy asks.
    `arc`: reason type and comment where a seal made it let mail pass, and how often. `lists`: the same for lists.
    `fault`: share of good signatures that it calls bad. `only_failures`: it leaves out what passed.
    `gateway`: share of mail that comes in through a filter of its own, whose address it reports; `inflates`: factor
    on all counts. `alive`: first and last day; `loses`: share of its reports that never arrive. `size`: how its
    share here differs from the usual; `small`: one of the many that AUDIENCES counts together.
    """

    name: str
    email: str
    shows: frozenset[str] = EVERYTHING
    begins: int = 0
    span: int = 1
    parts: int = 1
    standard: str = "7489"
    honours: float = 0.98
    arc: tuple[str, str, float] = ("", "", 0.0)
    lists: tuple[str, str, float] = ("", "", 0.0)
    fault: float = 0.0
    only_failures: bool = False
    gateway: float = 0.0
    inflates: int = 1
    alive: tuple[int, int] = (0, 10_000)
    loses: float = 0.0
    size: float = 1.0
    small: bool = False


_SPARSE = frozenset({"selector", "every signature"})
_MICROSOFT = EVERYTHING - {"every signature"}

LARGE = (
    Reporter(
        "google.com", "noreply-dmarc-support@google.com", _SPARSE, arc=("local_policy", "arc=pass", 0.9),
        lists=("mailing_list", "", 0.3), honours=0.99,
    ),
    Reporter("Yahoo", "dmarchelp@yahooinc.com", frozenset({"selector"}), arc=("local_policy", "arc=pass", 0.4)),
    Reporter("Outlook.com", "dmarcreport@microsoft.com", _MICROSOFT, arc=("local_policy", "arc=pass", 0.5)),
    Reporter(
        "Enterprise Outlook", "dmarcreport@microsoft.com", _MICROSOFT, honours=0.9,
        arc=("local_policy", "arc=pass", 0.6),
    ),
    Reporter("Mail.Ru", "dmarc_support@corp.mail.ru", _SPARSE, lists=("forwarded", "", 0.5)),
    Reporter("GMX", "noreply-dmarc@sicher.gmx.net", frozenset({"selector", "scope", "envelope_from"}), honours=0.95),
    Reporter("WEB.DE", "noreply-dmarc@sicher.web.de", frozenset({"selector", "scope", "envelope_from"}), honours=0.95),
    Reporter(
        "comcast.net", "dmarc_reports@comcast.net", EVERYTHING - {"envelope_to"}, begins=4, honours=0.85,
        lists=("trusted_forwarder", "known forwarder", 0.7),
    ),
    Reporter(
        "Fastmail Pty Ltd", "reports@fastmaildmarc.com", EVERYTHING, standard="9990",
        arc=("trusted_forwarder", "", 0.6), lists=("mailing_list", "", 0.4),
    ),
    Reporter("Mimecast", "no-reply@mimecastreport.com", frozenset({"selector"}), standard="none", honours=0.7),
    Reporter("Cisco ESA", "dmarc@esa.example", frozenset({"envelope_from"}), begins=22, honours=0.5),
    Reporter("AMAZON-SES", "postmaster@amazonses.com", _SPARSE, parts=4),
    Reporter("Zoho", "noreply.dmarc@zoho.com", frozenset({"selector", "scope"}), begins=18, lists=("other", "", 0.2)),
)  # fmt: skip

_SMALL = (
    Reporter("mx.birkenhof.example", "postmaster@birkenhof.example", frozenset({"envelope_from"}), span=3, honours=0.0),
    Reporter("Seetal Net", "dmarc@seetal-net.example", _SPARSE, begins=7, span=7, lists=("mailing_list", "", 0.3)),
    Reporter("uni-nordheim.example", "abuse@uni-nordheim.example", frozenset(), only_failures=True, honours=0.3),
    Reporter("Kanzlei Mail", "it@kanzlei-mail.example", EVERYTHING, parts=24, standard="9990"),
    Reporter("hq.fabrik.example", "dmarc@fabrik.example", frozenset({"selector"}), begins=10, standard="none"),
)


def reporters(rng: np.random.Generator, days: int) -> tuple[Reporter, ...]:
    """Those who report to this organisation: the largest nearly always, others by chance; few of them flawless."""
    found = [one for one in LARGE if rng.random() < (0.95 if one in LARGE[:4] else 0.5)]
    found += [one for one in _SMALL if rng.random() < 0.4]
    return tuple(_with_habits(one, rng, days) for one in found or LARGE[:1])


def _with_habits(reporter: Reporter, rng: np.random.Generator, days: int) -> Reporter:
    small = reporter in _SMALL
    changed = replace(
        reporter,
        small=small,
        size=float(rng.lognormal(0, 0.4)),
        loses=float(rng.choice([0.0, 0.03, 0.2], p=[0.6, 0.3, 0.1])),
    )
    fate = rng.random()
    if fate < 0.08:
        changed = replace(changed, alive=(0, int(rng.integers(days // 3, days))))
    elif fate < 0.16:
        changed = replace(changed, alive=(int(rng.integers(5, days // 2)), days))
    elif fate < 0.22:
        changed = replace(changed, fault=float(rng.uniform(0.01, 0.15)))
    elif small and fate < 0.5:
        # Those who put a filter in front of their mailboxes and ask their own mailbox server to write reports.
        changed = replace(changed, gateway=float(rng.uniform(0.2, 1.0)))
    elif small and fate < 0.56:
        changed = replace(changed, inflates=int(rng.integers(3, 50)))
    return changed
