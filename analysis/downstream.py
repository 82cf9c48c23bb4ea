"""Whose drift is it? A forwarder passes on what others sign, so their drift shows at it as well."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.around import Seen, Window, by_selector
from analysis.change import Change

MAIN_SHARE = 0.5  # of a source's mail: a selector on more is the source's own, on less one of several it passes on
EXPLAINED = 0.3  # share of the change that others' selectors must explain

Selector = tuple[str, str]


def leaders(changes: Sequence[Change], seen: Seen) -> dict[Change, Change]:
    """Losses that only show another source's: each with the one that leads.

    The selectors lost are the main ones of a larger loss of the same domain that overlaps, and here were
    but some among several. All else stands for itself.
    """
    losses = [c for c in changes if c.loss and "dkim" in (c.mechanism, c.follows)]
    lost = {change: _lost(change, seen) for change in losses}
    found: dict[Change, Change] = {}
    for change in losses:
        larger = [o for o in losses if o.messages > change.messages and _alike(o, change)]
        explained = {other: _explained(lost[change], lost[other]) for other in larger}
        gap = abs(change.after - change.before)
        if larger and sum(explained.values()) >= EXPLAINED * gap:
            found[change] = max(larger, key=lambda other: explained[other])
    return found


def _alike(one: Change, other: Change) -> bool:
    """Whether they are of one domain and mechanism, and neither was over before the other began."""
    return (one.domain, one.mechanism) == (other.domain, other.mechanism) and (
        one.source_key != other.source_key
        and (one.until is None or other.started_on < one.until)
        and (other.until is None or one.started_on < other.until)
    )


def _lost(change: Change, seen: Seen) -> dict[Selector, tuple[float, float]]:
    """For each of the domain's selectors: the share of the mail it signed before, and how much of that is lost."""
    seen = seen.of(change)
    window = Window.of(change, seen)
    found = {}
    for domain, selector, part in by_selector(seen.signatures.filter("own")):
        shares = window.shares(part)
        if shares.lost > 0:
            found[domain, selector] = (shares.passing_before, shares.lost)
    return found


def _explained(here: dict[Selector, tuple[float, float]], there: dict[Selector, tuple[float, float]]) -> float:
    return sum(
        lost
        for selector, (before, lost) in here.items()
        if before < MAIN_SHARE and selector in there and there[selector][0] >= MAIN_SHARE
    )
