"""What was not delivered, by kind of refusal and by who refused it; and whether it is a pattern or a single case.

A kind is told from the enhanced status code (RFC 3463), the SMTP reply, and the server's own words, in this order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

from ingest.alignment import organizational_domain
from warehouse import reads_mail
from warehouse.connect import Warehouse
from warehouse.scope import Scope

KINDS: Final = ("authentication", "policy", "hard", "throttled", "soft", "fake")
"""Most worth a person's time first. `fake`: the mail was probably never ours (backscatter of forged mail)."""

ADDRESSES, DAYS = 3, 2
"""A pattern concerns that many addresses on that many days, or ten addresses on one: less may be chance."""
AT_ONCE: Final = 10

PROVIDERS: Final = {
    "google.com": "Google", "gmail.com": "Google", "googlemail.com": "Google",
    "outlook.com": "Microsoft", "hotmail.com": "Microsoft", "live.com": "Microsoft", "msn.com": "Microsoft",
    "yahoo.com": "Yahoo", "yahoodns.net": "Yahoo", "aol.com": "Yahoo", "ymail.com": "Yahoo",
    "icloud.com": "Apple", "me.com": "Apple", "mac.com": "Apple",
    "gmx.net": "GMX and web.de", "gmx.de": "GMX and web.de", "web.de": "GMX and web.de", "kundenserver.de": "IONOS",
    "mimecast.com": "Mimecast", "pphosted.com": "Proofpoint", "ppe-hosted.com": "Proofpoint",
    "barracudanetworks.com": "Barracuda", "messagelabs.com": "Symantec", "zoho.com": "Zoho",
    "qq.com": "Tencent", "163.com": "NetEase", "126.com": "NetEase", "mail.ru": "Mail.ru", "yandex.net": "Yandex",
    "yandex.ru": "Yandex", "protonmail.ch": "Proton", "proton.me": "Proton", "messagingengine.com": "Fastmail",
    "fastmail.com": "Fastmail", "t-online.de": "Telekom", "orange.fr": "Orange", "laposte.net": "La Poste",
}  # fmt: skip
"""Organizational domain of the refusing server, or of the recipient → whose mailboxes those are."""

# RFC 7372 and RFC 8617 section 5: what failed was SPF, DKIM, DMARC or ARC; 509 and 515 are Microsoft's.
_AUTHENTICATION: Final = {20, 21, 22, 23, 24, 26, 29, 509, 515}
_MAILERS: Final = {"gmail.com", "google.com", "outlook.com", "amazonses.com", "sendgrid.net", "mailgun.org",
                   "mandrillapp.com", "sparkpostmail.com", "icloud.com", "yahoo.com", "zoho.com",
                   "mailjet.com", "sfdc.net", "mailin.fr", "mcsv.net", "mtasv.net"}  # fmt: skip
"""They name the Message-ID after themselves whoever's mail they send, so it says nothing about whose it is."""

