"""Terms drawn from signatures and return paths, and from what receivers say of them."""

from __future__ import annotations

import polars as pl

from analysis.term import ALIGNS, EARLIER, FAILS, SPF_FAILS, UNALIGNED, Term, share, size

OF_MAIL = (
    Term(
        "aligned_now",
        ALIGNS,
        "{recent_aligned:,} of its last {recent_n:,} messages aligned.",
        pro="ours",
        con="spoofing",
    ),
    Term("not_aligned_now", FAILS, "Only {recent_aligned:,} of its last {recent_n:,} messages aligned.", con="ours"),
    Term(
        "spf_aligned",
        share("spf_aligned", 0.5),
        "{spf_aligned:,} of {n:,} messages aligned by SPF: the domain's own record allows this address.",
        pro="ours",
        con="spoofing",
    ),
    Term(
        "some_aligned",
        (share("heard_aligned", 0.3, "heard")) * FAILS,
        "{dkim_aligned:,} messages aligned by DKIM, {spf_aligned:,} by SPF: somebody with the domain's keys or record.",
        con="spoofing",
    ),
    Term(
        "aligned_before",
        share("earlier_aligned", 0.8, "earlier_n") * EARLIER * FAILS * (1 - share("away")),
        "{earlier_aligned:,} of {earlier_n:,} earlier messages aligned.",
        pro="ours",
        con="spoofing",
    ),
    Term(
        "own_key_at_home",
        share(pl.col("own_pass") - pl.col("borrowed"), 0.5),
        "{own_pass:,} of {n:,} messages are validly signed in the domain's name, mostly with keys at home here.",
        pro="ours",
        con="spoofing",
    ),
    Term(
        "others_keys",
        share("away_pass", 0.5) * (1 - share("spf_aligned", 0.3)),
        "{away_pass:,} of {n:,} messages pass with a signing key of the domain's that is at home in another network.",
        pro="forwarded",
        con="ours spoofing",
    ),
    Term(
        "some_others_keys",
        size("away_pass", 20) * (1 - share("spf_aligned")),
        "{away_pass:,} messages pass with a key that is at home elsewhere: only mail of the domain's senders does.",
        pro="forwarded",
        con="ours spoofing",
    ),
    Term(
        "kept_return_path",
        size("kept", 20) * (1 - share("spf_aligned")),
        "{kept:,} of {n:,} messages have the return path of a sender in another network.",
        pro="forwarded",
        con="ours",
    ),
    Term(
        "several_senders",
        ((pl.col("origins") - 1) / 2).clip(0, 1) * share("away_pass", 0.1),
        "Mail of {origins:,} different senders comes through here.",
        pro="forwarded",
        con="ours spoofing",
    ),
    Term(
        "redirected",
        pl.min_horizontal(share("own_envelope_fail", 0.4), share("away_pass", 0.4)),
        "{own_envelope_fail:,} of {n:,} messages kept the domain as return path, from an address it does not allow.",
        pro="forwarded",
        con="ours",
    ),
    Term(
        "second_home",
        pl.min_horizontal(share("borrowed", 0.5), share(SPF_FAILS, 0.8)),
        "{borrowed:,} of {n:,} messages are signed with a key that is mostly used elsewhere, and SPF does not pass.",
        pro="forwarded",
        con="ours spoofing",
    ),
    Term(
        "sent_again",
        pl.min_horizontal(share("away_pass", 0.5), 1 - share("spf_pass", 0.5)) * (pl.col("span_days") <= 10),
        "Days from the first to the last of it: {span_days:,}, signed with a key at home elsewhere: maybe sent again.",
        con="ours",
        least=2.0,
    ),
    Term(
        "rewritten",
        pl.min_horizontal(share("borrowed", 0.5), share("foreign_pass", 0.8)),
        "{borrowed:,} of {n:,} messages have a key that is mostly used elsewhere, under another return path.",
        pro="forwarded",
        con="ours spoofing",
    ),
    Term(
        "several_paths",
        ((pl.col("passing_paths") - 1) / 3).clip(0, 1) * share("foreign_pass", 0.5),
        "Its mail has return paths of {passing_paths:,} different domains that pass.",
        pro="forwarded",
        con="ours",
    ),
    Term(
        "reporters_say_forwarded",
        (pl.col("reasons") / UNALIGNED / 0.3).clip(0, 1) * (pl.col("reasons") > 0),
        "For {reasons:,} of {n:,} messages the receiver said that they were forwarded or came through a list.",
        pro="forwarded",
        con="ours spoofing",
    ),
    Term(
        "list_return_path",
        share("listlike", 0.5),
        "{listlike:,} of {n:,} messages have a return path named as lists and forwarders name theirs.",
        pro="forwarded",
        con="ours",
    ),
    Term(
        "service_return_path",
        share("bouncelike", 0.5) * FAILS,
        "{bouncelike:,} of {n:,} messages have a return path named as services name those for bounces.",
        pro="ours",
    ),
    Term(
        "altered_on_the_way",
        share("altered_away", 0.3),
        "{altered_away:,} of {n:,} messages carry a real signature of another sender that no longer verifies.",
        pro="forwarded",
        con="ours",
    ),
    Term(
        "broken_signature",
        share("altered", 0.5) * FAILS,
        "{altered:,} of {n:,} messages are signed with a key that verified before, and fail now.",
        pro="ours",
    ),
)
