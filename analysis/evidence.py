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

from analysis.dns_traces import dns_traced
from analysis.elsewhere import elsewhere
from analysis.genuine import counted
from analysis.grounds import Grounds, dns
from analysis.grounds import sources as beside_sources
from analysis.identity import HOSTS
from analysis.keeping import keep, known
from analysis.organizations import organizational
from analysis.period import newest_day
from analysis.pointers import Pointers
from analysis.settings import SourceSettings
from analysis.traces import Traces, traced
from analysis.traces import fetch as fetch_traces
from ingest.catalogue.catalogue import catalogue
from ingest.catalogue.envelopes import domain_habit
from warehouse import reads_sources as reads
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.reads import decisions
from warehouse.reads_dns import answers
from warehouse.scope import Scope

KEY = ["domain", "source_key"]
BRIEF = 10  # days from first to last of what is sent in one go
TOGETHER = 2  # days apart on which those of one campaign begin
HOME_SHARE = 0.3  # below this share of a key's passing mail, a place is not one of the key's homes

# Types that name who receives and passes on other people's mail as often as they send.
MAILBOXES = ("Email Provider", "Email Security", "Mail Host", "Forwarder", "Mailing List")
# Types whose business is to send or to build what sends.
SERVICES = ("Marketing", "SaaS", "Technology", "Email Security", "Event Planning", "Staffing", "Print", "Social Media")

FORWARDING_REASONS = ("forwarded", "mailing_list", "trusted_forwarder")


@dataclass(frozen=True, slots=True)
class Frames:
    """What one short session brought, before anything is computed. `newest` is None where there is nothing."""

    scope: Scope
    newest: date | None
    sources: pl.DataFrame
    elsewhere: pl.DataFrame
    first_seen: pl.DataFrame
    facts: pl.DataFrame
    volumes: pl.DataFrame
    ips: pl.DataFrame
    signatures: pl.DataFrame
    envelopes: pl.DataFrame
    reasons: pl.DataFrame
    traces: Traces
    dns: pl.DataFrame


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
        .join(frames.first_seen.drop("last_seen"), on=KEY, how="left")
        .join(frames.facts, on="source_key", how="left")
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
    scope = counted(connection, scope)
    history = history_of(scope, newest, settings)
    sources, signatures = reads.sources(connection, scope), reads.signature_sums(connection, history)
    envelopes = reads.envelope_sums(connection, history)
    # Homes are looked for among all of a domain's sources, so more of them have to be known than the scope has.
    known = pl.concat(one["source_key"].unique() for one in (sources, signatures, envelopes)).unique().to_list()
    dns = answers(connection, _organizations(sources))
    return Frames(
        scope=scope,
        newest=newest,
        sources=sources,
        elsewhere=elsewhere(connection, history),
        first_seen=reads.first_seen(connection, scope),
        facts=reads.source_facts(connection, known).select("source_key", *reads.FACTS),
        volumes=reads.volumes(connection, history, scope.since, settings.recent_days),
        ips=reads.source_ips(connection, scope),
        signatures=signatures,
        envelopes=envelopes,
        reasons=reads.source_reasons(connection, history),
        traces=fetch_traces(connection, history, settings, _own_hosts(sources, dns)),
        dns=dns,
    )


def _own_hosts(sources: pl.DataFrame, answers: pl.DataFrame) -> list[tuple[str, str]]:
    """Each domain and address that its organizational domain's SPF record names as a host of its own."""
    hosts = Pointers(answers, catalogue(), lasting=False).own_hosts
    domains = sources.select("domain", org=organizational(pl.col("domain"))).unique(maintain_order=True)
    return [(domain, ip) for domain, org in domains.iter_rows() for ip in sorted(hosts.get(org, ()))]


