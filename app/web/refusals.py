"""Words of what did not arrive: kinds of bounces, TLS results, policies; each with what to do about it."""

from __future__ import annotations

from typing import Final

from app.web.words import Word

BOUNCES: Final = {
    "authentication": Word("Not authenticated", ":material/gpp_bad:", "red"),
    "policy": Word("Reputation or policy", ":material/block:", "orange"),
    "hard": Word("No such address", ":material/person_off:", "violet"),
    "throttled": Word("Slowed down", ":material/hourglass_top:", "blue"),
    "soft": Word("Temporary", ":material/schedule:", "gray"),
    "fake": Word("Probably not yours", ":material/theater_comedy:", "gray"),
}
FAMILY: Final = {
    "authentication": "refused", "policy": "refused", "hard": "gone", "throttled": "later", "soft": "later",
    "fake": "foreign",
}  # fmt: skip
"""Kind of bounce → what it takes: the classes of charts.BOUNCED."""

BOUNCE_STEPS: Final = {
    "authentication": "SPF, DKIM or DMARC failed there. See **Sources** for the sender that does not align, and repair "
    "that one first: every other receiver judges by the same.",
    "policy": "The receiver dislikes the address, the domain or the content. Read what it said; look up its postmaster "
    "page; ask for delisting only after the cause is gone.",
    "hard": "The address or its domain does not exist. Take it off the list at once: receivers count such attempts "
    "against you.",
    "throttled": "Too much, too fast, or too new an address. Send less per hour to this provider and raise it slowly.",
    "soft": "Full mailboxes and servers that did not answer. Nothing to do, unless it goes on for days.",
    "fake": "The returned message was made by somebody else, in your name. Nothing to repair, and nothing to click on; "
    "a strict DMARC policy makes it rarer.",
}
POLICIES: Final = {
    "sts": Word("MTA-STS", ":material/lock:", "green"),
    "tlsa": Word("DANE", ":material/lock:", "green"),
    "no-policy-found": Word("No policy", ":material/lock_open:", "orange"),
}
RESULTS: Final = {
    "starttls-not-supported": "The mail server offers no STARTTLS. Switch it on, or take the server out of MX.",
    "certificate-host-mismatch": "The certificate does not hold this server's MX name. Issue one that does.",
    "certificate-expired": "The certificate has run out. Renew it, and find out why renewal did not run.",
    "certificate-not-trusted": "The chain leads to no public authority. Send the intermediate certificates too.",
    "validation-failure": "The sender gives no closer reason. Test the server's TLS from outside.",
    "tlsa-invalid": "The TLSA record does not fit the certificate. Publish the new one before you change keys.",
    "dnssec-invalid": "DNSSEC of the zone does not validate. Check signatures and the DS record.",
    "dane-required": "The sender insists on DANE and found no usable TLSA record.",
    "sts-policy-fetch-error": "mta-sts.txt could not be fetched by HTTPS. Check the mta-sts host and its certificate.",
    "sts-policy-invalid": "mta-sts.txt has a fault. Check version, mode, mx and max_age.",
    "sts-webpki-invalid": "The certificate of the mta-sts host is not valid for its name.",
}
"""Result types of RFC 8460 section 4.3."""

REFUSED: Final = {
    "too_large": "Raise limits.message_bytes if the sender is one you trust, then try again.",
    "expands_too_far": "A bomb, or a very large report. Raise limits.ratio only for a reporter that you know.",
    "too_many_parts": "Raise limits.parts if it is a genuine collection, then try again.",
    "nested_too_deep": "Raise limits.depth if it is genuine, then try again.",
    "encrypted": "Nobody sends reports under a password. Ask the sender, or drop it.",
    "broken_archive": "It was cut on its way. Ask the reporter for it again.",
    "broken_message": "The mail is damaged. Ask for it again.",
    "xml_forbidden": "No report needs such XML; it is likely an attack. Drop it.",
    "xml_broken": "The reporter's fault, or cut on its way. Try again after an upgrade.",
    "json_broken": "The reporter's fault, or cut on its way. Try again after an upgrade.",
    "field_missing": "The reporter left out what the numbers need. Try again after an upgrade.",
    "number_invalid": "The reporter wrote a count that is none. Try again after an upgrade.",
    "date_invalid": "The reporter wrote a period that is none. Try again after an upgrade.",
    "conflict": "Two reports under one id. The first one, or the signed one, counts; look whether this one is forged.",
    "unreadable": "The file could not be opened. Mend its permissions and ingest it again.",
    "unexpected": "A fault of ours. Its bytes are kept: upgrade, and try again.",
}
"""What to do about a refused message, by outcome.Reason."""
