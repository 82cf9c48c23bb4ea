"""All terms of a verdict: those of the mail, and those of who sends it, from where and when."""

from __future__ import annotations

import polars as pl

from analysis.term import (
    FAILS,
    HOST,
    MAILBOX,
    MONTHLY,
    NEVER,
    NOTHING,
    OFFICE,
    OTHER,
    OWN_NAME,
    SERVICE,
    STEADY,
    THIN,
    Term,
    share,
    size,
)
from analysis.terms_of_mail import OF_MAIL

TERMS = (
    *OF_MAIL,
    Term(
        "invented_key",
        share("invented", 0.5),
        "{invented:,} of {n:,} messages name a signing key of the domain's that never verified anywhere.",
        pro="spoofing",
        con="ours",
    ),
    Term(
        "invented_key_at_service",
        share("invented", 0.5) * ~HOST,
        "{invented:,} of {n:,} messages name a signing key that never verified, from a network not rented out.",
        pro="ours",
    ),
    Term(
        "service_own_name",
        OWN_NAME * SERVICE,
        "It authenticates with the service's name alone: this shows which service sent it, not for whom.",
        pro="ours",
    ),
    Term("other_own_name", OWN_NAME * OTHER, "It authenticates with its own name and not with the domain's."),
    Term(
        "mailbox_own_name",
        OWN_NAME * (MAILBOX & ~SERVICE),
        "A mailbox provider's mail with its own return path: somebody's mailbox, or mail it passed on.",
    ),
    Term(
        "tenant_own_name",
        OWN_NAME * HOST,
        "It authenticates, but as somebody else; anybody can do that from a rented server.",
        con="ours",
    ),
    Term(
        "tenant_own_key",
        share("vendor", 0.6) * FAILS * HOST * NEVER,
        "{vendor:,} of {n:,} messages are signed by somebody else, from a rented server.",
    ),
    Term(
        "nothing_authenticates",
        (NOTHING / 0.6).clip(0, 1) * HOST,
        "{unsigned:,} of {n:,} messages are unsigned, and SPF does not pass.",
        pro="spoofing",
        con="ours",
    ),
    Term(
        "nothing_authenticates_elsewhere",
        (NOTHING / 0.6).clip(0, 1) * ~HOST,
        "{unsigned:,} of {n:,} messages are unsigned and SPF does not pass, from a network not rented out.",
        pro="spoofing",
    ),
    Term(
        "our_return_path",
        share("own_envelope_fail", 0.6) * NEVER,
        "{own_envelope_fail:,} of {n:,} messages claim the domain as return path, from an address it does not allow.",
        pro="spoofing",
    ),
    Term(
        "invented_return_path",
        share("foreign_fail", 0.6) * NEVER,
        "{foreign_fail:,} of {n:,} messages have return paths that pass nowhere.",
        pro="spoofing",
        con="ours",
    ),
    Term(
        "invented_name",
        share("unreal", 0.5),
        "{unreal:,} of {n:,} messages are from names below the domain of which no mail ever aligned.",
        pro="spoofing",
    ),
    Term(
        "dns_points_here",
        share("dns_pointed", 0.5),
        "{dns_pointed:,} of {n:,} messages pass by a key or return path that the domain's own DNS points to it.",
        pro="ours",
        con="forwarded spoofing",
    ),
    Term(
        "dns_names_service",
        pl.col("dns_named") * FAILS,
        "The domain's own DNS names this service, by a key, a return path, an SPF include or its MX.",
        thin=False,
        pro="ours",
        con="spoofing",
    ),
    Term(
        "dns_names_others",
        pl.col("dns_known") & pl.col("listed") & ~pl.col("dns_named"),
        "The domain's own DNS does not name this service, by no key, return path, SPF include or MX.",
        thin=False,
        con="ours",
    ),
    Term(
        "own_host",
        share("own_host", 0.5),
        "DNS of the domain leads to the host: by the name that it bears, or as a host that the SPF record names.",
        thin=False,
        pro="ours",
        con="spoofing",
    ),
    Term(
        "lying_host",
        share("lying_host", 0.5),
        "The host has a name that does not lead back to it.",
        thin=False,
        pro="spoofing",
    ),
    Term(
        "named_host",
        share("named_host", 0.5) * pl.col("tenant"),
        "The host has a confirmed name of whoever runs it.",
        thin=False,
    ),
    Term(
        "blocklisted_host",
        # Of what nobody was asked for, nothing is known: that is neither clean nor listed.
        share("blocklisted", 0.5, "asked"),
        "{blocklisted:,} of {asked:,} messages whose hosts blocklists were asked for come from a host that is listed.",
        con="ours forwarded",
        least=0.5,
    ),
    Term(
        "host_network",
        HOST,
        "The network is a hoster's or access provider's: anybody can send from it.",
        thin=False,
        pro="spoofing",
    ),
    Term(
        "access_network",
        HOST & (pl.col("service_type") == "ISP"),
        "The network is an access provider's: homes, shops and offices.",
        thin=False,
    ),
    Term(
        "service_network",
        SERVICE,
        "The network belongs to a service that sends or builds mail for its customers.",
        thin=False,
    ),
    Term(
        "mailbox_network",
        MAILBOX,
        "The network belongs to a mailbox provider, which both sends and passes on.",
        thin=False,
        con="spoofing",
    ),
    Term(
        "forwarding_network",
        pl.col("forwarder"),
        "All that this service does is to pass mail on.",
        thin=False,
        pro="forwarded",
        con="ours",
    ),
    Term(
        "campus_network",
        pl.col("service_type") == "Education",
        "The network is a university's or school's, which forward for those who left.",
        thin=False,
        pro="forwarded",
    ),
    Term("few_messages", (pl.col("n") <= 3), "It sent {n:,} of the domain's {domain_n:,} messages.", thin=False),
    Term("much_mail", size("n", 10_000), "It sent {n:,} messages.", thin=False),
    Term("much_unaligned", size("n", 10_000) * NEVER, "It sent {n:,} messages, of which none aligned.", thin=False),
    Term(
        "more_than_sent",
        (((pl.col("n") + 1) / (pl.col("elsewhere_aligned") + 1)).log10() + 1).clip(0, 1) * FAILS,
        "It sent {n:,} messages, where all others of the domain's sources have {elsewhere_aligned:,} that aligned.",
        pro="ours spoofing",
        con="forwarded",
    ),
    Term(
        "unlisted_network",
        pl.col("service_type").is_null() & pl.col("as_domain").is_not_null(),
        "Nothing is known of the network's operator.",
        thin=False,
    ),
    Term("one_address", (pl.col("hosts") == 1) & (pl.col("n") > 20), "All of it comes from one address.", thin=False),
    Term(
        "many_addresses",
        ((pl.col("hosts") - 4) / 10).clip(0, 1) * HOST * NEVER,
        "It comes from {hosts:,} addresses of one rented network, and none of it aligns.",
        thin=False,
        pro="spoofing",
    ),
    Term("several_voices", size("voices", 10), "Reporters that tell of it: {voices:,}.", thin=False),
    Term("lone_voice", (pl.col("voices") == 1) & (pl.col("n") > 20), "Only one reporter tells of it.", thin=False),
    Term(
        "short_burst",
        NEVER * (pl.col("span_days") <= 10) * HOST,
        "Days from the first to the last of it: {span_days:,}.",
        thin=False,
        pro="spoofing",
    ),
    Term("steady", NEVER * STEADY, "It sent on {active_days:,} of {span_days:,} days.", thin=False, con="spoofing"),
    Term(
        "steady_service",
        NEVER * STEADY * ~HOST,
        "It sent on {active_days:,} of {span_days:,} days, from a network not rented out.",
        thin=False,
        con="spoofing",
    ),
    Term("one_day", share("largest"), "{largest:,} of {n:,} messages came on one day.", thin=False),
    Term("office_hours", OFFICE * NEVER, "{weekend:,} of {n:,} messages came at weekends.", thin=False, con="spoofing"),
    Term(
        "month_ends",
        MONTHLY * NEVER,
        "{month_end:,} of {n:,} messages came around the end of a month.",
        thin=False,
        pro="ours",
        con="spoofing",
    ),
    Term(
        "many_alike",
        NEVER * pl.col("in_vain") * (pl.col("peers").log1p() / 5).clip(0, 1),
        "Other rented networks that do the same: {peers:,}, in so many countries: {peer_countries:,}.",
        thin=False,
        pro="spoofing",
    ),
    Term(
        "began_together",
        NEVER * (pl.col("together").log1p() / 4).clip(0, 1),
        "Other rented networks that began within two days of it, and were as brief: {together:,}.",
        thin=False,
        pro="spoofing",
        con="ours",
    ),
    Term(
        "domain_sends_nothing",
        pl.col("domain_aligned") < 0.02 * pl.col("domain_n"),
        "Of all mail as this domain hardly any aligned: it may not send at all.",
        thin=False,
        pro="spoofing",
    ),
    Term(
        "mine_elsewhere",
        (pl.col("elsewhere_spf") / 20).clip(0, 1) * HOST,
        "Messages that it sent for other domains here, allowed by their SPF: {elsewhere_spf:,} or more.",
        thin=False,
        con="spoofing",
    ),
    Term(
        "served_elsewhere",
        (pl.col("elsewhere_spf") / 20).clip(0, 1) * (SERVICE | OTHER),
        "Other domains here send through it and allow it by SPF.",
        thin=False,
        con="spoofing",
    ),
)


def amounts(rows: pl.DataFrame) -> pl.DataFrame:
    """How much of each term there is in each row of `evidence.evidence`: one column a term, by its code."""
    strength = pl.col("n") / (pl.col("n") + THIN)
    return rows.select(
        (term.amount.cast(pl.Float64).fill_null(0).fill_nan(0) * (strength if term.thin else 1.0)).alias(term.code)
        for term in TERMS
    )
