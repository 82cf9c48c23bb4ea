"""What the reports say of each source, as one row of numbers: what `classify` weighs.

Everything is counted for one domain at a time, so that the answer is the same whichever domains
were asked for. Two ideas carry most of it:

- A *place* is an operator's whole network. A signing key (domain and selector) or a return path is
  at *home* where most of the mail that passes with it comes from. Mail that shows up elsewhere with
  somebody else's key or return path was passed on.
- A *real* key is one of the domain's own that passed at least once. Nobody but the domain's senders
  can make it pass, and an inventor of selectors does not know it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.genuine import counted
from analysis.grounds import Grounds, dns
from analysis.grounds import sources as beside_sources
from analysis.identity import HOSTS
from analysis.keeping import keep, kept, known
from analysis.past import KEY, past
from analysis.period import newest_day
from analysis.settings import SourceSettings
from warehouse import reads_sources as reads
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.reads import decisions
from warehouse.scope import Scope

BRIEF = 10  # days from first to last of what is sent in one go
TOGETHER = 2  # days apart on which those of one campaign begin

# Types that name who receives and passes on other people's mail as often as they send.
MAILBOXES = ("Email Provider", "Email Security", "Mail Host", "Forwarder", "Mailing List")
# Types whose business is to send or to build what sends.
SERVICES = ("Marketing", "SaaS", "Technology", "Email Security", "Event Planning", "Staffing", "Print", "Social Media")


@dataclass(frozen=True, slots=True)
class Frames:
    """What one short session brought, before anything is computed. `newest` is None where there is nothing."""

    scope: Scope
    newest: date | None
    sources: pl.DataFrame
    ips: pl.DataFrame
    past: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Told:
    """What reports tell of each source, one row each, the largest first; and what people decided.

    `rows` has the columns of `evidence` and what `sources.Source` shows, and `rests_on` is what they rest on (see
    `resting`); `newest` is None where there is nothing.
    """

    newest: date | None
    rows: pl.DataFrame
    decisions: pl.DataFrame
    rests_on: Grounds


def told(connection: Connection, scope: Scope, today: date, settings: SourceSettings) -> Told:
    """All that the answer about a scope's sources needs. What the reports tell is kept until they change."""
    newest = newest_day(connection, today, scope.until)
    names = tuple(sorted(set(scope.domains)))
    rests_on = _resting(connection, replace(scope, domains=names), newest, settings)
    asked = place(connection, "sources", rests_on, settings, domains=names)
    rows = known(asked, pl.DataFrame)
    if rows is None and names:
        rows = _among_all(connection, names, replace(scope, domains=()), newest, settings)
    if rows is None:
        rows = _rows(fetch(connection, scope, today, settings), settings)
        keep(asked, rows)
    return Told(newest, rows, decisions(connection), rests_on)


def _among_all(
    connection: Connection, names: tuple[str, ...], wide: Scope, newest: date | None, settings: SourceSettings
) -> pl.DataFrame | None:
    """The rows of some domains where those of all are known: what is told of a source does not depend on others."""
    rests_on = _resting(connection, wide, newest, settings)
    rows = known(place(connection, "sources", rests_on, settings), pl.DataFrame)
    return rows if rows is None or rows.is_empty() else rows.filter(pl.col("domain").is_in(names))


def resting(connection: Connection, scope: Scope, today: date, settings: SourceSettings) -> Grounds:
    """What is told of a scope's sources rests on this, and on the reports about its domains."""
    return _resting(connection, scope, newest_day(connection, today, scope.until), settings)


def _resting(connection: Connection, scope: Scope, newest: date | None, settings: SourceSettings) -> Grounds:
    history = history_of(counted(connection, scope), newest, settings)
    return history, scope.since, newest, dns(connection, scope.domains), beside_sources(connection, history)


def _rows(frames: Frames, settings: SourceSettings) -> pl.DataFrame:
    if frames.sources.is_empty() or frames.newest is None:
        return pl.DataFrame()
    # What is shown is of the scope's days, what is judged of the whole history: the latter has the plain names.
    return (
        frames.sources.drop("first_seen")
        .rename({column: f"{column}_shown" for column in ("dkim_aligned", "spf_aligned")})
        .join(frames.past.select(*KEY, "first_seen", "domain_first_day", *reads.FACTS), on=KEY, how="left")
        .join(frames.ips, on=KEY, how="left")
        .join(evidence(frames), on=KEY, how="left", suffix="_told")
        .with_columns(is_new=_is_new(frames.newest, settings))
        .sort(["messages", *KEY], descending=[True, False, False])
    )


def _is_new(newest: date, settings: SourceSettings) -> pl.Expr:
    """First seen lately, and not because the domain itself is new here."""
    warm = pl.col("first_seen") >= pl.col("domain_first_day") + pl.duration(days=settings.warmup_days)
    return (pl.col("first_seen") > newest - timedelta(days=settings.new_days)) & warm


