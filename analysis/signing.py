"""Which DKIM selectors does the domain's mail use: whose are they, do they work, and which may go?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

import polars as pl

from analysis.around import with_own
from analysis.attendance import Attendance, attendance, attending
from analysis.cadence import FEWEST, cadence
from analysis.declared import Declared
from analysis.evidence import resting
from analysis.genuine import counted
from analysis.grounds import grounds
from analysis.keeping import kept_over
from analysis.numbers import np
from analysis.period import newest_day
from analysis.selectors import Turn, turns
from analysis.settings import AnalysisSettings
from analysis.sources import Source, fetch, judged
from ingest.catalogue.catalogue import catalogue
from warehouse import reads, reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.scope import Scope

STATES = ("ghost", "orphan", "unused", "shared", "used", "claimed")
UNUSED = 30  # days, seen by reporters, after which even a daily sender's key may go
UNSTEADY = 90  # the same where it has no rhythm, or too few intervals to tell one: a quarter's mail is in it
WHOLE = 0.8  # of the days since its last mail must have been seen
WEIGHTY = 20  # messages below which a key that never passed is not worth a line: anybody can name one
CLAIMED = 200  # of a domain's selectors that never passed are listed: whoever forges can invent any number
PART = 0.1  # of a source's mail that a key must sign to be one of its own
KEY = ["domain", "signing_domain", "selector"]
THEIRS = ("aligned", "misaligned")  # kinds that send themselves; others carry what others signed


@dataclass(frozen=True, slots=True)
class Use:
    """A source that uses a selector: how many of its messages carry it, and how many pass. `kind` as in Source."""

    source_key: str
    name: str
    kind: str
    messages: int
    passed: int


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of one signing domain, in mail that claims `domain`, over the days asked for.

    `states`, the most urgent first:

    - ghost: a sender of the domain's signs with it and it does not verify, or lost it and aligns no more.
    - orphan: declared, and no mail carries it.
    - unused: no mail for so long that the key may go, since `removable_since`.
    - shared: several senders sign with the same key, so that none can be withdrawn alone.
    - used: carries mail that verifies.
    - claimed: never verified, and no sender of the domain's uses it: invented, or somebody else's.

    `keyless` counts results that mean that there is no key (permerror, RFC 8601 section 2.7.1). `published` says
    whether DNS has the key; None where nobody has asked. `service` is a guess by the selector's form. `own`: the
    signing domain is aligned with the domain. Texts are others' text.
    """

    domain: str
    signing_domain: str
    selector: str
    own: bool
    states: tuple[str, ...]
    messages: int
    passed: int
    keyless: int
    first_seen: date | None
    last_seen: date | None
    last_passed: date | None
    failing_since: date | None
    removable_since: date | None
    rhythm: str
    service: str | None
    published: bool | None
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Selectors, those that need somebody first. Of those that never passed, `invented` were named too seldom to list.

    `unlisted` were named often enough, and of their domain so many are listed already.
    """

    newest: date | None
    selectors: tuple[Selector, ...]
    invented: int
    rotations: tuple[Turn, ...]
    unlisted: int = 0


@dataclass(frozen=True, slots=True)
class _Context:
    """What one selector is judged by. `reporters` holds messages by domain, source_key and reporter."""

    there: Attendance
    sources: Mapping[tuple[str, str], Source]
    reporters: Mapping[tuple[str, str], Mapping[str, float]]
    rules: AnalysisSettings


class _Key(NamedTuple):
    domain: str
    signing_domain: str
    selector: str
    own: bool


class _Part(NamedTuple):
    """A selector's mail of one day from one source. `passes` tells of results, of no messages too."""

    day: date
    source_key: str
    messages: int
    passed: int
    keyless: int
    passes: bool


def inventory(
    warehouse: Warehouse, scope: Scope, today: date, rules: AnalysisSettings, declared: Sequence[Declared] = ()
) -> Inventory:
    """The selectors of the scope's domains on its days. `declared` may name some that should be there.

    The answer is kept until the reports or the decisions about the domains change, or what it rests on beside them:
    whether a selector rests is told by reporters that were there, and it takes reports about all domains to know that.
    """

    def asked(connection: Connection) -> Place:
        there = attending(connection, counted(connection, scope), newest_day(connection, today, scope.until))
        about = grounds(connection, scope.domains, resting(connection, scope, today, rules.sources), there)
        return place(connection, "selectors", scope, today, rules, tuple(declared), about, domains=scope.domains)

    return kept_over(warehouse, asked, Inventory, lambda: _inventory(warehouse, scope, today, rules, declared))


