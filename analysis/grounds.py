"""What answers about some domains rest on beside the reports about these: by both, a kept answer is still true.

Reports about other domains change some of it now and then: whether a reporter is believed, what is known of a source
whose new address they tell of, what it sends elsewhere, on which days a reporter was heard at all. So each is looked up
after every change of any reports, once, and what it comes to stands beside the domains' own state: an answer is worked
out again when that is another one, and not before. Of all domains together it is their reports that say it all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import date, timedelta

import polars as pl

from analysis.elsewhere import elsewhere, keys
from analysis.genuine import counted, excluded
from analysis.keeping import kept
from analysis.organizations import organizations
from analysis.tree import observations
from warehouse import lookups, reads, reads_changes, reads_sources
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.reads import decisions
from warehouse.scope import Scope

SEEDS = (1, 2)  # two words of 64 bits

Grounds = tuple[object, ...]
"""Values with a plain repr."""


def grounds(connection: Connection, domains: Collection[str], *of: Grounds) -> Grounds:
    """What people decided about domains (all where none is named), how far DNS is known, and what else is known to be.

    Causes rest on what DNS answered, and so does whatever tells of them; so does where reports may be sent.
    """
    said = decisions(connection)
    if domains:
        said = said.filter(pl.col("domain").is_in(sorted(domains)))
    return said.rows(), dns(connection, domains), _observed(connection, domains), excluded(connection), *of


def dns(connection: Connection, domains: Collection[str]) -> Grounds:
    """The same while no edit was seen in DNS of some domains' organizations; of any where none is named."""
    return reads_changes.dns_news(connection, sorted(set(organizations(domains))))


def facts(connection: Connection, domains: Collection[str]) -> Grounds:
    """What the sources of some domains are known to be. Of all domains together their reports alone say it."""
    names = tuple(sorted(set(domains)))
    if not names:
        return ()
    return kept(place(connection, "facts beside", names), tuple[str, ...], lambda: (_facts(connection, names),))


def sources(connection: Connection, history: Scope) -> Grounds:
    """The same, and what they send for others, in `history`: days, without what is in doubt, as `elsewhere` has it."""
    if not history.domains:
        return ()
    asked = place(connection, "others beside", history)
    others = kept(asked, tuple[str, ...], lambda: (_digest(elsewhere(connection, history)),))
    return *facts(connection, history.domains), *others


def hearing(connection: Connection, scope: Scope) -> Grounds:
    """On which days whoever tells of the scope's domains was heard at all; `scope` is without what is in doubt."""
    if not scope.domains:
        return ()
    asked = place(connection, "heard beside", scope)
    return kept(asked, tuple[str, ...], lambda: (_heard(connection, scope),))


def spans(connection: Connection, domains: tuple[str, ...], newest: date | None, days: int) -> Grounds:
    """The same by the first and the last day alone, over some days."""
    if not domains or newest is None:
        return ()
    scope = counted(connection, Scope(domains, newest - timedelta(days=days), newest))
    asked = place(connection, "spans beside", scope)
    return kept(asked, tuple[str, ...], lambda: (_spans(connection, scope),))


def heard(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter and day of the scope's days on which it told of any mail, about whichever domain: messages."""
    wide = Scope((), scope.since, scope.until, scope.without)
    return kept(place(connection, "heard", wide), pl.DataFrame, lambda: reads_changes.heard(connection, wide))


def spans_of(told: pl.DataFrame) -> pl.DataFrame:
    """Each reporter, and the first_day and last_day that it told of, from `heard`; in order."""
    return told.group_by("reporter").agg(first_day=pl.col("day").min(), last_day=pl.col("day").max()).sort("reporter")


def _heard(connection: Connection, scope: Scope) -> str:
    told = heard(connection, scope)
    mine = told.join(told_by(connection, scope), on="reporter", how="semi")
    # Days on which only others were heard still say from when on anything is known.
    return f"{_digest(told.select('day').unique())} {_digest(mine.select('reporter', 'day'))}"


def _spans(connection: Connection, scope: Scope) -> str:
    told = heard(connection, scope).join(told_by(connection, scope), on="reporter", how="semi")
    return _digest(spans_of(told))


def told_by(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Each reporter that tells of the scope's domains on its days, without what is in doubt."""
    asked = place(connection, "reporters", scope, domains=scope.domains)
    return kept(asked, pl.DataFrame, lambda: reads.last_told(connection, scope).select("reporter"))


def _facts(connection: Connection, domains: tuple[str, ...]) -> str:
    asked = place(connection, "facts of all")
    every = kept(asked, pl.DataFrame, lambda: _digests(reads_sources.source_facts(connection)))
    return _digest(every.join(keys(connection, domains), on="source_key", how="semi"))


def _digests(facts: pl.DataFrame) -> pl.DataFrame:
    told = facts.select(reads_sources.FACTS)
    return facts.select("source_key").with_columns(told.hash_rows(seed=seed).alias(f"told_{seed}") for seed in SEEDS)


def _observed(connection: Connection, domains: Collection[str]) -> str:
    """What DNS said last of the domains' records; of all domains, how many answers there are, and up to when."""
    news = lookups.news(connection)
    if not domains:
        return repr(news)
    asked = place(connection, "observed", news, domains=domains)
    return kept(asked, str, lambda: repr(observations(connection, sorted(set(domains)))))


def _digest(rows: pl.DataFrame) -> str:
    """The same for the same rows in whatever order."""
    known = hashlib.blake2b(digest_size=16)
    for seed in SEEDS:
        known.update(rows.hash_rows(seed=seed).sort().to_numpy().tobytes())
    return known.hexdigest()
