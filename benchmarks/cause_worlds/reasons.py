"""For what reason a source breaks, and what happens beside that by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

DAYS = 120
OURS, SERVICE = "example.com", "mailer.test"


@dataclass(frozen=True, slots=True)
class Way:
    """How one server's mail goes out: who signs by which selector, from where, with which envelope, and how it fares.

    `remark` is what a receiver may write beside the signature's result; `dkim` and `spf` are results.
    """

    address: str = "192.0.2.10"
    asn: int | None = 64500
    signer: str | None = OURS
    selector: str = "s1"
    dkim: str = "pass"
    beside: bool = False  # whether the service signs as well
    envelope: str = f"bounce.{OURS}"
    spf: str = "pass"
    aligned_dkim: bool = True
    aligned_spf: bool = True
    remark: str = "verified"


@dataclass(slots=True)
class Draft:
    """A world in the making: the way of each server, by day; the looks at DNS, and the edits of the policy."""

    rng: np.random.Generator
    start: int
    ways: list[list[Way]]
    broken: list[int]
    answers: list[tuple[str, str, list[str], list[str], int]] = field(default_factory=list)
    policies: list[tuple[int, str, str, str]] = field(default_factory=list)

    def breaks(self, **changed: object) -> None:
        """From the day of the break, the broken servers go another way."""
        for server in self.broken:
            for day in range(self.start, DAYS):
                self.ways[server][day] = replace(self.ways[server][day], **changed)  # type: ignore[arg-type]

    def edit(self, name: str, rdtype: str, before: list[str], after: list[str], day: int) -> None:
        """A record is edited on a day."""
        self.answers.append((name, rdtype, before, after, day))


def chance(draft: Draft) -> None:
    """What happens anyhow, and is no reason."""
    rng, start = draft.rng, draft.start
    if rng.random() < 0.3:  # keys changed in peace
        for way in draft.ways:
            way[: start - 25] = [replace(one, selector="older") for one in way[: start - 25]]
    if rng.random() < 0.3:  # a server that is added about then, and works
        added = replace(draft.ways[0][0], address="192.0.2.200")
        draft.ways.append([*[replace(added, address="")] * (start - int(rng.integers(0, 9))), *[added] * DAYS][:DAYS])
    if rng.random() < 0.4:
        draft.edit(f"other._domainkey.{OURS}", "CNAME", ["a.test"], ["b.test"], start + int(rng.integers(-3, 4)))
    if rng.random() < 0.3:
        draft.edit(f"www.{OURS}", "CNAME", ["a.test"], ["b.test"], start + int(rng.integers(-3, 4)))
    if rng.random() < 0.2:
        draft.policies.append((start + int(rng.integers(-2, 3)), "p", "none", "quarantine"))


def _own_signature(draft: Draft) -> None:
    """The service, which had not signed beside us, signs with its own domain in place of ours."""
    for way in draft.ways:
        way[:] = [replace(one, beside=False) for one in way]
    draft.breaks(signer=SERVICE, aligned_dkim=False)


def _expired(draft: Draft) -> None:
    draft.breaks(dkim="fail", aligned_dkim=False, remark="signature expired")


def _short(draft: Draft) -> None:
    draft.breaks(dkim="policy", aligned_dkim=False, remark="policy (768-bit key)")


def _key_gone(draft: Draft) -> None:
    draft.breaks(dkim="permerror", aligned_dkim=False, remark="no key for signature")
    name = f"{draft.ways[0][draft.start].selector}._domainkey.{OURS}"
    draft.edit(name, "CNAME", ["key.mailer.test"], [], draft.start)


def _include_gone(draft: Draft) -> None:
    draft.breaks(spf="softfail", aligned_spf=False)
    before, after = f"v=spf1 include:_spf.{SERVICE} include:mx.test ~all", "v=spf1 include:mx.test ~all"
    draft.edit(f"bounce.{OURS}", "TXT", [before], [after], draft.start)


def _path_moved(draft: Draft) -> None:
    draft.breaks(spf="none", aligned_spf=False)
    draft.edit(f"bounce.{OURS}", "CNAME", [f"bounce.{SERVICE}"], [], draft.start)


def _as_moved(draft: Draft) -> None:
    for server in range(len(draft.ways)):
        changed = {"address": f"198.51.100.{10 + server}", "asn": 64999, "spf": "softfail", "aligned_spf": False}
        way = draft.ways[server]
        way[draft.start :] = [replace(one, **changed) for one in way[draft.start :]]  # type: ignore[arg-type]


def _unsigned_servers(draft: Draft) -> None:
    """Servers that are new send half of the mail and do not sign; the old ones do as before."""
    added = replace(draft.ways[0][0], address="192.0.2.77", signer=None, aligned_dkim=False)
    idle = replace(added, address="")
    draft.ways += [[idle] * draft.start + [added] * (DAYS - draft.start) for _ in draft.ways[:]]


def _strict(draft: Draft) -> None:
    for way in draft.ways:
        way[:] = [replace(one, signer=f"mail.{OURS}") for one in way]
    draft.broken = list(range(len(draft.ways)))
    draft.breaks(aligned_dkim=False)
    draft.policies.append((draft.start, "adkim", "r", "s"))


def _unseen(draft: Draft) -> None:
    """Receivers judge otherwise, and nothing in the reports says why."""
    draft.breaks(aligned_dkim=False)


REASONS: tuple[tuple[str, str, Callable[[Draft], None]], ...] = (
    ("selector_vanished", "dkim", lambda d: d.breaks(signer=None, aligned_dkim=False)),
    ("selector_new", "dkim", lambda d: d.breaks(selector="new", dkim="permerror", aligned_dkim=False)),
    ("selector_fails", "dkim", lambda d: d.breaks(dkim="fail", aligned_dkim=False, remark="verification failed")),
    ("signing_domain_changed", "dkim", _own_signature),
    ("signature_expired", "dkim", _expired),
    ("key_too_short", "dkim", _short),
    ("dns_key", "dkim", _key_gone),
    ("new_addresses", "dkim", _unsigned_servers),
    ("alignment_mode", "dkim", _strict),
    ("none_seen", "dkim", _unseen),
    ("envelope_changed", "spf", lambda d: d.breaks(envelope=f"bounce.{SERVICE}", aligned_spf=False)),
    ("spf_fails", "spf", lambda d: d.breaks(spf="softfail", aligned_spf=False)),
    ("spf_error", "spf", lambda d: d.breaks(spf="permerror", aligned_spf=False)),
    ("dns_spf", "spf", _include_gone),
    ("dns_path", "spf", _path_moved),
    ("as_moved", "spf", _as_moved),
)