def _inventory(
    warehouse: Warehouse, scope: Scope, today: date, rules: AnalysisSettings, declared: Sequence[Declared]
) -> Inventory:
    with warehouse.reading() as connection:
        frames = fetch(connection, scope, today, rules.sources)
        there = attendance(connection, frames.told.newest) if frames.told.newest else None
        if frames.told.newest is None or there is None:
            return Inventory(None, tuple(_orphans(declared, set())), 0, ())
        scope = counted(connection, scope)
        signatures = reads_sources.source_signatures(connection, scope)
        days = reads.source_days(connection, scope)
    known = {(one.domain, one.source_key): one for one in judged(frames, today)}
    context = _Context(there, known, _reporters(days), rules)
    named = with_own(signatures, "signing_domain").filter(
        pl.col("selector").is_not_null() & (pl.col("selector") != "") & (pl.col("day") <= frames.told.newest)
    )
    real = named.group_by(KEY).agg(n=pl.col("messages").sum(), ok=_passed().sum())
    passed, claimed = real.filter(pl.col("ok") > 0), real.filter((pl.col("ok") == 0) & (pl.col("n") >= WEIGHTY))
    some = _foremost(claimed, named, known.values())
    listed = named.join(pl.concat([one.select(KEY) for one in (passed, some)]), on=KEY)
    found = [_selector(*one, context) for one in _by_selector(listed)]
    seen = {(one.domain, one.selector, one.signing_domain) for one in found}
    found += _orphans(declared, seen)
    found.sort(key=_most_urgent_first)
    rotations = sorted(turns(signatures, days, frames.told.newest), key=lambda turn: turn.day, reverse=True)
    return Inventory(
        frames.told.newest,
        tuple(found),
        invented=real.height - passed.height - claimed.height,
        rotations=tuple(rotations),
        unlisted=claimed.height - some.height,
    )


def _foremost(claimed: pl.DataFrame, named: pl.DataFrame, known: Iterable[Source]) -> pl.DataFrame:
    """Of selectors that never passed, those of each domain that are listed: what its senders use before all else."""
    theirs = pl.DataFrame(
        [(one.domain, one.source_key) for one in known if one.kind in THEIRS],
        schema=dict.fromkeys(("domain", "source_key"), pl.String),
        orient="row",
    )
    own = named.join(theirs, on=theirs.columns, how="semi").group_by(KEY).agg(own=pl.col("messages").sum())
    ranked = claimed.join(own, on=KEY, how="left").with_columns(pl.col("own").fill_null(0))
    return ranked.sort("own", "n", *KEY, descending=[True, True, False, False, False]).group_by("domain").head(CLAIMED)


def _most_urgent_first(one: Selector) -> tuple[object, ...]:
    return STATES.index(one.states[0]), not one.own, -one.messages, one.domain, one.selector, one.signing_domain


def _by_selector(listed: pl.DataFrame) -> Iterator[tuple[_Key, list[_Part]]]:
    """Each selector with its days. Anybody can name thousands of them: to ask a frame for each takes long."""
    sums = (
        listed.group_by(*KEY, "own", "day", "source_key")
        .agg(
            pl.col("messages").sum(),
            ok=_passed().sum(),
            none=_keyless().sum(),
            passes=(pl.col("result") == "pass").any(),
        )
        .sort(*KEY, "day", "source_key")
    )
    for key, rows in groupby(sums.iter_rows(), lambda row: row[: len(KEY) + 1]):
        yield _Key(*key), [_Part(*row[len(KEY) + 1 :]) for row in rows]


def _passed() -> pl.Expr:
    return pl.col("messages").filter(pl.col("result") == "pass")


def _reporters(days: pl.DataFrame) -> dict[tuple[str, str], dict[str, float]]:
    sums = days.group_by("domain", "source_key", "reporter").agg(pl.col("messages").sum())
    found = dict[tuple[str, str], dict[str, float]]()
    for domain, key, reporter, messages in sums.iter_rows():
        found.setdefault((domain, key), {})[reporter] = float(messages)
    return found


def _selector(key: _Key, rows: Sequence[_Part], context: _Context) -> Selector:
    passing = [row.day for row in rows if row.passed]
    uses = tuple(_uses(rows, key.domain, context))
    bare = Selector(
        domain=key.domain,
        signing_domain=key.signing_domain,
        selector=key.selector,
        own=key.own,
        states=(),
        messages=sum(row.messages for row in rows),
        passed=sum(row.passed for row in rows),
        keyless=sum(row.keyless for row in rows),
        first_seen=rows[0].day,
        last_seen=rows[-1].day,
        last_passed=passing[-1] if passing else None,
        failing_since=_failing_since(rows, passing[-1] if passing else None, context.rules.sources.recent_days),
        removable_since=None,
        rhythm="",
        service=_service(key.selector, key.signing_domain),
        published=None,
        uses=uses,
    )
    # A forger who names an old key keeps nobody from withdrawing it.
    senders = {use.source_key for use in uses if use.kind in THEIRS}
    carried = {row.day for row in rows if row.passes or row.source_key in senders}
    word, since = _rest(bare, sorted(carried), context) if passing else ("", None)
    if since and bare.last_passed and _lost(bare, context):
        bare = replace(bare, failing_since=bare.last_passed + timedelta(days=1))
        since = None
    bare = replace(bare, rhythm=word, removable_since=since)
    return replace(bare, states=tuple(_states(bare, context)))


