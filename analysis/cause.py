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

from analysis.change import Change
from analysis.history import PolicyChange
from ingest.alignment import aligned

BEFORE = timedelta(days=28)
AFTER = timedelta(days=14)
NEAR = timedelta(days=4)  # a record's edit and its effect: caches hold records for a day or two
WORTH = 0.3  # share of the change that a cause must explain to be named


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
class Seen:
    """What reports say about the sources that drifted, as warehouse.reads gives it.

    `messages` is reads.source_days, `signatures`, `envelopes` and `addresses` as their namesakes,
    `policies` the changes of each domain's record.
    """

    messages: pl.DataFrame
    signatures: pl.DataFrame
    envelopes: pl.DataFrame
    addresses: pl.DataFrame
    policies: list[PolicyChange]


@dataclass(frozen=True, slots=True)
class Clue:
    """A cause with the share of the change that it explains, between 0 and 1."""

    cause: Cause
    weight: float


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of a source's mail had something before and after: present, and passing with alignment."""

    present_before: float
    present_after: float
    passing_before: float
    passing_after: float


NONE_SEEN = Cause("none_seen", "Nothing else in the reports changed at that time.")


def causes(change: Change, seen: Seen) -> tuple[Cause, ...]:
    """Every cause that explains a good part of the change, the likeliest first; `none_seen` alone else."""
    window = _Window.of(change, seen)
    clues = [clue for find in (_selectors, _envelopes, _addresses, _modes) for clue in find(window, seen)]
    found = sorted((clue for clue in clues if clue.weight >= WORTH), key=lambda clue: -clue.weight)
    named = tuple(clue.cause for clue in found) + tuple(_background(change, seen))
    return named or (NONE_SEEN,)


def shown(text: str | None) -> str:
    """Text from reports, fit to be shown: one line of at most 120 characters, nothing invisible."""
    kept = "".join(c for c in text or "" if unicodedata.category(c)[0] not in "CZ" or c == " ")
    return kept[:120]


def percent(share: float) -> str:
    """A share in words that never round a little to nothing or most to all."""
    if 0 < share < 0.005:
        return "less than 1 %"
    if 0.995 <= share < 1:
        return "almost 100 %"
    return f"{100 * share:.0f} %"


def day_name(day: date) -> str:
    """A date as people write it: 3 August 2026."""
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True, slots=True)
class _Window:
    """The days before and after one change, and the source's messages in them."""

    change: Change
    before: tuple[date, date]
    after: tuple[date, date]
    total_before: int
    total_after: int

    @classmethod
    def of(cls, change: Change, seen: Seen) -> _Window:
        first = change.started_on
        last = seen.messages["day"].max() if not seen.messages.is_empty() else first
        assert isinstance(last, date)
        if change.until:
            last = change.until - timedelta(days=1)
        settled = change.ended_on or first
        if change.shape == "slide" and change.ended_on is None:
            settled = max(first, last - AFTER)
        after = (settled, min(last, settled + AFTER))
        before = (first - BEFORE, first - timedelta(days=1))
        mine = of_source(seen.messages, change)
        totals = [_sum(mine.filter(pl.col("day").is_between(*days))) for days in (before, after)]
        return cls(change, before, after, *totals)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The mechanisms to look into: its own, or for DMARC the one that led."""
        if self.change.mechanism != "dmarc":
            return (self.change.mechanism,)
        return (self.change.follows,) if self.change.follows else ("dkim", "spf")

    def share(self, messages: float) -> float:
        """The part of the change that so great a move of shares explains."""
        return min(1.0, max(0.0, messages / abs(self.change.after - self.change.before)))

    def shares(self, rows: pl.DataFrame, passing: pl.Expr) -> Shares:
        """Shares of the source's messages among `rows`, which have day and messages."""
        sums = []
        for days, total in ((self.before, self.total_before), (self.after, self.total_after)):
            part = rows.filter(pl.col("day").is_between(*days))
            sums += [min(1.0, _sum(chosen) / max(1, total)) for chosen in (part, part.filter(passing))]
        return Shares(sums[0], sums[2], sums[1], sums[3])


def of_source(frame: pl.DataFrame, change: Change) -> pl.DataFrame:
    """The rows of a frame that are about the change's source."""
    return frame.filter((pl.col("domain") == change.domain) & (pl.col("source_key") == change.source_key))


def _sum(rows: pl.DataFrame, column: str = "messages") -> int:
    return int(rows[column].sum())


PASS = pl.col("result") == "pass"


