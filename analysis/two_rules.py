"""Where receivers that walk the tree (RFC 9989) judge mail otherwise than those that use the Public Suffix List."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from analysis.applied import Applied
from analysis.outlook import GROUPS
from ingest.discovery import RULES, Rule, is_at_or_below
from ingest.probes.dmarc import place


@dataclass(frozen=True, slots=True)
class Place:
    """What one rule finds for a name: its organization, whose record applies ("" none), and what that asks for.

    Each is None where DNS did not answer.
    """

    organization: str | None
    found_at: str | None
    asks: str | None


@dataclass(frozen=True, slots=True)
class Name:
    """A name in From for which the two rules differ, or of which that is not known. All of it is others' text."""

    name: str
    messages: int
    psl: Place
    treewalk: Place


@dataclass(frozen=True, slots=True)
class Apart:
    """Messages on which the rules differ: of a source, or of a group (then `name` is the group).

    `psl_passes` align by the list alone, `treewalk_passes` by the walk alone; `psl_blocks` would be blocked by the list
    alone, `treewalk_blocks` by the walk alone. Of all `messages`, `at_psl` went to receivers that use the list and
    `at_treewalk` to those that walk.
    """

    source_key: str
    name: str
    group: str
    messages: int
    psl_passes: int
    treewalk_passes: int
    psl_blocks: int
    treewalk_blocks: int
    at_psl: int
    at_treewalk: int


@dataclass(frozen=True, slots=True)
class Receiver:
    """A reporter: its rule, whether its reports say so (else their format does), and the messages it told of."""

    reporter: str
    rule: Rule
    told: bool
    messages: int


@dataclass(frozen=True, slots=True)
class TwoRules:
    """What DNS, asked from `since` to `until` (naive UTC), says of the names of a domain's mail.

    Of `walked` names `unknown` are those of which DNS was not asked or did not answer: there the list counts. `names`
    are those that differ, or on whose way up an answer is missing. `groups` and `sources` are empty where no message is
    judged otherwise.
    `advice` is what to publish so that both rules find the same organization; "" where that is so, or is meant.
    """

    since: datetime
    until: datetime
    walked: int
    unknown: int
    names: tuple[Name, ...]
    groups: tuple[Apart, ...]
    sources: tuple[Apart, ...]
    receivers: tuple[Receiver, ...]
    advice: str = ""


def two_rules(
    applied: Applied, rows: pl.DataFrame, found: dict[str, tuple[str, str]], receivers: tuple[Receiver, ...]
) -> TwoRules | None:
    """The same from `rejudge.apart`; `found` has the name and group of each source. None where DNS was never asked."""
    times = applied.tree.times
    if times is None:
        return None
    names = [_name(applied, name, messages) for name, messages in applied.tree.names.authors.items()]
    held = rows.filter(pl.col("source_key").is_in(list(found)))
    sources = [Apart(key, *found[key], *each) for key, *each in _sums(held, "source_key")]
    group = pl.col("source_key").replace_strict({key: of for key, (_, of) in found.items()}, return_dtype=pl.String)
    groups = (
        [Apart("", of, of, *sums) for of, *sums in _sums(held.with_columns(group=group), "group")] if sources else []
    )
    return TwoRules(
        *times,
        walked=len(names),
        unknown=sum(_unknown(one) for one in names),
        names=tuple(one for one in names if _differs(one) or (_unknown(one) and _heard(applied, one.name))),
        groups=tuple(sorted(groups, key=lambda one: GROUPS.index(one.group))),
        sources=tuple(sorted(sources, key=lambda one: (GROUPS.index(one.group), -one.messages, one.source_key))),
        receivers=receivers,
        advice=_advice(applied, applied.tree.names.domain),
    )


def rules_of(seen: pl.DataFrame, messages: dict[str, int]) -> tuple[Receiver, ...]:
    """The rule of each reporter by its latest report, from `reads_ledger.policies_seen`; the largest first.

    Where a reporter does not say, the format does: RFC 9990 reports come from receivers that follow RFC 9989.
    """
    last = seen.sort("day").group_by("reporter", maintain_order=True).last()
    found = []
    for row in last.select("reporter", "standard", "discovery_method").iter_rows():
        reporter, standard, said = row
        rule: Rule = said if said in RULES else "treewalk" if standard == "9990" else "psl"
        found.append(Receiver(reporter, rule, said in RULES, messages.get(reporter, 0)))
    return tuple(sorted(found, key=lambda one: (-one.messages, one.reporter)))


def _name(applied: Applied, name: str, messages: int) -> Name:
    places = {}
    for rule in RULES:
        told = applied.found(rule, name)
        places[rule] = Place(told.organization, told.found_at, applied.asks(rule, name))
    return Name(name, messages, places["psl"], places["treewalk"])


def _advice(applied: Applied, domain: str) -> str:
    """RFC 9989 section 11.8 for what stands above. These names can stand in DNS, so they hold no markup."""
    listed, walked = (applied.found(rule, domain).organization for rule in ("psl", "treewalk"))
    if not listed or not walked or listed == walked:
        return ""
    if is_at_or_below(listed, walked):
        return (
            f"{walked} has a DMARC record without psd=y. To receivers that walk, all names below it are one "
            f"organization, and their signatures align with your mail. Add psd=n to the record at _dmarc.{listed}."
        )
    if applied.ends(walked):
        return ""  # somebody said psd=n or psd=y there
    return (
        f"{listed} has no DMARC record. To receivers that walk, it is another organization than {domain}: what is "
        f"signed as {listed} does not align there. Publish one at _dmarc.{listed}, or let senders sign as {domain}."
    )


def _heard(applied: Applied, name: str) -> bool:
    """Whether DNS ever told of the name itself."""
    return applied.tree.ask(place(name), "TXT").answered


def _differs(one: Name) -> bool:
    return not _unknown(one) and one.psl != one.treewalk


def _unknown(one: Name) -> bool:
    return None in (one.treewalk.organization, one.treewalk.found_at, one.psl.found_at)


def _sums(rows: pl.DataFrame, key: str) -> list[tuple[str, int, int, int, int, int, int, int]]:
    def only(what: str, rule: Rule, other: Rule) -> pl.Expr:
        return (pl.col("messages") * (pl.col(f"{what}_{rule}") & ~pl.col(f"{what}_{other}"))).sum()

    sums = rows.group_by(key).agg(
        pl.col("messages").sum(),
        psl_passes=only("passes", "psl", "treewalk"),
        treewalk_passes=only("passes", "treewalk", "psl"),
        psl_blocks=only("blocks", "psl", "treewalk"),
        treewalk_blocks=only("blocks", "treewalk", "psl"),
        at_psl=(pl.col("messages") * ~pl.col("walks")).sum(),
        at_treewalk=(pl.col("messages") * pl.col("walks")).sum(),
    )
    return list(sums.sort(key).iter_rows())
