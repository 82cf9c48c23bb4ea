"""Which record to publish next: the smallest step towards the target, what is kept, and what to watch afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from analysis.candidate import Candidate, parse
from analysis.policy import Published, weaker
from ingest.errors import UsageError

if TYPE_CHECKING:  # what was seen is wanted here, not what looks
    from ingest.probes.dmarc import DmarcObservation

PCT: Final = re.compile(r";\s*pct\s*=[^;]*", re.IGNORECASE)  # the next record has none, whatever this one says

UNDER_TEST = (
    "Receivers that follow RFC 9989 apply the next weaker policy while t=y stands. Those that still follow RFC 7489 do "
    "not know t and apply the policy in full; the pct tag that once held them back is gone from RFC 9989, and with it "
    "a value other than 0 or 100 was never applied alike."
)
WATCH = (
    "For two weeks look each day at Drift and at your own sources here: what is refused of them, and by whom. "
    "Going back is the same edit; receivers follow within the record's TTL."
)


@dataclass(frozen=True, slots=True)
class NextRecord:
    """The next step of a domain. `changes` are the tags to set, such as "p=quarantine; t=y".

    `record` is the whole record, ready to publish; None while the present record is not known, because reports do not
    show rua and other tags, which must not be lost. `drop` are tags to take out. `why` and `watch` are sentences.
    """

    changes: str
    record: str | None
    drop: tuple[str, ...]
    why: str
    watch: str


def next_record(published: Published, target: str, present: Candidate | None = None) -> NextRecord | None:
    """The smallest step from the published policy towards p=`target`; None where it is reached.

    `present` is the record as published, where somebody gave it; its other tags are kept.
    """
    now = present or _as_reported(published)
    step = _step(now, target, whole=published.whole)
    if step is None:
        return None
    tags = {"p": step.p, "sp": step.sp, "np": step.np, "t": "y" if step.testing else None}
    before = {"p": now.p, "sp": now.sp, "np": now.np, "t": "y" if now.testing else None}
    changes = [f"{name}={value}" for name, value in tags.items() if value and value != before[name]]
    drop = [name for name, value in before.items() if value and not tags[name]]
    drop += ["pct"] * (published.pct is not None and published.pct < 100)
    return NextRecord(
        changes="; ".join(changes),
        record=step.record if present else None,
        drop=tuple(drop),
        why=UNDER_TEST if step.testing else "The policy holds in full from here on.",
        watch=WATCH,
    )


def present_of(seen: DmarcObservation) -> Candidate | None:
    """The record as DNS shows it; None where it is another domain's, or not one that we can keep as it is."""
    if seen.record is None or seen.found_at != seen.domain:
        return None
    try:
        return parse(PCT.sub("", seen.record))
    except UsageError:
        return None


def _as_reported(published: Published) -> Candidate:
    sp = published.sp if published.sp != published.p else None
    return Candidate(published.p or "none", sp, published.np, testing=published.testing == "y")


def _step(now: Candidate, target: str, *, whole: bool) -> Candidate | None:
    """First the test ends, then the next policy begins under test; names below never stay behind."""
    if now.testing:
        step = replace(now, testing=False)
    elif weaker(now.p, target):
        step = replace(now, p="quarantine" if now.p == "none" else "reject", testing=True)
    elif not whole or _behind(now, now.p):
        step = now
    else:
        return None
    sp = None if step.sp and weaker(step.sp, step.p) else step.sp
    np_ = None if step.np and weaker(step.np, sp or step.p) else step.np
    return replace(step, sp=sp, np=np_)


def _behind(now: Candidate, policy: str) -> bool:
    return any(one is not None and weaker(one, policy) for one in (now.sp, now.np))