def history_of(scope: Scope, newest: date | None, settings: SourceSettings) -> Scope:
    """The days that evidence on a scope's sources is drawn from."""
    if not scope.since or not newest:
        return scope
    return replace(scope, since=min(scope.since, newest - timedelta(days=settings.history_days)))


def fetch(connection: Connection, scope: Scope, today: date, settings: SourceSettings) -> Frames:
    """All frames that the answer about a scope's sources needs. Evidence reaches further back than the scope."""
    newest = newest_day(connection, today, scope.until)
    scope = replace(counted(connection, scope), domains=tuple(sorted(set(scope.domains))))
    sources = reads.sources(connection, scope)
    if sources.is_empty():
        return Frames(scope, newest, sources, pl.DataFrame(), pl.DataFrame())
    history = history_of(scope, newest, settings)
    ips = reads.source_ips(connection, scope)
    if history == scope:
        return Frames(scope, newest, sources, ips, past(connection, history, settings))
    # Kept, as the same history is asked for other days of the scope.
    rests_on = history, dns(connection, scope.domains), beside_sources(connection, history)
    asked = place(connection, "past", rests_on, settings, domains=scope.domains)
    return Frames(scope, newest, sources, ips, kept(asked, pl.DataFrame, lambda: past(connection, history, settings)))


def evidence(frames: Frames) -> pl.DataFrame:
    """One row for each domain and source_key of the scope, with the numbers that `terms` read.

    Counts (Int64) are messages over the history unless their name says otherwise:
    n, recent_n, recent_aligned, earlier_n, earlier_aligned, dkim_aligned, spf_aligned, active_days,
    span_days, altered, altered_away, invented, own_pass, away, away_pass, borrowed, origins (places), vendor,
    own_keys (distinct), own_signed, unsigned, own_envelope_fail, kept, foreign_pass, foreign_fail,
    foreign_domains and passing_paths (distinct), listlike, list_paths, bouncelike, neutral, spf_pass, reasons,
    list_reasons, domain_n, domain_aligned, elsewhere_aligned (of the domain by other sources), elsewhere_spf
    (in steps: see `elsewhere`), peers and peer_countries (distinct), together (how many of the peers are as brief
    and began within TOGETHER days), those of `traces.traced` and `dns_traces.dns_traced`,
    and the flags host, service_network, mailbox, forwarder, listed, tenant (Boolean).
    """
    others = [name for name in reads.FACTS if name not in ("service_type", "as_domain", "country")]
    result = (
        frames.sources.select(KEY)
        .join(frames.past.drop("domain_first_day", *others).rename({"first_seen": "begun_on"}), on=KEY, how="left")
        .with_columns(pl.selectors.integer().fill_null(0))
        .with_columns(
            domain_n=pl.col("n").sum().over("domain"),
            host=pl.col("service_type").is_in(list(HOSTS)) | pl.col("as_domain").is_null(),
            service_network=pl.col("service_type").is_in(list(SERVICES)),
            mailbox=pl.col("service_type").is_in(list(MAILBOXES)),
            forwarder=pl.col("service_type").is_in(["Forwarder", "Mailing List"]),
            listed=pl.col("source_key").str.starts_with("svc:"),
            tenant=pl.col("source_key").str.starts_with("ptr:"),
            domain_aligned=(pl.col("recent_aligned") + pl.col("earlier_aligned")).sum().over("domain"),
        )
        .with_columns(
            pl.col("host", "service_network", "mailbox", "forwarder").fill_null(False),
            elsewhere_aligned=pl.col("domain_aligned") - pl.col("recent_aligned") - pl.col("earlier_aligned"),
        )
    )
    return _peers(result)


def _peers(rows: pl.DataFrame) -> pl.DataFrame:
    """How many other rented or private networks send for the domain in vain: a botnet shows in numbers."""
    rows = rows.with_columns(
        in_vain=pl.col("host")
        & (pl.col("recent_aligned") + pl.col("earlier_aligned") == 0)
        & (pl.col("altered") + pl.col("altered_away") + pl.col("kept") + pl.col("reasons") == 0)
    )
    vain = pl.col("in_vain")
    rows = rows.with_columns(
        peers=(vain.sum().over("domain") - vain.cast(pl.Int64)).clip(0),
        peer_countries=pl.col("country").filter(vain).n_unique().over("domain").cast(pl.Int64),
        brief=vain & (pl.col("span_days") <= BRIEF),
    )
    # Those that began on the same days: a campaign is hired at once, and forgotten systems are not.
    begun = rows.filter("brief").group_by("domain", "begun_on").agg(began=pl.len().cast(pl.Int64))
    near = pl.concat(
        begun.with_columns(pl.col("begun_on") + timedelta(days=apart)) for apart in range(-TOGETHER, TOGETHER + 1)
    )
    together = near.group_by("domain", "begun_on").agg(pl.col("began").sum())
    brief = pl.col("brief").cast(pl.Int64)
    return (
        rows.join(together, on=["domain", "begun_on"], how="left")
        .with_columns(together=(brief * pl.col("began").fill_null(0) - brief).clip(0))
        .drop("began", "begun_on", "brief")
    )
