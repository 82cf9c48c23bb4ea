"""Failure reports that are text for people alone, as Exim, cPanel and others send them: their values by ARF's names."""

from __future__ import annotations

import re

# What is said of the failed message: a label at the beginning of a line, and the value behind it.
_LABELS = {
    "sender domain": "reported-domain",
    "from domain": "reported-domain",
    "reported domain": "reported-domain",
    "reported-domain": "reported-domain",
    "header from": "reported-domain",
    "sender ip address": "source-ip",
    "sender ip": "source-ip",
    "source ip": "source-ip",
    "source-ip": "source-ip",
    "received date": "arrival-date",
    "arrival date": "arrival-date",
    "arrival-date": "arrival-date",
    "envelope from": "original-mail-from",
    "mail from": "original-mail-from",
    "dmarc results": "delivery-result",
}
_LINE = re.compile(r"^[ \t>*]{0,8}([A-Za-z][A-Za-z -]{1,30}?)[ \t]*:[ \t]*(\S[^\n]{0,300})$", re.MULTILINE)
_ALIGNED = re.compile(r"^[ \t>*]{0,8}(SPF|DKIM) Alignment[ \t]*:[ \t]*(\w+)", re.MULTILINE | re.IGNORECASE)
# "… email message received from IP 192.0.2.1 on Fri, 28 Sep 2018 16:48:42 +0800."
_SENTENCE = re.compile(
    r"received from IP(?: address)?[ \t]+\[?([0-9A-Fa-f.:]{3,45})\]?(?:[ \t]+on[ \t]+([^\n]{10,60}))?"
)
_COPY = re.compile(
    r"^-{2,}[^\n]{0,40}\b(?:copy of the (?:headers|message)|original (?:headers|message))[^\n]*\n", re.M | re.I
)
_SUBJECT_DOMAIN = re.compile(r"report for[ \t]+([\w.-]+\.[\w-]+)", re.IGNORECASE)
_SUBJECT_IP = re.compile(r"\bip(?:[ =:]+| address )\[?([0-9A-Fa-f.:]{3,45})", re.IGNORECASE)


def read(text: str, subject: str) -> tuple[dict[str, list[str]], str]:
    """The values by the names of ARF's fields, and the copy of the failed message's header, where there is one."""
    copy = _COPY.search(text)
    said, quoted = (text[: copy.start()], text[copy.end() :]) if copy else (text, "")
    values: dict[str, list[str]] = {}
    for line in _LINE.finditer(said):
        name = _LABELS.get(line[1].lower())
        if name:
            values.setdefault(name, []).append(line[2].strip())
    sentence = _SENTENCE.search(said)
    if sentence:
        values.setdefault("source-ip", [sentence[1].rstrip(".:")])
        if sentence[2]:
            values.setdefault("arrival-date", [sentence[2].strip().rstrip(".")])
    for pattern, name in ((_SUBJECT_DOMAIN, "reported-domain"), (_SUBJECT_IP, "source-ip")):
        found = pattern.search(subject[:500])
        if found:
            values.setdefault(name, [found[1].rstrip(".:")])
    aligned = [found[1].lower() for found in _ALIGNED.finditer(said) if found[2].lower() in ("yes", "pass", "aligned")]
    if _ALIGNED.search(said):
        values["identity-alignment"] = [", ".join(aligned) or "none"]
        values["auth-failure"] = ["dmarc"]
    return values, quoted
