"""What the reports of a scope's whole history say of each source that they tell of: the numbers of `evidence`.

Whatever days are shown, it is the same, so it is counted once for all of them. A *place*, a key's *home* and a *real*
key are what they are in `evidence`.
"""

from __future__ import annotations

import polars as pl

from analysis.dns_traces import dns_traced
from analysis.elsewhere import elsewhere
from analysis.identity import HOSTS
from analysis.organizations import organizational
from analysis.pointers import Pointers
from analysis.settings import SourceSettings
from analysis.traces import fetch as fetch_traces
from analysis.traces import traced
from ingest.catalogue.catalogue import catalogue
from ingest.catalogue.envelopes import domain_habit
from warehouse import reads_sources as reads
from warehouse.connect import Connection
from warehouse.reads_dns import answers
from warehouse.scope import Scope

KEY = ["domain", "source_key"]
HOME_SHARE = 0.3  # below this share of a key's passing mail, a place is not one of the key's homes

FORWARDING_REASONS = ("forwarded", "mailing_list", "trusted_forwarder")


def past(connection: Connection, history: Scope, settings: SourceSettings) -> pl.DataFrame:
    """One row for each domain and source_key with mail in `history`, which is without what is in doubt.

    Counts (Int64; null where nothing was told) are messages over the history unless their name says otherwise: those
    of `reads_sources.volumes`, altered, altered_away, invented, own_pass, away, away_pass, borrowed, origins (places),
    vendor, own_keys (distinct), own_signed, unsigned, own_envelope_fail, kept, foreign_pass, foreign_fail,
    foreign_domains and passing_paths (distinct), listlike, list_paths, bouncelike, neutral, spf_pass, reasons,
    list_reasons, elsewhere_spf (in steps: see `elsewhere`), those of `traces.traced` and `dns_traces.dns_traced`.
    Beside them first_seen and domain_first_day over all time, and what is known of the source (`reads_sources.FACTS`).
    """
    volumes = reads.volumes(connection, history, settings.recent_days)
    signatures, envelopes = reads.signature_sums(connection, history), reads.envelope_sums(connection, history)
    # Homes are looked for among all of a domain's sources, so those without mail have to be known as well.
    keys = pl.concat(one["source_key"].unique() for one in (volumes, signatures, envelopes)).unique().to_list()
    facts = reads.source_facts(connection, keys).select("source_key", *reads.FACTS)
    pointers = Pointers(answers(connection, _organizations(volumes)), catalogue(), lasting=False)
    traces = fetch_traces(connection, history, settings, _own_hosts(volumes, pointers))
    place = _places(facts)
    return (
        volumes.join(reads.first_seen(connection, history).drop("last_seen"), on=KEY, how="left")
        .join(_signatures(_with_place(signatures, place)), on=KEY, how="left")
        .join(_envelopes(_with_place(envelopes, place)), on=KEY, how="left")
        .join(_reasons(reads.source_reasons(connection, history)), on=KEY, how="left")
        .join(traced(traces), on=KEY, how="left")
        .join(_dns(volumes, signatures, envelopes, facts, pointers), on=KEY, how="left")
        .join(elsewhere(connection, history), on=KEY, how="left")
        .join(facts, on="source_key", how="left")
    )


def _own_hosts(sources: pl.DataFrame, pointers: Pointers) -> list[tuple[str, str]]:
    """Each domain and address that its organizational domain's SPF record names as a host of its own."""
    hosts = pointers.own_hosts
    domains = sources.select("domain", org=organizational(pl.col("domain"))).unique(maintain_order=True)
    return [(domain, ip) for domain, org in domains.iter_rows() for ip in sorted(hosts.get(org, ()))]


def _organizations(sources: pl.DataFrame) -> list[str]:
    return sources.select(organizational(pl.col("domain")).unique().sort()).to_series().to_list()


def _dns(
    keys: pl.DataFrame, signatures: pl.DataFrame, envelopes: pl.DataFrame, facts: pl.DataFrame, pointers: Pointers
) -> pl.DataFrame:
    carried = facts.select("source_key", "carrier").drop_nulls().iter_rows()
    carriers = {key: service for key, name in carried if (service := catalogue().by_name(name))}
    return dns_traced(keys, signatures, envelopes, pointers, carriers)


def _places(facts: pl.DataFrame) -> pl.DataFrame:
    # A service is one place in all of its networks; who rents a server is another place than their neighbour.
    alone = pl.col("source_key").str.starts_with("svc:") | pl.col("service_type").is_in(list(HOSTS)).fill_null(False)
    return facts.select(
        "source_key", place=pl.when(alone).then("source_key").otherwise(pl.coalesce("as_domain", "source_key"))
    )


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
