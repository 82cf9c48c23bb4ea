"""What is known of one service that sends mail for others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# The files in services/, and what they hold.
CATEGORIES = {
    "commerce": "Shops, payments and accounts",
    "forwarder": "Forwarding of addresses",
    "gateway": "Filters and signatures for outgoing mail",
    "helpdesk": "Customer support",
    "hosting": "Mailboxes and forms of web hosters",
    "list": "Mailing lists",
    "mailbox": "Mailboxes",
    "marketing": "Newsletters and campaigns",
    "nonprofit": "Donations, members and campaigns of non-profits",
    "people": "Hiring and human resources",
    "sales": "Customer relations and marketing automation",
    "surveys": "Surveys, forms, events and reviews",
    "transactional": "Mail from programs",
    "workplace": "Work, documents, learning and status",
}

# What a service does with mail, and what its role says about mail from there.
ROLES = {
    "sender": "sends mail that its customers make with it",
    "mailbox": "hosts mailboxes; sends what people write, and passes on what they forward",
    "gateway": "passes on its customers' outgoing mail, after filtering or changing it",
    "forwarder": "passes on other people's mail to where its customers want it",
    "list": "passes on what its members write, often changed",
    "hosting": "hosts web sites and mailboxes; anybody's form or script may send from there",
}

# Whether a customer can have mail from there pass with the customer's own domain.
ALIGNS = {
    "yes": "can be set up",
    "plan": "depends on the plan",
    "no": "cannot align",
}

# What an entry was last compared with.
CHECKED = {
    "document": "the service's own document",
    "records": "its names with DNS records as customers publish them; the rest is general knowledge",
    "knowledge": "nothing yet: written from what is generally known of the service",
}

# What leads to a service: the field of Service, and what it is.
MARKS = {
    "ptr": "reverse name",
    "asn": "network",
    "spf": "SPF include",
    "bounce": "return path",
    "bounce_target": "target of a return path's CNAME or MX",
    "dkim_target": "target of a DKIM CNAME",
    "signs_as": "signing domain",
    "selectors": "selector",
    "common_selectors": "selector that others use too",
}


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its marks, and what makes its mail align.

    Names are lower case and match on whole labels: `sendgrid.net` also stands for what is below it, and
    `cmail{n}.com` for all domains of a numbered family. `carries`: other services send through its machines.
    `asn` holds numbers of networks from which nobody but the service sends. Selectors may hold placeholders
    (see `catalogue.selectors`); `selectors` are the service's own habit, `common_selectors` also others'.
    `aligns_spf` and `aligns_dkim` are keys of ALIGNS, `checked_with` is one of CHECKED. The texts
    tell a domain's owner what to do.
    """

    id: str
    name: str
    category: str
    role: str
    docs: str
    checked_on: date
    checked_with: str
    aligns_spf: str
    aligns_dkim: str
    fix_spf: str
    fix_dkim: str
    ptr: tuple[str, ...] = ()
    asn: tuple[int, ...] = ()
    spf: tuple[str, ...] = ()
    bounce: tuple[str, ...] = ()
    bounce_target: tuple[str, ...] = ()
    dkim_target: tuple[str, ...] = ()
    signs_as: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    common_selectors: tuple[str, ...] = ()
    carries: bool = False
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A service, and why: the field of it that matched (a key of MARKS) and the entry in it."""

    service: Service
    field: str
    mark: str
