"""What is said of the two rules by which receivers find records, on the command line and in the app."""

from __future__ import annotations

from analysis.two_rules import Place, TwoRules
from app.render import clean

NAMED = 5  # receivers


def rules_headline(told: TwoRules) -> str:
    """What DNS says of the names, since when, and which receivers go by which rule."""
    when = f"{told.since:%Y-%m-%d %H:%M} UTC"
    differ = sum(one.messages for one in told.groups)
    walk = [clean(one.reporter) for one in told.receivers if one.rule == "treewalk"]
    found = f"{differ:,} messages are judged otherwise." if differ else "no message is judged otherwise."
    unknown = f" For {told.unknown:,} of {told.walked:,} names DNS did not answer: there the list counts." * (
        told.unknown > 0
    )
    more = f" and {len(walk) - 5:,} more" if len(walk) > 5 else ""
    who = (
        f" Receivers that walk: {', '.join(walk[:NAMED])}{more}; {len(told.receivers) - len(walk):,} use the list."
        if walk
        else f" All {len(told.receivers):,} receivers here use the list, as far as their reports tell."
    )
    return f"{found.capitalize()}{unknown}{who} DNS as of {when}."


def placed(place: Place) -> str:
    """A name's place by one rule, as text of others."""
    if place.organization is None or place.found_at is None:
        return "unknown: DNS did not answer"
    asks = f"{place.asks} by the record of {clean(place.found_at)}" if place.found_at else "no record"
    return f"{clean(place.organization)}; {asks}"
