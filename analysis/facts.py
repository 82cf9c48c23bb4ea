"""Three facts about a source, apart from how likely it is ours: which service, what proves it ours, which path.

A service's own name only shows who operates it. That it sends for us is proven by what only the domain's owner
can give: a key, a place in the SPF record, a name in DNS, or a person's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.clouds import OPERATED
from ingest.catalogue.catalogue import catalogue
from ingest.catalogue.service import Service

PROVEN_FROM = 3  # aligned messages, as several reporters are heard, from which a pass proves something
AT_HOME = 0.1  # share of the mail signed in the domain's name whose keys must be at home there to prove a sender

PROOFS = {
    "declared": "A person declared it to be the domain's own.",
    "record": "Its mail passes SPF as the domain: the domain's own record allows it.",
    "key": "It signs with a key of the domain's that is at home there.",
    "name": "The domain's own DNS leads to its host, by the host's own name or as a host of the SPF record.",
    "dns": "The domain's own DNS names its service, by a key, a return path, an SPF include or its MX.",
    "none": "Nothing that only the domain's owner can give is seen of it.",
}


@dataclass(frozen=True, slots=True)
class Path:
    """How a source's messages came: straight from it, or passed on by it, of those through a mailing list.

    `passed_on` is the least that is certain: what has somebody else's key, return path, or a receiver's word for it.
    `failing_passed_on` are those of them that did not align: no set-up of the domain's own can mend them.
    """

    direct: int
    passed_on: int
    through_list: int
    failing_passed_on: int


@dataclass(frozen=True, slots=True)
class Facts:
    """`service_id` is its key in the catalogue, where it is listed; `proof` a key of PROOFS."""

    service_id: str | None
    proof: str
    path: Path


def facts(row: dict[str, Any], kind: str, approved: bool) -> Facts:
    """The facts of a row of `evidence.evidence`, its kind being known."""
    service = listed(str(row["source_key"]))
    return Facts(service.id if service else None, _proof(row, approved), _path(row, kind))


def listed(source_key: str) -> Service | None:
    """The catalogue's entry on the service that a source is."""
    return catalogue().get(OPERATED.get(source_key) or source_key.removeprefix("svc:"))


def _proof(row: dict[str, Any], approved: bool) -> str:
    heard = float(row["heard_aligned"] or 0)
    at_home = row["own_pass"] - max(row["borrowed"], row["away_pass"])
    # Where reporters leave selectors out, a little of what a forwarder passes on seems to be at home with it.
    keyed = at_home >= max(PROVEN_FROM, AT_HOME * row["own_pass"])
    found = (
        ("declared", approved),
        ("record", row["spf_aligned"] >= PROVEN_FROM and heard >= PROVEN_FROM),
        ("key", keyed and heard >= PROVEN_FROM),
        ("name", row["own_host"] > 0),
        ("dns", bool(row["dns_named"])),
    )
    return next((proof for proof, holds in found if holds), "none")


def _path(row: dict[str, Any], kind: str) -> Path:
    total = int(row["n"])
    # Whoever forges may copy a real signature or return path: only what passes there shows that mail came through.
    copied = 0 if kind == "spoofing" else row["altered_away"]
    kept = 0 if kind == "spoofing" else row["kept"]
    signs = int(max(row["away_pass"] + copied, kept, row["reasons"], row["listlike"]))
    # Who passes on is not in the domain's SPF record.
    passed_on = total if kind == "forwarded" else min(total - int(row["spf_aligned"]), signs)
    through_list = min(passed_on, int(max(row["list_reasons"], row["list_paths"])))
    if kind == "forwarded" and row["service_type"] == "Mailing List":
        through_list = passed_on
    failing = total - row["recent_aligned"] - row["earlier_aligned"]
    failing_passed_on = min(passed_on, failing, int(max(row["altered_away"], row["reasons"])))
    return Path(total - passed_on, passed_on, through_list, failing if kind == "forwarded" else failing_passed_on)
