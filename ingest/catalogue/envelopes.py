"""What services and forwarders write into a return path (the envelope sender, RFC 5321 section 4.4).

Forwarders that use SRS keep the first sender's domain in the local part; BATV (draft-levine-smtp-batv) tags
the sender's own; VERP names the recipient, so that a bounce tells who it is about. Pure functions on text that
strangers wrote: anything may come in, nothing raises, and the work is linear in its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_LOCAL_PART = 512  # RFC 5321 section 4.5.3.1.1 says 64; rewriting makes longer ones

DOMAIN = r"(?P<domain>[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
FORMS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # SRS0=hash=time=domain=local: forwarded once. https://www.libsrs2.org/srs/srs.pdf
        ("srs", rf"srs0[=+-][^=]+=[^=]+={DOMAIN}=.+"),
        # SRS1=hash=first forwarder==hash=time=domain=local: forwarded again; the domain is the first sender's.
        ("srs", rf"srs1[=+-][^=]+=[^=]+=[=+-][^=]+=[^=]+={DOMAIN}=.+"),
        # Gmail: local+caf_=recipient=domain, a mailbox that forwards everything.
        ("forwarded", r"[^=]+\+caf_=.+"),
        # prvs=tag=local, or prvs=local/tag as older drafts had it; btv1 is Barracuda's form.
        ("batv", r"prvs=[^=/]+[=/].+|btv1==[^=]+==.+|msprvs1=[^=]+=.+"),
        # list-bounces+recipient=domain, bounce-123-recipient=domain: one return path a recipient.
        ("verp", rf"[^=]*[+-][^=]+={DOMAIN}"),
        ("bounce", r"(?:.+[._-])?(?:bounces?|returns?|bnc|mailer-daemon)(?:[+._-].*)?"),
    )
)

# First labels of return-path domains, as forwarders and lists name theirs.
FORWARDER_LABEL = re.compile(r"srs\d*|fwd|forward(?:s|er|ing)?")
LIST_LABEL = re.compile(r"lists?\d*|mailman\d*|groups?|listserv|sympa|majordomo")
BOUNCE_LABEL = re.compile(r"(?:bounces?|bnc|return|returns|rp|em|envelope|psrp|mta)\d*|[a-z]{1,4}-?bounces?")


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How a return path was made: srs, forwarded, batv, verp or bounce.

    `domain` is the domain that the local part names: with srs whose mail it was first, with verp the recipient's.
    """

    kind: str
    domain: str = ""


def rewriting(address: str) -> Rewriting | None:
    """What the local part of a return path tells; None where it looks like anybody's address."""
    local, at, _ = address.strip().strip("<>").rpartition("@")
    if not at or not 0 < len(local) <= LONGEST_LOCAL_PART:
        return None
    for kind, form in FORMS:
        found = form.fullmatch(local)
        if found:
            domain = found.groupdict().get("domain") or ""
            return Rewriting(kind, domain.lower())
    return None


def domain_habit(domain: str) -> str | None:
    """What the name of a return-path domain says: forwarder, list, bounce, or None. Aggregate reports hold no more."""
    label = domain.lower().partition(".")[0]
    if "." not in domain or len(label) > 63:
        return None
    for habit, form in (("forwarder", FORWARDER_LABEL), ("list", LIST_LABEL), ("bounce", BOUNCE_LABEL)):
        if form.fullmatch(label):
            return habit
    return None