def _organizations(sources: pl.DataFrame) -> list[str]:
    return sources.select(organizational(pl.col("domain")).unique().sort()).to_series().to_list()


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
    facts = frames.facts.select("source_key", "service_type", "as_domain", "country")
    # A service is one place in all of its networks; who rents a server is another place than their neighbour.
    alone = pl.col("source_key").str.starts_with("svc:") | pl.col("service_type").is_in(list(HOSTS)).fill_null(False)
    place = facts.select(
        "source_key", place=pl.when(alone).then("source_key").otherwise(pl.coalesce("as_domain", "source_key"))
    )
    result = (
        frames.sources.select(KEY)
        .join(frames.volumes, on=KEY, how="left")
        .join(frames.first_seen.select(*KEY, begun_on="first_seen"), on=KEY, how="left")
        .join(_signatures(_with_place(frames.signatures, place)), on=KEY, how="left")
        .join(_envelopes(_with_place(frames.envelopes, place)), on=KEY, how="left")
        .join(_reasons(frames.reasons), on=KEY, how="left")
        .join(traced(frames.traces), on=KEY, how="left")
        .join(_dns(frames), on=KEY, how="left")
        .join(frames.elsewhere, on=KEY, how="left")
        .join(facts, on="source_key", how="left")
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


def _dns(frames: Frames) -> pl.DataFrame:
    carried = frames.facts.select("source_key", "carrier").drop_nulls().iter_rows()
    carriers = {key: service for key, name in carried if (service := catalogue().by_name(name))}
    pointers = Pointers(frames.dns, catalogue(), lasting=False)
    return dns_traced(frames.sources, frames.signatures, frames.envelopes, pointers, carriers)


def _with_place(rows: pl.DataFrame, place: pl.DataFrame) -> pl.DataFrame:
    return rows.join(place, on="source_key", how="left").with_columns(
        place=pl.coalesce("place", "source_key"), org=organizational(pl.col("domain"))
    )


def _homes(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Each domain, key and place that it passes at: `home`, whether enough of its mail comes from there.

    `main` is the place that most comes from; `settled` whether that is half of it: the keys of a pool
    that is spread over many networks are at home in none, and nothing of it is away.
    """
    passing = rows.filter(pl.col("result") == "pass").group_by(["domain", *key, "place"]).agg(pl.col("messages").sum())
    total = pl.col("messages").sum().over(["domain", *key])
    return passing.with_columns(
        home=pl.col("messages") >= HOME_SHARE * total,
        settled=pl.col("messages").max().over(["domain", *key]) >= 0.5 * total,
        main=pl.col("place").sort_by("messages", "place", descending=[True, False]).first().over(["domain", *key]),
    )


def _signatures(rows: pl.DataFrame) -> pl.DataFrame:
    """What the signatures of each source say. A message with several signatures counts for each."""
    # One selector below two names is two keys: many services ask for the same selectors below names of their own.
    key = ["signing_domain", "selector"]
    rows = (
        rows.with_columns(pl.col("signing_domain").str.to_lowercase())
        .group_by([*KEY, "place", "org", *key, "result"])
        .agg(pl.col("messages").sum())
        .with_columns(signing_org=organizational(pl.col("signing_domain")))
    )
    homes = _homes(rows.filter(pl.col("selector").is_not_null() & (pl.col("selector") != "")), key)
    mains = homes.select("domain", *key, "main", "settled").unique()
    rows = (
        rows.join(homes.select("domain", *key, "place", "home"), on=["domain", *key, "place"], how="left")
        .join(mains, on=["domain", *key], how="left")
        .with_columns(
            own=pl.col("signing_org") == pl.col("org"),
            real=pl.col("main").is_not_null(),
            passed=pl.col("result") == "pass",
            failed=~pl.col("result").is_in(["pass", "temperror"]),
            named=pl.col("selector").is_not_null() & (pl.col("selector") != ""),
            stray=pl.col("settled").fill_null(False) & ~pl.col("home").fill_null(False),
        )
    )
    own, real, passed, failed, stray = (pl.col(c) for c in ("own", "real", "passed", "failed", "stray"))
    n = pl.col("messages")
    return rows.group_by(KEY).agg(
        own_pass=n.filter(own & passed).sum(),
        altered=n.filter(own & real & failed & ~stray).sum(),
        altered_away=n.filter(own & real & failed & stray).sum(),
        invented=n.filter(own & pl.col("named") & ~real & failed).sum(),
        away=n.filter(own & stray & (passed | failed)).sum(),
        away_pass=n.filter(own & stray & passed).sum(),
        borrowed=n.filter(own & passed & (pl.col("main") != pl.col("place"))).sum(),
        origins=pl.col("main").filter(stray).n_unique().cast(pl.Int64),
        vendor=n.filter(~own & passed & ~stray).sum(),
        own_keys=pl.col("selector").filter(own & real & pl.col("named")).n_unique().cast(pl.Int64),
        own_signed=n.filter(own).sum(),
        unsigned=n.filter(pl.col("signing_org").is_null()).sum(),
    )


def _envelopes(rows: pl.DataFrame) -> pl.DataFrame:
    """What the return paths of each source say."""
    rows = (
        rows.with_columns(pl.col("spf_domain").str.to_lowercase())
        .group_by([*KEY, "place", "org", "spf_domain", "result"])
        .agg(pl.col("messages").sum())
        .with_columns(spf_org=organizational(pl.col("spf_domain")))
    )
    homes = _homes(rows.filter(pl.col("spf_org").is_not_null()), ["spf_org"])
    elsewhere = homes.select("domain", "spf_org", "main").unique()
    rows = rows.join(elsewhere, on=["domain", "spf_org"], how="left").with_columns(
        own=(pl.col("spf_org") == pl.col("org")).fill_null(False),
        passed=(pl.col("result") == "pass").fill_null(False),
        failed=(~pl.col("result").is_in(["pass", "temperror"])).fill_null(True),
        # Told of all rows at once: within agg this Python would run anew for each source.
        habit=pl.col("spf_domain").map_batches(_habits, return_dtype=pl.String),
    )
    own, passed, failed, n = pl.col("own"), pl.col("passed"), pl.col("failed"), pl.col("messages")
    habit = pl.col("habit")
    known = pl.col("main").is_not_null() & (pl.col("main") != pl.col("place"))
    return rows.group_by(KEY).agg(
        own_envelope_fail=n.filter(own & failed).sum(),
        kept=n.filter(~own & failed & known).sum(),
        foreign_pass=n.filter(~own & passed).sum(),
        foreign_fail=n.filter(~own & failed & ~known).sum(),
        foreign_domains=pl.col("spf_org").filter(~own & failed & ~known).n_unique().cast(pl.Int64),
        listlike=n.filter(~own & passed & habit.is_in(["forwarder", "list"])).sum(),
        list_paths=n.filter(~own & passed & (habit == "list")).sum(),
        bouncelike=n.filter(~own & passed & (habit == "bounce")).sum(),
        passing_paths=pl.col("spf_org").filter(~own & passed).n_unique().cast(pl.Int64),
        neutral=n.filter(own & ~passed & pl.col("result").is_in(["none", "neutral", "permerror"])).sum(),
        spf_pass=n.filter(passed).sum(),
    )


def _habits(names: pl.Series) -> pl.Series:
    """Whether the name of a return path's domain is one as forwarders, lists or services give theirs."""
    distinct = names.unique().drop_nulls()
    told = pl.Series([domain_habit(name) for name in distinct], dtype=pl.String)
    return names.replace_strict(distinct, told, default=None)


def _reasons(rows: pl.DataFrame) -> pl.DataFrame:
    """Messages whose receiver said that they were forwarded, or trusted the forwarder's seal (ARC)."""
    sealed = (pl.col("type") == "local_policy") & pl.col("comment").str.contains("arc=pass", literal=True)
    said = pl.col("type").is_in(list(FORWARDING_REASONS)) | sealed.fill_null(False)
    return (
        rows.filter(said)
        .group_by(KEY)
        .agg(
            reasons=pl.col("messages").sum(),
            list_reasons=pl.col("messages").filter(pl.col("type") == "mailing_list").sum(),
        )
    )


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
