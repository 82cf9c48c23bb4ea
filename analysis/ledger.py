"""What would this record have refused? Source by source, over the days judged: facts, and forecasts with ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.applied import Applied
from analysis.candidate import Candidate
from analysis.genuine import counted
from analysis.honour import Honour, honours
from analysis.include import senders
from analysis.keeping import keep, known
from analysis.outlook import GROUP_OF, GROUPS, Count, outlook
from analysis.rejudge import Situation, apart, judged
from analysis.sources import Source, each
from analysis.tree import Tree, tree_of
from analysis.two_rules import TwoRules, rules_of, two_rules
from analysis.wording import count, day, percent
from warehouse import reads_ledger as reads
from warehouse.connect import Connection, Warehouse
from warehouse.kept import place
from warehouse.scope import Scope

HONOUR_DAYS = 90  # days of all domains that tell how reporters honour policies
# What the ledger takes from a source.
HEARD = (
    "source_key", "name", "service", "asn", "as_domain", "messages", "spf_aligned", "kind", "decided", "owner",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One source: its mail over the days judged, and what the candidate does to it. `group` is one of GROUPS."""

    source_key: str
    name: str
    kind: str
    group: str
    decision: str | None
    owner: str | None
    messages: int
    count: Count


@dataclass(frozen=True, slots=True)
class DeepName:
    """A name two labels or more below the domain, to which RFC 9989's tree walk may apply another record.

    `walk` is same or differs where a reporter says what its walk found, and "may differ" where none does: only DNS
    knows whether a name between ends the walk with a record of its own. `found_at` is where it ended, if that is told.
    """

    name: str
    messages: int
    walk: str
    found_at: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """A domain's mail under a candidate, over the `days` days from `since` to `until`.

    `groups` adds up the sources by what they are. `freed` messages were refused and would no longer be. `notes` are
    sentences on what the numbers do not know; they hold no text from reports. `two_rules` is where RFC 9989's tree walk
    and the Public Suffix List differ, None where DNS was never asked; each receiver is judged by its own rule.
    """

    domain: str
    candidate: Candidate
    record: str
    since: date | None
    until: date | None
    days: int
    messages: int
    groups: dict[str, Count]
    entries: tuple[Entry, ...]
    freed: int
    notes: tuple[str, ...]
    deep_names: tuple[DeepName, ...]
    honours: tuple[Honour, ...]
    two_rules: TwoRules | None = None


@dataclass(frozen=True, slots=True)
class Frames:
    """What one short session brought. `applied` is None where DNS was never asked, or is not to be heard."""

    scope: Scope
    rows: pl.DataFrame
    seen: pl.DataFrame
    enforced: pl.DataFrame
    alive: frozenset[str]
    deep: pl.DataFrame
    applied: Applied | None = None


def ledger(
    warehouse: Warehouse, scope: Scope, candidate: Candidate, found: Sequence[Source], tree: Tree | None = None
) -> Ledger:
    """The ledger of the scope's one domain over its days, of which both ends are given; `found` are their sources.

    `tree` is what DNS says of its names; where it is not given, what is kept of it. The answer is kept until any
    reports change: how reporters honour policies is learnt from all of them.
    Raises UsageError where the candidate leaves out an include that leads to no source.
    """
    with warehouse.reading() as connection:
        tree = tree or tree_of(connection, scope)
        sure = counted(connection, scope)
        asked = place(connection, "ledger", sure, candidate, tree.says, list(each(found, *HEARD)))
        told = known(asked, Ledger)
        if told is None:
            frames = fetch(connection, sure, candidate, tree)
    if told is None:
        told = answer(frames, candidate, found)
        keep(asked, told)
    return told


def fetch(connection: Connection, scope: Scope, candidate: Candidate, tree: Tree | None = None) -> Frames:
    """Everything about the scope's one domain that the candidate has to be held against.

    `tree` is what DNS says of its names; without it the receivers' own word on alignment stands.
    """
    assert scope.until is not None
    seen = reads.policies_seen(connection, scope)
    strict = seen.filter((pl.col("adkim") == "s") | (pl.col("aspf") == "s")).height > 0
    named = strict or candidate.adkim == "s" or candidate.aspf == "s"
    applied = Applied(tree, candidate) if tree and tree.found else None
    if applied and applied.matters:
        rows = reads.outcomes_by_name(connection, scope, every=True)
    else:
        rows = (reads.outcomes_by_name if named else reads.outcomes)(connection, scope)
    doubtful = candidate.np is not None and candidate.np != (candidate.sp or candidate.p)
    manners = replace(scope, domains=(), since=scope.until - timedelta(days=HONOUR_DAYS - 1))
    return Frames(
        scope=scope,
        rows=rows,
        seen=seen,
        enforced=reads.enforcement(connection, manners),
        alive=frozenset(reads.living_names(connection, scope)["header_from"]) if doubtful else frozenset(),
        deep=reads.deep_names(connection, scope.domains[0], scope),
        applied=applied,
    )