def _selectors(window: _Window, seen: Seen) -> Iterator[Clue]:
    """What became of the signatures: gone, no longer valid, by another domain, none at all, or new ones."""
    if "dkim" not in window.mechanisms or not window.total_before or not window.total_after:
        return
    change, rows = window.change, of_source(seen.signatures, window.change)
    own = pl.col("signing_domain").map_elements(
        lambda name: aligned(change.domain, name), return_dtype=pl.Boolean, skip_nulls=True
    )
    rows = rows.with_columns(own=own.fill_null(value=False))
    for key, part in rows.filter("own").partition_by("signing_domain", "selector", as_dict=True).items():
        yield from _selector(window, window.shares(part, PASS), f"{key[1] or ''} ({key[0]})")
    others = window.shares(rows.filter(~pl.col("own") & pl.col("signing_domain").is_not_null()), PASS)
    mine = window.shares(rows.filter("own"), PASS)
    gone = mine.present_before - mine.present_after
    sign = 1 if change.loss else -1
    if others.present_after > 0.2 and sign == 1:
        sentence = (
            f"Signatures by the domain itself went from {percent(mine.present_before)} of the messages to "
            f"{percent(mine.present_after)}; {percent(others.present_after)} carry another domain's."
        )
        names = rows.filter(~pl.col("own") & pl.col("day").is_between(*window.after)).drop_nulls("signing_domain")
        weight = 0.9 * window.share(min(gone, others.present_after))
        yield Clue(Cause("signing_domain_changed", sentence, _commonest(names, "signing_domain")), weight)
    unsigned = window.shares(rows.filter(pl.col("signing_domain").is_null()), PASS)
    moved = sign * (unsigned.present_after - unsigned.present_before)
    sentence = (
        f"Messages without any signature went from {percent(unsigned.present_before)} to "
        f"{percent(unsigned.present_after)}."
    )
    yield Clue(Cause("unsigned" if sign == 1 else "signed", sentence), 0.95 * window.share(moved))


def _selector(window: _Window, part: Shares, subject: str) -> Iterator[Clue]:
    lost = part.passing_before - part.passing_after
    at = day_name(window.change.started_on)
    if not window.change.loss:
        if part.present_before < 0.1 * part.present_after:
            sentence = (
                f"A selector that was not there before signs {percent(part.present_after)} of the messages since {at}."
            )
            yield _clue("selector_new", sentence, subject, window.share(-lost))
        else:
            sentence = (
                f"The same selector's signatures were valid on {percent(part.passing_before)} of the messages, "
                f"and on {percent(part.passing_after)} since {at}."
            )
            yield _clue("selector_valid_again", sentence, subject, 0.98 * window.share(-lost))
        return
    if part.present_after <= 0.2 * part.present_before or part.present_before - part.present_after > 0.7 * lost > 0:
        sentence = (
            f"A selector that signed {percent(part.present_before)} of the messages before {at} signs "
            f"{percent(part.present_after)} since."
        )
        code = "selector_vanished" if part.present_after <= 0.2 * part.present_before else "selector_fading"
        yield _clue(code, sentence, subject, window.share(lost))
    elif lost > 0:
        sentence = (
            f"A selector still signs {percent(part.present_after)} of the messages, but its signatures are valid "
            f"on {percent(part.passing_after)} instead of {percent(part.passing_before)} since {at}."
        )
        yield _clue("selector_fails", sentence, subject, window.share(lost))
    failing = part.present_after - part.passing_after
    if part.present_before < 0.1 * part.present_after:
        sentence = f"A selector first seen about {at} signs {percent(part.present_after)} of the messages, and fails."
        yield _clue("selector_new", sentence, subject, window.share(failing))


def _clue(code: str, sentence: str, subject: str, weight: float) -> Clue:
    return Clue(Cause(code, sentence, shown(subject)), weight)


def _commonest(rows: pl.DataFrame, column: str) -> str:
    top = rows.group_by(column).agg(pl.col("messages").sum()).sort("messages", column, descending=[True, False])
    return shown(top[column][0]) if top.height else ""


