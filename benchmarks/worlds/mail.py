"""What a receiver can see of a message, and what only this simulation knows about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Signature(NamedTuple):
    """A DKIM signature (RFC 6376) and what verifying it gives."""

    domain: str
    selector: str
    result: str = "pass"


class Mail(NamedTuple):
    """How messages of one kind look to a receiver; `envelope_from` is "" for the null sender (RFC 5321 section 4.5.5).

    `spf_scope` is helo where there was no sender to check (RFC 7208 section 2.4). `sealed`: somebody on the way
    vouches for what it was before (ARC, RFC 8617). `via_list` is a mailing list that says so of itself.
    """

    header_from: str
    envelope_from: str
    spf_domain: str
    spf_result: str
    signatures: tuple[Signature, ...] = ()
    spf_scope: str = "mfrom"
    sealed: bool = False
    via_list: bool = False


class Sent(NamedTuple):
    """Messages of one look that one address handed over on one day (counted from the world's first) to all receivers.

    `audience` names who receives them: see reporters.AUDIENCES.
    """

    stream: str
    day: int
    ip: str
    mail: Mail
    audience: str
    messages: int


class Turn(NamedTuple):
    """A stream's mail looks otherwise from this day on: whether it aligned before, and after."""

    stream: str
    day: int
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """One flow of mail with one cause; the truth that a source is judged by.

    `kind` is server, service, forwarder, list, spoof or lie (mail that was never sent). `style` says which sort of it,
    in the words of the process that made it. `operator` is whose machines send it, `service` the plain name of a
    catalogued or invented service, else "". `legitimate` mail is the organisation's own, whoever passes it on.
    `fixable`: it can be made to align where it does not. `grouped` is False where nobody could tell that its
    addresses belong together.
    """

    key: str
    kind: str
    style: str
    operator: str
    legitimate: bool
    service: str = ""
    catalogued: bool = False
    fixable: bool = True
    grouped: bool = True
