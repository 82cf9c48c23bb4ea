"""What became of the signatures: a selector gone, new or no longer valid, another domain's signature, none at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import Final

import polars as pl

from analysis.around import Seen, Shares, Window, by_selector, messages, within
from analysis.cause import Clue, clue, commonest, day_name, from_to, outranking, percent
from analysis.remarks import MEANINGS

GONE: Final = 0.2  # what is left of something that has vanished, at most
NEW: Final = 0.1  # what there was before of something new, at most

NAMELESS: Final = pl.col("selector").is_null()

# These say what is wrong, where the results say only that something is; so they come first.
TOLD: Final = 1.05
REPLACED: Final = 1.03  # a service's signature that begins when ours goes


def remarks(window: Window, seen: Seen) -> Iterator[Clue]:
    """What receivers remark on failed signatures: only some of them do, so it is their own mail that counts.

    Of `seen.remarks`, the share of each kind among all that anything was remarked on, before and after.
    """
    rows = seen.remarks
    if "dkim" not in window.mechanisms or not window.change.loss or rows.is_empty():
        return
    sides = [within(rows, days) for days in (window.before, window.after)]
    totals = [max(1, messages(part)) for part in sides]
    for code, (_, sentence) in MEANINGS.items():
        early, late = (part.filter(pl.col("code") == code) for part in sides)
        before, after = messages(early) / totals[0], messages(late) / totals[1]
        on = f"on {percent(after)} of the mail they remark on since {day_name(window.change.started_on)}"
        said = f"{sentence}, {on} and on {percent(before)} before."
        yield clue(code, outranking(window.explains(after - before), TOLD), said, commonest(late, "remark"))


def selectors(window: Window, seen: Seen) -> Iterator[Clue]:
    """What became of each of the domain's own selectors, those that signed most before first."""
    if "dkim" not in window.mechanisms:
        return
    of = _lost if window.change.loss else _won
    rows = seen.signatures.filter("own")
    shares = [
        (f"{selector} ({domain})", _with_unnamed(window, rows.filter(pl.col("signing_domain") == domain), part))
        for domain, selector, part in by_selector(rows)
    ]
    for subject, one in sorted(shares, key=lambda each: -each[1].before):
        yield from of(window, one, subject)


def signers(window: Window, seen: Seen) -> Iterator[Clue]:
    """Whether mail is signed by nobody now, or by another domain alone (the service's own, say)."""
    if "dkim" not in window.mechanisms:
        return
    loss, rows = window.change.loss, seen.signatures
    mine = window.shares(rows.filter("own"))
    none = window.shares(rows.filter(pl.col("signing_domain").is_null()))
    unsigned = none.after - none.before
    yield clue(
        "unsigned" if loss else "signed",
        0.95 * window.explains(unsigned if loss else -unsigned),
        f"Mail without any signature went {from_to(none.before, none.after)}.",
    )
    only_others = [max(0.0, 1 - own - bare) for own, bare in ((mine.before, none.before), (mine.after, none.after))]
    moved = only_others[1] - only_others[0]
    theirs = rows.filter(~pl.col("own"))
    both, others = window.shares(theirs), within(theirs, window.after if loss else window.before)
    # A service that signed beside us all the time is no news; one that began when our signature went is the cause.
    began = (both.after - both.before) * (1 if loss else -1) >= abs(moved) / 2
    explained = window.explains(moved if loss else -moved)
    yield clue(
        "signing_domain_changed",
        outranking(explained, REPLACED) if began else 0.8 * explained,
        f"Mail signed by another domain alone went {from_to(*only_others)}.",
        commonest(others, "signing_domain"),
    )


def _with_unnamed(window: Window, rows: pl.DataFrame, part: pl.DataFrame) -> Shares:
    """The shares of a selector's rows, with its part of what its domain signed by `rows` that leave the selector out.

    Else a reporter that names none would make each selector seem to explain less than it does.
    """
    mine = window.shares(part)
    if not rows["selector"].null_count():
        return mine
    own, named, unnamed = (
        astuple(one) for one in (mine, *(window.shares(rows.filter(which)) for which in (~NAMELESS, NAMELESS)))
    )
    whole = list[float]()
    for at, other_time in enumerate((1, 0, 3, 2)):  # before and after, all of it and what passes
        told = at if named[at] else other_time
        whole.append(min(1.0, own[at] + unnamed[at] * own[told] / max(named[told], 1e-9)))
    return Shares(*whole)


def _lost(window: Window, part: Shares, subject: str) -> Iterator[Clue]:
    at, weight = day_name(window.change.started_on), window.explains(part.lost)
    if part.after <= GONE * part.before:
        sentence = f"A selector that signed {percent(part.before)} of the mail signs {percent(part.after)}"
        yield clue("selector_vanished", weight, f"{sentence} since {at}.", subject)
    elif part.before - part.after > part.lost / 2 > 0:
        sentence = f"Mail signed with one selector went {from_to(part.before, part.after)} since {at}."
        yield clue("selector_fading", 0.85 * weight, sentence, subject)  # where its mail went says more
    else:
        yield clue(
            "selector_fails",
            weight,
            f"A selector still signs {percent(part.after)} of the mail, but its signatures are valid on "
            f"{percent(part.passing_after)} instead of {percent(part.passing_before)} since {at}.",
            subject,
        )
    if part.before < NEW * part.after:
        sentence = f"A selector first used about {at} signs {percent(part.after)} of the mail"
        valid = f"and is valid on {percent(part.passing_after)}."
        yield clue("selector_new", window.explains(part.after - part.passing_after), f"{sentence}, {valid}", subject)


def _won(window: Window, part: Shares, subject: str) -> Iterator[Clue]:
    at, weight = day_name(window.change.started_on), window.explains(-part.lost)
    if part.before < NEW * part.after:
        sentence = f"A selector not used in the weeks before signs {percent(part.after)} of the mail since {at}."
        yield clue("selector_new", weight, sentence, subject)
    else:
        moved = from_to(part.passing_before, part.passing_after)
        sentence = f"Mail with a valid signature by one selector went {moved} since {at}."
        yield clue("selector_valid_again", weight, sentence, subject)