def _keyless() -> pl.Expr:
    return pl.col("messages").filter(pl.col("result") == "permerror")


def _uses(rows: Sequence[_Part], domain: str, context: _Context) -> Iterator[Use]:
    sums = dict[str, tuple[int, int]]()
    for row in rows:
        messages, passed = sums.get(row.source_key, (0, 0))
        sums[row.source_key] = messages + row.messages, passed + row.passed
    for key, (messages, passed) in sorted(sums.items(), key=lambda one: (-one[1][0], one[0])):
        source = context.sources.get((domain, key))
        name, kind = (source.name, source.kind) if source else (key, "unknown")
        yield Use(key, name, kind, messages, passed)


def _failing_since(rows: Sequence[_Part], passed: date | None, recent_days: int) -> date | None:
    """The first day since which nothing passes, where that was so for its last days and enough messages."""
    late = [row for row in rows if passed is None or row.day > passed]
    days = sorted({row.day for row in late})
    if len(days) < min(FEWEST, recent_days) or sum(row.messages for row in late) < WEIGHTY:
        return None
    return days[0] if days else None


def _rest(one: Selector, days: list[date], context: _Context) -> tuple[str, date | None]:
    """Its rhythm, and the day since which its absence is longer than that allows, seen by its reporters."""
    there, shares = context.there, dict[str, float]()
    for use in one.uses:
        for reporter, messages in context.reporters.get((one.domain, use.source_key), {}).items():
            shares[reporter] = shares.get(reporter, 0.0) + messages
    seeing = there.seeing(shares)
    rhythm = cadence(days, there, seeing)
    allowed = max(UNUSED, rhythm.allowed or UNSTEADY)
    start = (days[-1] - there.first).days + 1
    away = seeing[max(0, start) :]
    counts = np.flatnonzero(away)
    if counts.size <= allowed or counts.size < WHOLE * away.size:
        return rhythm.word, None
    return rhythm.word, there.first + timedelta(days=start + int(counts[allowed]))


def _lost(one: Selector, context: _Context) -> bool:
    """Whether a sender that it was a key of goes on sending without aligning: then it is missed, not unused."""
    return one.own and any(use.kind == "misaligned" and _weighty(one, use, context) for use in one.uses)


def _states(one: Selector, context: _Context) -> Iterator[str]:
    senders = [use for use in one.uses if use.kind in THEIRS]
    works = bool(one.passed) and not one.failing_since
    if one.removable_since:
        yield "unused"
    elif one.own and senders and one.failing_since:
        yield "ghost"
    elif not works:
        yield "used" if one.passed else "claimed"
    operators = {_operator(one, use, context) for use in senders if _weighty(one, use, context)}
    if one.own and len(operators) > 1:
        yield "shared"
    if works and not one.removable_since:
        yield "used"


def _operator(one: Selector, use: Use, context: _Context) -> str:
    """Who runs a source: one operator's networks are not several senders."""
    source = context.sources.get((one.domain, use.source_key))
    return (source.as_domain if source else None) or use.source_key


def _weighty(one: Selector, use: Use, context: _Context) -> bool:
    total = sum(context.reporters.get((one.domain, use.source_key), {}).values())
    return use.passed > 0 and use.passed >= PART * total


def _service(selector: str, signing_domain: str) -> str | None:
    found = catalogue().by_selector(selector, signing_domain)
    return found[0].service.name if found else None


def _orphans(declared: Sequence[Declared], seen: set[tuple[str, str, str]]) -> Iterator[Selector]:
    """Selectors that are declared and that no mail carries."""
    for one in declared:
        match = one.match
        if match is None or match.selector is None:
            continue
        signing = match.signing_domain or one.domain
        if not any((domain, selector.lower()) == (one.domain, match.selector) and name.lower() == signing
                   for domain, selector, name in seen):  # fmt: skip
            yield Selector(
                one.domain, signing, match.selector, True, ("orphan",), 0, 0, 0, None, None, None, None, None, "",
                _service(match.selector, signing), None, (),
            )  # fmt: skip