def _envelopes(window: _Window, seen: Seen) -> Iterator[Clue]:
    """What became of the envelope domains: others in use, or the same ones that SPF no longer passes."""
    if "spf" not in window.mechanisms or not window.total_before or not window.total_after:
        return
    change, rows = window.change, of_source(seen.envelopes, window.change)
    own = pl.col("spf_domain").map_elements(
        lambda name: aligned(change.domain, name), return_dtype=pl.Boolean, skip_nulls=True
    )
    rows = rows.with_columns(own=own.fill_null(value=False))
    mine = window.shares(rows.filter("own"), PASS)
    sign = 1 if change.loss else -1
    moved = sign * (mine.present_before - mine.present_after)
    sentence = (
        f"Envelope senders in the domain went from {percent(mine.present_before)} of the messages to "
        f"{percent(mine.present_after)} since {day_name(change.started_on)}."
    )
    since = rows.filter(pl.col("day").is_between(*window.after) & (pl.col("own") != change.loss))
    yield _clue("envelope_changed", sentence, _commonest(since, "spf_domain"), window.share(moved))
    yield from _spf_results(window, rows.filter("own"), mine)


def _spf_results(window: _Window, rows: pl.DataFrame, mine: Shares) -> Iterator[Clue]:
    sign = 1 if window.change.loss else -1
    failing_before = mine.present_before - mine.passing_before
    failing_after = mine.present_after - mine.passing_after
    errors = window.shares(rows.filter(pl.col("result").is_in(["permerror", "temperror"])), PASS)
    broken = sign == 1 and errors.present_after - errors.present_before > (failing_after - failing_before) / 2
    kept = "The envelope senders are the same, but "
    sentence = (
        f"{kept}SPF ends in an error for {percent(errors.present_after)} of the messages instead of "
        f"{percent(errors.present_before)}."
        if broken
        else f"{kept}SPF passes for {percent(mine.passing_after)} of the messages instead of "
        f"{percent(mine.passing_before)} since {day_name(window.change.started_on)}."
    )
    code = "spf_error" if broken else "spf_fails" if sign == 1 else "spf_passes_again"
    after = rows.filter(pl.col("day").is_between(*window.after))
    yield _clue(code, sentence, _commonest(after, "spf_domain"), window.share(sign * (failing_after - failing_before)))


def _addresses(window: _Window, seen: Seen) -> Iterator[Clue]:
    """Whether the change came with addresses that the source had not used before."""
    change = window.change
    rows = of_source(seen.addresses, change)
    new = rows.filter(pl.col("first_seen") >= change.started_on - NEAR)
    old = rows.filter(pl.col("first_seen") < change.started_on - NEAR)
    if not new.height or not old.height or not window.total_after:
        return
    since = _sum(of_source(seen.messages, change).filter(pl.col("day") >= change.started_on))
    share = min(1.0, _sum(new) / max(1, since))
    column = {"dkim": "dkim_aligned", "spf": "spf_aligned"}.get(change.mechanism, "aligned")
    rate = _sum(new, column) / max(1, _sum(new))
    sign = 1 if change.loss else -1
    elsewhere = set(map(_network, new["source_ip"])) - set(map(_network, old["source_ip"]))
    where = "networks" if elsewhere else "addresses"
    sentence = (
        f"New {where} send {percent(share)} of the messages since {day_name(change.started_on)}, and "
        f"{percent(rate)} of theirs are aligned."
    )
    subject = _network(new.sort("messages", descending=True)["source_ip"][0])
    weight = 0.97 * window.share(share * sign * (change.before - rate))
    yield _clue("new_networks" if elsewhere else "new_addresses", sentence, subject, weight)


def _network(text: str) -> str:
    """The block that an address is allotted in: /24 for IPv4, /48 for IPv6."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _modes(window: _Window, seen: Seen) -> Iterator[Clue]:
    """Whether the domain's record began to ask for strict alignment, or ceased to."""
    change = window.change
    for edit in _edits(change, seen):
        mechanism = {"adkim": "dkim", "aspf": "spf"}.get(edit.tag)
        to = "s" if change.loss else "r"
        if mechanism in window.mechanisms and edit.after == to:
            how = "strict" if to == "s" else "relaxed"
            sentence = f"The domain's record asks for {how} alignment ({edit.tag}) since {day_name(edit.day)}."
            yield Clue(Cause("alignment_mode", sentence), 0.99)


def _edits(change: Change, seen: Seen) -> list[PolicyChange]:
    return [e for e in seen.policies if e.domain == change.domain and abs(e.day - change.started_on) <= NEAR]


def _background(change: Change, seen: Seen) -> Iterator[Cause]:
    """What is no cause in itself but belongs beside it."""
    for edit in _edits(change, seen):
        if edit.tag in ("p", "sp", "np"):
            sentence = f"The domain's policy ({edit.tag}) changed on {day_name(edit.day)}, about the same time."
            yield Cause("policy_changed", sentence)
    if change.able_reporters <= 1:
        yield Cause("one_reporter", "Only one reporter sees enough of this source to tell; it may be at fault.")
