"""Why did it change? What else in the reports changed at that time, the likeliest cause first.

Selectors, domains and addresses in reports are written by whoever sent the mail or the report, so they
never stand in a sentence: they are a cause's `subject`, cleaned and cut, for the caller to show as such.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from ipaddress import ip_address, ip_network

import polars as pl

from analysis.around import Seen, Shares, Window, messages, of_source, within
from analysis.change import Change
from analysis.history import PolicyChange

NEAR = timedelta(days=4)  # a record's edit and its effect: caches hold records for a day or two
WORTH = 0.3  # share of the change that a cause must explain to be named
GONE = 0.2  # what is left of something that has vanished, at most
NEW = 0.1  # what there was before of something new, at most


@dataclass(frozen=True, slots=True)
class Cause:
    """The likeliest cause: a stable code ('none_seen' where there is none), and a sentence.

    `subject` is the selector, domain or network it is about: text from reports, to be shown as such and
    never as part of a sentence. It is at most 120 characters and holds no control characters.
    """

    code: str
    sentence: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Clue:
    """A cause with the share of the change that it explains, between 0 and 1."""

    cause: Cause
    weight: float


NONE_SEEN = Cause("none_seen", "Nothing else in the reports changed at that time.")


def causes(change: Change, seen: Seen) -> tuple[Cause, ...]:
    """Every cause that explains a good part of the change, the likeliest first; `none_seen` where none does.

    What is no cause but belongs beside it comes last: an edit of the policy, a single witness.
    """
    window = Window.of(change, seen)
    clues = list[Clue]()
    if window.total_before and window.total_after:
        clues = [clue for find in (_selectors, _envelopes, _addresses, _modes) for clue in find(window, seen)]
    likely = sorted((clue for clue in clues if clue.weight >= WORTH), key=lambda clue: -clue.weight)
    return (*([clue.cause for clue in likely] or [NONE_SEEN]), *_background(change, seen))


def shown(text: str | None) -> str:
    """Text from reports, fit to be shown: one line of at most 120 characters, nothing invisible."""
    kept = "".join(c for c in text or "" if unicodedata.category(c)[0] not in "CZ" or c == " ")
    return kept[:120]


def percent(share: float) -> str:
    """A share in words that round neither a little to nothing nor almost all to all."""
    if 0 < share < 0.005:
        return "less than 1 %"
    if 0.995 <= share < 1:
        return "almost 100 %"
    return f"{100 * share:.0f} %"


def day_name(day: date) -> str:
    """A date as people write it: 3 August 2026."""
    return f"{day.day} {day:%B %Y}"


def _clue(code: str, weight: float, sentence: str, subject: str = "") -> Clue:
    return Clue(Cause(code, sentence, shown(subject)), weight)


def _from_to(before: float, after: float) -> str:
    return f"from {percent(before)} to {percent(after)}"


def _commonest(rows: pl.DataFrame, column: str) -> str:
    top = rows.drop_nulls(column).group_by(column).agg(pl.col("messages").sum())
    top = top.sort("messages", column, descending=[True, False])
    return str(top[column][0]) if top.height else ""


def _selectors(window: Window, seen: Seen) -> Iterator[Clue]:
    """What became of the signatures: gone, no longer valid, by another domain only, none at all, or new."""
    if "dkim" not in window.mechanisms:
        return
    loss, rows = window.change.loss, of_source(seen.signatures, window.change)
    for key, part in rows.filter("own").partition_by("signing_domain", "selector", as_dict=True).items():
        # Reporters may leave the selector out; such rows stand for all selectors at once.
        if key[1] is not None:
            clue = _selector_lost if loss else _selector_won
            yield from clue(window, window.shares(part), f"{key[1]} ({key[0]})")
    mine = window.shares(rows.filter("own"))
    none = window.shares(rows.filter(pl.col("signing_domain").is_null()))
    unsigned = none.after - none.before
    yield _clue(
        "unsigned" if loss else "signed",
        0.95 * window.explains(unsigned if loss else -unsigned),
        f"Mail without any signature went {_from_to(none.before, none.after)}.",
    )
    only_others = [max(0.0, 1 - own - bare) for own, bare in ((mine.before, none.before), (mine.after, none.after))]
    moved = only_others[1] - only_others[0]
    others = within(rows.filter(~pl.col("own")), window.after if loss else window.before)
    yield _clue(
        "signing_domain_changed",
        0.9 * window.explains(moved if loss else -moved),
        f"Mail signed by another domain alone went {_from_to(*only_others)}.",
        _commonest(others, "signing_domain"),
    )


def _selector_lost(window: Window, part: Shares, subject: str) -> Iterator[Clue]:
    at, weight = day_name(window.change.started_on), window.explains(part.lost)
    if part.after <= GONE * part.before:
        sentence = f"A selector that signed {percent(part.before)} of the mail signs {percent(part.after)}"
        yield _clue("selector_vanished", weight, f"{sentence} since {at}.", subject)
    elif part.before - part.after > part.lost / 2 > 0:
        sentence = f"Mail signed with one selector went {_from_to(part.before, part.after)} since {at}."
        yield _clue("selector_fading", weight, sentence, subject)
    else:
        yield _clue(
            "selector_fails",
            weight,
            f"A selector still signs {percent(part.after)} of the mail, but its signatures are valid on "
            f"{percent(part.passing_after)} instead of {percent(part.passing_before)} since {at}.",
            subject,
        )
    if part.before < NEW * part.after:
        sentence = f"A selector first used about {at} signs {percent(part.after)} of the mail"
        valid = f"and is valid on {percent(part.passing_after)}."
        yield _clue("selector_new", window.explains(part.after - part.passing_after), f"{sentence}, {valid}", subject)


def _selector_won(window: Window, part: Shares, subject: str) -> Iterator[Clue]:
    at, weight = day_name(window.change.started_on), window.explains(-part.lost)
    if part.before < NEW * part.after:
        sentence = f"A selector not used in the weeks before signs {percent(part.after)} of the mail since {at}."
        yield _clue("selector_new", weight, sentence, subject)
    else:
        moved = _from_to(part.passing_before, part.passing_after)
        sentence = f"Mail with a valid signature by one selector went {moved} since {at}."
        yield _clue("selector_valid_again", weight, sentence, subject)


def _envelopes(window: Window, seen: Seen) -> Iterator[Clue]:
    """What became of the envelope senders: other domains, or the same ones that SPF does not pass as before."""
    if "spf" not in window.mechanisms:
        return
    change, rows = window.change, of_source(seen.envelopes, window.change)
    mine, at = window.shares(rows.filter("own")), day_name(change.started_on)
    moved = mine.before - mine.after
    now = within(rows, window.after)
    yield _clue(
        "envelope_changed",
        window.explains(moved if change.loss else -moved),
        f"Mail with an envelope sender in the domain itself went {_from_to(mine.before, mine.after)} since {at}.",
        _commonest(now.filter(pl.col("own") != change.loss), "spf_domain"),
    )
    failing = (mine.after - mine.passing_after) - (mine.before - mine.passing_before)
    errors = window.shares(rows.filter(pl.col("own") & pl.col("result").is_in(["permerror", "temperror"])))
    weight = window.explains(failing if change.loss else -failing)
    subject = _commonest(now.filter("own"), "spf_domain")
    same = "Envelope senders are as before, but"
    if change.loss and errors.after - errors.before > failing / 2:
        sentence = (
            f"{same} mail for which SPF ends in an error went {_from_to(errors.before, errors.after)} since {at}."
        )
        yield _clue("spf_error", weight, sentence, subject)
    else:
        code = "spf_fails" if change.loss else "spf_passes_again"
        sentence = (
            f"{same} mail for which SPF passes went {_from_to(mine.passing_before, mine.passing_after)} since {at}."
        )
        yield _clue(code, weight, sentence, subject)


def _addresses(window: Window, seen: Seen) -> Iterator[Clue]:
    """Whether the change came with addresses that the source had not used before."""
    change, rows = window.change, of_source(seen.addresses, window.change)
    is_new = pl.col("first_seen") >= change.started_on - NEAR
    new, old = rows.filter(is_new), rows.filter(~is_new)
    if not new.height or not old.height:
        return
    since = messages(of_source(seen.messages, change).filter(pl.col("day") >= change.started_on))
    share = min(1.0, messages(new) / max(1, since))
    column = {"dkim": "dkim_aligned", "spf": "spf_aligned"}.get(change.mechanism, "aligned")
    rate = messages(new, column) / max(1, messages(new))
    better = (change.before - rate) if change.loss else (rate - change.before)
    elsewhere = not {_network(ip) for ip in new["source_ip"]} <= {_network(ip) for ip in old["source_ip"]}
    yield _clue(
        "new_networks" if elsewhere else "new_addresses",
        0.97 * window.explains(share * better),
        f"{'Networks' if elsewhere else 'Addresses'} not used before send {percent(share)} of the mail since "
        f"{day_name(change.started_on)}; {percent(rate)} of theirs are aligned.",
        _network(str(new.sort("messages", descending=True)["source_ip"][0])),
    )


def _network(text: str) -> str:
    """The block that an address is in, as they are handed out: /24 for IPv4, /48 for IPv6."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _modes(window: Window, seen: Seen) -> Iterator[Clue]:
    """Whether the domain's record began to ask for strict alignment, or ceased to."""
    change = window.change
    to, how = ("s", "strict") if change.loss else ("r", "relaxed")
    for edit in _edits(change, seen):
        if {"adkim": "dkim", "aspf": "spf"}.get(edit.tag) in window.mechanisms and edit.after == to:
            sentence = f"The domain's record asks for {how} alignment ({edit.tag}) since {day_name(edit.day)}."
            yield _clue("alignment_mode", 0.99, sentence)


def _edits(change: Change, seen: Seen) -> list[PolicyChange]:
    return [e for e in seen.policies if e.domain == change.domain and abs(e.day - change.started_on) <= NEAR]


def _background(change: Change, seen: Seen) -> Iterator[Cause]:
    for edit in _edits(change, seen):
        if edit.tag in ("p", "sp", "np"):
            sentence = f"The domain's policy ({edit.tag}) changed on {day_name(edit.day)}, about the same time."
            yield Cause("policy_changed", sentence)
    if change.able_reporters <= 1:
        yield Cause("one_reporter", "Only one reporter sees enough of this source to tell; it may be at fault.")