def answer(frames: Frames, candidate: Candidate, found: Sequence[Source]) -> Ledger:
    """The ledger, from what was fetched and the sources of the same days."""
    (domain,), scope = frames.scope.domains, frames.scope
    assert scope.since is not None
    assert scope.until is not None
    lost = senders(candidate.without_include, found) if candidate.without_include else frozenset[str]()
    known = {source.source_key: source for source in found}
    told = reckoned(frames, candidate, found, lost)
    span = (scope.until - scope.since).days + 1
    ahead = outlook(told, frames.enforced, (scope.since, span, span))
    entries = (_entry(known[key], one) for key, one in ahead.source.items() if key in known and one != Count())
    return Ledger(
        domain=domain,
        candidate=candidate,
        record=candidate.record,
        since=scope.since if frames.rows.height else None,
        until=scope.until if frames.rows.height else None,
        days=frames.rows["day"].n_unique(),
        messages=int(frames.rows["messages"].sum()),
        groups={name: ahead.group.get(name, Count()) for name in GROUPS},
        entries=tuple(sorted(entries, key=_first)),
        freed=int(told["freed"].sum()),
        notes=tuple(_notes(frames, candidate, known, lost)),
        deep_names=_deep(frames.deep, domain),
        honours=honours(frames.enforced),
        two_rules=_two_rules(frames, candidate, known, lost),
    )


def groups(found: Sequence[Source]) -> dict[str, str]:
    """The group of each source_key."""
    return {source.source_key: GROUP_OF[source.kind] for source in found}


def reckoned(
    frames: Frames, candidate: Candidate, found: Sequence[Source], lost: frozenset[str] = frozenset()
) -> pl.DataFrame:
    """`rejudge.judged` of what was fetched, with the group of each row; the sources in `lost` have no SPF."""
    told = judged(frames.rows, frames.seen, _situation(frames, candidate, lost))
    group = pl.col("source_key").replace_strict(groups(found), default="undecided", return_dtype=pl.String)
    return told.with_columns(group=group)


def _situation(frames: Frames, candidate: Candidate, lost: frozenset[str]) -> Situation:
    modern = frozenset(frames.seen.filter(pl.col("standard") == "9990")["reporter"])
    walkers = frozenset(one.reporter for one in rules_of(frames.seen, {}) if one.rule == "treewalk")
    return Situation(
        frames.scope.domains[0], candidate, modern, frames.alive, lost, frames.applied,
        walkers if frames.applied else frozenset(),
    )  # fmt: skip


def _two_rules(frames: Frames, candidate: Candidate, known: dict[str, Source], lost: frozenset[str]) -> TwoRules | None:
    if frames.applied is None:
        return None
    told = dict(frames.rows.group_by("reporter").agg(pl.col("messages").sum()).iter_rows())
    rows = apart(frames.rows, frames.seen, _situation(frames, candidate, lost))
    found = {key: (source.name, GROUP_OF[source.kind]) for key, source in known.items()}
    return two_rules(frames.applied, rows, found, rules_of(frames.seen, told))


def _entry(source: Source, one: Count) -> Entry:
    return Entry(
        source.source_key, source.name, source.kind, GROUP_OF[source.kind], source.decided, source.owner,
        source.messages, one,
    )  # fmt: skip


def _first(entry: Entry) -> tuple[int, int, str]:
    """What hurts comes first: spoofed mail is meant to be blocked."""
    return (GROUPS.index(entry.group), -entry.count.failing, entry.source_key)


def _notes(frames: Frames, candidate: Candidate, known: dict[str, Source], lost: frozenset[str]) -> list[str]:
    notes = []
    total = sum(source.messages for source in known.values())
    told = int(frames.rows["messages"].sum())
    if told < total:
        notes.append(f"{percent(total - told, total)} of the mail has no records any more, so it is not in the ledger.")
    if lost:
        notes.append(f"Taken as allowed by that include: {count(len(lost), 'source')}. Reports do not name includes.")
    if frames.enforced.is_empty():
        notes.append("No reporter has been seen under a stricter policy yet: how many honour one is assumed.")
    if candidate.testing:
        notes.append(
            "t=y eases the policy by one step at receivers that follow RFC 9989; here those that write its reports. "
            "Others apply it in full."
        )
    if candidate.np and candidate.np != (candidate.sp or candidate.p):
        known_by = "DNS was asked, or SPF or DKIM passed" if frames.applied else "SPF or DKIM passed"
        notes.append(f"Whether a name exists is known only where {known_by} for it; else the stricter policy counts.")
    assert frames.scope.since is not None
    first = frames.rows["day"].min()
    if isinstance(first, date) and (first - frames.scope.since).days > 1:
        notes.append(f"The first day with records is {day(first)}.")
    return notes


def _deep(rows: pl.DataFrame, domain: str) -> tuple[DeepName, ...]:
    found = []
    for (name,), part in rows.partition_by("header_from", as_dict=True, maintain_order=True).items():
        walked = part.filter(pl.col("discovery_method") == "treewalk").sort("messages", descending=True)
        at = str(walked["policy_domain"][0]) if walked.height else None
        walk = "may differ" if at is None else "same" if at == domain else "differs"
        found.append(DeepName(str(name), int(part["messages"].sum()), walk, at))
    return tuple(found)
