"""What the domain's owner publishes: the record of the policy, keys, return paths, and whom SPF allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import polars as pl

from analysis.around import Seen, Window, by_selector
from analysis.cause import Cause, Clue, clue, day_name, from_to, outranking
from analysis.change import Change
from analysis.dns_edits import DnsEdit
from analysis.history import PolicyChange
from ingest.probes import keys

NEAR: Final = timedelta(days=4)  # a record's edit and its effect: caches hold records for a day or two
EDITED: Final = 1.1  # an edit that was seen says more than the failures that follow from it
INCLUDED: Final = 0.85  # of that, for a record that only an include can lead to


def modes(window: Window, seen: Seen) -> Iterator[Clue]:
    """Whether the domain's record began to ask for strict alignment, or ceased to."""
    change = window.change
    to, how = ("s", "strict") if change.loss else ("r", "relaxed")
    for edit in _policy_edits(change, seen):
        if {"adkim": "dkim", "aspf": "spf"}.get(edit.tag) in window.mechanisms and edit.after == to:
            sentence = f"The domain's record asks for {how} alignment ({edit.tag}) since {day_name(edit.day)}."
            yield clue("alignment_mode", 0.99, sentence)


def edits(window: Window, seen: Seen) -> Iterator[Clue]:
    """Edits in DNS at about that time, of the very names that the source's mail passes by.

    An edit of a key's name explains what became of that key's signatures, one of SPF or of a return path what
    became of its results.
    """
    change = window.change
    near = [one for one in seen.edits if one.first - NEAR <= change.started_on <= one.last + NEAR]
    if near and "dkim" in window.mechanisms:
        signed = seen.signatures.filter("own")
        for domain, selector, part in by_selector(signed):
            for one in near:
                if one.name == f"{selector}._domainkey.{domain}".lower():
                    # Reporters may leave the selector out; such signatures may be by this key.
                    unnamed = signed.filter((pl.col("signing_domain") == domain) & pl.col("selector").is_null())
                    shares = window.shares(pl.concat([part, unnamed]))
                    yield _edited(window, one, "dns_key", (shares.passing_before, shares.passing_after))
    if near and "spf" in window.mechanisms:
        rows = seen.envelopes.filter("own")
        shares = window.shares(rows)
        paths = {str(name).lower() for name in rows["spf_domain"].drop_nulls()}
        for one in near:
            if one.of_spf or one.name in paths:
                code = "dns_spf" if one.of_spf else "dns_path"
                found = _edited(window, one, code, (shares.passing_before, shares.passing_after))
                # What another name's record allows reaches this mail by way of an include, if at all.
                yield found if one.name in paths else replace(found, weight=INCLUDED * found.weight)


WORDS: Final = {
    "dns_key": ("The DNS record of a key was edited", "valid signatures by it went"),
    "dns_spf": ("An SPF record was edited", "mail for which SPF passes went"),
    "dns_path": ("The DNS record of an envelope sender's name was edited", "mail for which SPF passes went"),
}


def _of_key(edit: DnsEdit) -> str:
    """What became of a key, as far as its record tells."""
    left = keys.records(edit.records) if edit.rdtype == "TXT" else ()
    if edit.rdtype == "TXT" and not left:
        return "A key was taken out of DNS"
    if any(keys.withdrawn(record) for record in left):
        return "A key was withdrawn (its p= is empty)"
    lengths = [length for record in left if (length := keys.bits(record))]
    if lengths and max(lengths) < keys.LEAST:
        return f"A key was replaced by one of {max(lengths)} bits, which receivers must not accept,"
    if left and any(term.startswith("p=") for term in edit.gone) and any(term.startswith("p=") for term in edit.come):
        return "A key was replaced by another"
    return WORDS["dns_key"][0]


def _edited(window: Window, one: DnsEdit, code: str, passing: tuple[float, float]) -> Clue:
    what, effect = WORDS[code]
    what = _of_key(one) if code == "dns_key" else what
    when = f"on {day_name(one.last)}"
    if one.first != one.last:
        when = f"between {day_name(one.first)} and {day_name(one.last)}"
    gained = passing[1] - passing[0]
    weight = outranking(window.explains(-gained if window.change.loss else gained), EDITED)
    return clue(code, weight, f"{what} {when}; {effect} {from_to(*passing)}.", one.described())


def _policy_edits(change: Change, seen: Seen) -> list[PolicyChange]:
    return [e for e in seen.policies if e.domain == change.domain and abs(e.day - change.started_on) <= NEAR]


def beside(change: Change, seen: Seen) -> Iterator[Cause]:
    """What is no cause but belongs beside it: an edit of the policy, a single witness."""
    for edit in _policy_edits(change, seen):
        if edit.tag in ("p", "sp", "np"):
            sentence = f"The domain's policy ({edit.tag}) changed on {day_name(edit.day)}, about the same time."
            yield Cause("policy_changed", sentence)
    if change.able_reporters <= 1:
        yield Cause("one_reporter", "Only one reporter sees enough of this source to tell; it may be at fault.")