_SAYS_AUTHENTICATION = re.compile(
    r"\b(dmarc|unauthenticated|not authenticated|spf (check )?(fail|validation)|dkim (check )?fail)", re.IGNORECASE
)
_SAYS_THROTTLED = re.compile(
    r"rate.?limit|too many|throttl|temporarily deferred|unusual rate|exceeded the .{0,40}(limit|rate)|slow down",
    re.IGNORECASE,
)
_SAYS_POLICY = re.compile(
    r"\bspam|block(ed|list| list)|blacklist|reputation|policy (reasons|restrictions|violation)|banned|"
    r"(?<!not )\blisted (in|on|at|by)\b|dnsbl",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Status:
    """What is said of one recipient: the columns of delivery_status by the same names."""

    domain: str
    action: str
    code: str | None = None
    code_class: str | None = None
    smtp_code: int | None = None
    diagnostic: str | None = None
    message_id_domain: str | None = None


def kind(status: Status) -> str | None:
    """One of KINDS; None for a notice of success."""
    if status.action in ("delivered", "relayed", "expanded"):
        return None
    said = status.diagnostic or ""
    subject, detail = _numbers(status.code)
    if _foreign(status):
        return "fake"
    if (subject == 7 and detail in _AUTHENTICATION) or _SAYS_AUTHENTICATION.search(said):
        return "authentication"
    later = status.action == "delayed" or status.code_class == "transient"
    if _SAYS_THROTTLED.search(said) or (later and (subject, detail) in ((7, 28), (4, 5), (5, 3))):
        return "throttled"
    if subject == 7 or _SAYS_POLICY.search(said):
        return "policy"
    # A full mailbox is said as 5.2.2 as often as 4.2.2, and either may be empty tomorrow.
    return "soft" if later or (subject, detail) == (2, 2) else "hard"


def provider(recipient_domain: str | None, remote_mta: str | None) -> str:
    """Whose mailboxes refused: a known name, else the recipients' domain; empty where neither is told."""
    for name in (remote_mta, recipient_domain):
        known = PROVIDERS.get(organizational_domain(name)) if name else None
        if known:
            return known
    return recipient_domain or ""


def bounces(warehouse: Warehouse, scope: Scope) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What failed, as (days, groups).

    `days`: domain, day, kind, recipients. `groups`, those of most recipients first: domain, kind, provider,
    recipients, addresses, days, pattern (whether it is one), code, diagnostic, remote_mta (the commonest each),
    first_day, last_day.
    """
    with warehouse.reading() as connection:
        rows = reads_mail.refusals(connection, scope)
    told = rows.select(*Status.__slots__).unique()
    kinds = [kind(Status(*row)) for row in told.iter_rows()]
    known = rows.join(
        told.with_columns(kind=pl.Series(kinds, dtype=pl.String)), on=list(Status.__slots__), nulls_equal=True
    )
    places = rows.select("recipient_domain", "remote_mta").unique()
    names = [provider(*row) for row in places.iter_rows()]
    failed = known.filter(pl.col("kind").is_not_null()).join(
        places.with_columns(provider=pl.Series(names, dtype=pl.String)),
        on=["recipient_domain", "remote_mta"],
        nulls_equal=True,
    )
    days = (
        failed.group_by("domain", "day", "kind")
        .agg(recipients=pl.col("recipients").sum())
        .sort("domain", "day", "kind")
    )
    return days, _groups(failed)


def _groups(failed: pl.DataFrame) -> pl.DataFrame:
    largest = pl.col("recipients").arg_max()
    return (
        failed.group_by("domain", "kind", "provider")
        .agg(
            pl.col("recipients").sum(),
            addresses=pl.col("pseudonyms").list.explode(empty_as_null=True).drop_nulls().n_unique(),
            days=pl.col("day").n_unique(),
            code=pl.col("code").get(largest),
            diagnostic=pl.col("diagnostic").get(largest),
            remote_mta=pl.col("remote_mta").get(largest),
            first_day=pl.col("day").min(),
            last_day=pl.col("day").max(),
        )
        .with_columns(
            pattern=((pl.col("addresses") >= ADDRESSES) & (pl.col("days") >= DAYS)) | (pl.col("addresses") >= AT_ONCE)
        )
        .sort("recipients", "domain", "kind", "provider", descending=[True, False, False, False])
    )


def _foreign(status: Status) -> bool:
    """Whether the returned message's Message-ID was made by somebody with no tie to the domain.

    So is a notice of no code and no returned message that wants a click.
    """
    name = status.message_id_domain
    if not (name or status.code or status.smtp_code) and "://" in (status.diagnostic or ""):
        return True
    if not name or not status.domain:
        return False
    maker = organizational_domain(name)
    return maker != organizational_domain(status.domain) and maker not in _MAILERS


def _numbers(code: str | None) -> tuple[int, int]:
    parts = (code or "").split(".")
    return (int(parts[1]), int(parts[2])) if len(parts) == 3 and all(part.isdecimal() for part in parts) else (0, 0)
