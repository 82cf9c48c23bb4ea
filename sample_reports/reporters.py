"""Who writes reports, and each one's habits.

The large ones are written as their real reports look. The two smallest are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shares = dict[str, float]

# Which share of an audience's mailboxes each reporter holds. Receivers who do not report are left out.
BUSINESS: Shares = {
    "enterprise": 0.35, "google.com": 0.26, "mimecast": 0.11, "outlook.com": 0.08, "gmx.net": 0.06, "yahoo.com": 0.04,
    "seetal": 0.04, "fastmail.com": 0.03, "comcast.net": 0.02, "alpina": 0.003, "mail.ru": 0.004,
}  # fmt: skip
CONSUMERS: Shares = {
    "google.com": 0.47, "outlook.com": 0.15, "yahoo.com": 0.13, "gmx.net": 0.13, "comcast.net": 0.04,
    "fastmail.com": 0.03, "seetal": 0.03, "alpina": 0.003,
}  # fmt: skip
SHOPPERS: Shares = {
    "google.com": 0.48, "outlook.com": 0.17, "yahoo.com": 0.13, "gmx.net": 0.15, "fastmail.com": 0.03, "seetal": 0.03,
    "alpina": 0.002,
}  # fmt: skip
MEMBERS: Shares = {"google.com": 0.6, "outlook.com": 0.22, "gmx.net": 0.18}
PRIVATE: Shares = {
    "google.com": 0.62, "outlook.com": 0.14, "yahoo.com": 0.1, "gmx.net": 0.08, "fastmail.com": 0.03, "seetal": 0.01,
    "comcast.net": 0.01, "mail.ru": 0.01,
}  # fmt: skip
# Forged mail goes where addresses are many and cheap.
EVERYWHERE: Shares = {
    "google.com": 0.4, "yahoo.com": 0.18, "outlook.com": 0.17, "gmx.net": 0.09, "enterprise": 0.06, "mail.ru": 0.05,
    "comcast.net": 0.03, "fastmail.com": 0.02,
}  # fmt: skip


@dataclass(frozen=True)
class Reporter:
    """How one reporter writes, packs and sends.

    `shows` names the optional elements it fills. `policy` lists those of policy_published, in its order.
    `ends` is added to the span to get date_range/end. `forwarding` is how it explains a forwarded message that fails:
    reason type, comment, and how often it notices. `honours` is the share of failing mail it treats as the policy asks.
    """

    key: str
    org_name: str
    submitter: str
    email: str
    contact: str
    root: str
    id_style: str
    policy: tuple[str, ...]
    shows: frozenset[str]
    declaration: str = '<?xml version="1.0" encoding="UTF-8" ?>'
    version: str = ""
    generator: str = ""
    indent: str = "  "
    ends: int = -1
    begins_at_hour: int = 0
    span_days: int = 1
    packing: Literal["zip", "gzip", "plain"] = "gzip"
    content_type: str = "application/gzip"
    body: Literal["bare", "mixed", "html"] = "mixed"
    encoding: Literal["base64", "7bit"] = "base64"
    subject: str = "Report Domain: {domain} Submitter: {submitter} Report-ID: <{id}>"
    id_in_name: bool = False
    sent_after_hours: float = 4.0
    honours: float = 1.0
    override: tuple[str, str] = ("", "")
    forwarding: tuple[str, str, float] = ("", "", 0.0)
    needs_seal: bool = False
    policy_lag: int = 0
    recipients: tuple[str, ...] = ()


_FULL = ("domain", "adkim", "aspf", "p", "sp", "pct", "fo")
_USUAL = ("domain", "adkim", "aspf", "p", "sp", "pct")

LARGE = (
    Reporter(
        "google.com", "google.com", "google.com", "noreply-dmarc-support@google.com",
        "https://support.google.com/a/answer/2466580", "<feedback>", "digits19", _USUAL, frozenset({"selector"}),
        packing="zip", content_type="application/zip", body="bare",
        subject="Report domain: {domain} Submitter: {submitter} Report-ID: {id}", sent_after_hours=6,
        honours=0.99, override=("local_policy", ""), forwarding=("local_policy", "arc=pass", 0.9), needs_seal=True,
    ),
    Reporter(
        "yahoo.com", "Yahoo", "yahoo.com", "dmarchelp@yahooinc.com", "", "<feedback>", "time.micro",
        ("domain", "adkim", "aspf", "p", "pct"), frozenset({"selector"}), declaration='<?xml version="1.0"?>',
        sent_after_hours=5.5, honours=1.0, forwarding=("local_policy", "arc=pass", 0.4), needs_seal=True,
    ),
    Reporter(
        "outlook.com", "Outlook.com", "protection.outlook.com", "dmarcreport@microsoft.com", "",
        '<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
        "hex32", _FULL, frozenset({"selector", "scope", "envelope_from", "envelope_to"}),
        declaration='<?xml version="1.0"?>', version="1.0", ends=0, body="html",
        subject="Report Domain: {domain} Submitter: {submitter} Report-ID: {id}", sent_after_hours=9,
        honours=0.97, override=("local_policy", ""), forwarding=("local_policy", "arc=pass", 0.5), needs_seal=True,
        recipients=("hotmail.com", "outlook.com", "live.com"),
    ),
    Reporter(
        "enterprise", "Enterprise Outlook", "enterprise.protection.outlook.com", "dmarcreport@microsoft.com", "",
        '<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
        "hex32", _FULL, frozenset({"selector", "scope", "envelope_from", "envelope_to"}),
        declaration='<?xml version="1.0"?>', version="1.0", ends=0, body="html",
        subject="Report Domain: {domain} Submitter: {submitter} Report-ID: {id}", sent_after_hours=10,
        honours=0.9, override=("local_policy", ""), forwarding=("local_policy", "arc=pass", 0.6), needs_seal=True,
        policy_lag=1,
        recipients=("seilbahnen-nord.example", "huettenwart.example", "bergsport-handel.example"),
    ),
    Reporter(
        "mail.ru", "Mail.Ru", "mail.ru", "dmarc_support@corp.mail.ru",
        "https://help.mail.ru/mail-help", "<feedback>", "digits38", _USUAL, frozenset({"selector", "human_result"}),
        subject="Report Domain: {domain}; Submitter: {submitter}; Report-ID: {id}", sent_after_hours=3.2,
        forwarding=("forwarded", "", 0.5),
    ),
    Reporter(
        "comcast.net", "comcast.net", "comcast.net", "dmarc_reports@comcast.net", "https://postmaster.comcast.net/",
        '<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">', "v1", _FULL,
        frozenset({"selector", "scope", "envelope_from"}), declaration='<?xml version="1.0" encoding="utf-8"?>',
        version="0.1", indent="    ", begins_at_hour=4, content_type="application/octet-stream",
        sent_after_hours=2.5, honours=0.85, override=("local_policy", "trusted by local reputation"),
        forwarding=("trusted_forwarder", "known forwarder", 0.7),
    ),
    Reporter(
        "gmx.net", "gmx.net", "gmx.net", "noreply-dmarc@sicher.gmx.net", "https://postmaster.gmx.net/en/", "<feedback>",
        "hex32", ("domain", "p", "pct"), frozenset({"selector", "scope", "envelope_from"}), version="1.0", indent="\t",
        packing="zip", content_type="application/x-zip-compressed", id_in_name=True, sent_after_hours=7,
        honours=0.95, override=("other", ""), forwarding=("forwarded", "", 0.3),
    ),
)  # fmt: skip

SMALL = (
    Reporter(
        "fastmail.com", "Fastmail Pty Ltd", "fastmail.com", "reports@fastmaildmarc.com", "https://fastmail.com/",
        '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">', "digits9",
        ("domain", "discovery_method", "p", "sp", "np", "fo", "adkim", "aspf", "testing"),
        frozenset({"selector", "scope", "envelope_from", "envelope_to", "pass"}), declaration='<?xml version="1.0"?>',
        version="1.0", generator="Mail::DMARC 1.20260301", indent="\t", id_in_name=True, sent_after_hours=1.5,
        forwarding=("trusted_forwarder", "", 0.6), recipients=("fastmail.com", "fastmail.fm"),
    ),
    Reporter(
        "mimecast", "Mimecast", "mimecast.org", "no-reply@ch-1.mimecastreport.com",
        "https://community.mimecast.com/s/knowledge", "<feedback>", "hex64", _USUAL,
        frozenset({"selector", "human_result"}),
        declaration='<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', body="bare", id_in_name=True,
        subject="Report domain: {domain} Submitter: {submitter} Report-ID: {id}", sent_after_hours=10,
        honours=0.7, override=("other", "gateway policy of the recipient"),
    ),
    Reporter(
        "seetal", "Seetal Net", "mx.seetal-net.example", "postmaster@seetal-net.example", "", "<feedback>", "opendmarc",
        ("domain", "adkim", "aspf", "p", "sp", "pct"), frozenset({"envelope_from"}), indent=" ", span_days=3,
        packing="zip", content_type="application/x-zip-compressed", sent_after_hours=1, honours=0.0,
        forwarding=("mailing_list", "", 0.3),
    ),
    Reporter(
        "alpina", "Posta Alpina AG", "posta-alpina.example", "dmarc@posta-alpina.example",
        "https://posta-alpina.example/dmarc", "<feedback>", "aggr", _FULL, frozenset({"scope", "envelope_from"}),
        version="1.0", packing="plain", content_type="text/xml", encoding="7bit", sent_after_hours=12, policy_lag=1,
        forwarding=("mailing_list", "", 0.5),
    ),
)  # fmt: skip

REPORTERS = (*LARGE, *SMALL)

SILENT = "gmx.net"
