"""What is said of the two rules by which receivers find records, on the command line and in the app."""

from __future__ import annotations

from analysis.two_rules import Place, TwoRules
from analysis.wording import count
from app.render import clean

NAMED = 5  # receivers
UNKNOWN = "not known from DNS"


def rules_headline(told: TwoRules) -> str:
    """What DNS says of the names, since when, and which receivers go by which rule."""
    differ = sum(one.messages for one in told.groups)
    found = f"{count(differ, 'message') if differ else 'No message'} {'are' if differ > 1 else 'is'} judged otherwise."
    if told.unknown:
        names = f"{count(told.unknown, 'name')} out of {told.walked:,}"
        found += f" Of {names} DNS was not asked or did not answer: there the list counts."
    walk = [clean(one.reporter) for one in told.receivers if one.rule == "treewalk"]
    if walk:
        more = f" and {len(walk) - NAMED:,} more" if len(walk) > NAMED else ""
        listed = len(told.receivers) - len(walk)
        found += f" Receivers that walk: {', '.join(walk[:NAMED])}{more}; {listed:,} use the list."
    else:
        one = len(told.receivers) == 1
        whose = "The 1 receiver here uses" if one else f"All {len(told.receivers):,} receivers here use"
        found += f" {whose} the list, as far as their reports tell."
    return f"{found} DNS as of {told.since:%Y-%m-%d %H:%M} UTC."


def placed(place: Place, name: str) -> str:
    """The place of a name by one rule, as text of others."""
    if place.organization is None or place.found_at is None:
        return UNKNOWN
    return f"{clean(place.organization)}; {asked(place, name)}"


def asked(place: Place, name: str) -> str:
    """Which policy applies to a name by one rule, and whose record says so, as text of others."""
    if place.found_at is None:
        return UNKNOWN
    if not place.found_at:
        return "no record"
    return f"{place.asks}, own record" if place.found_at == name else f"{place.asks}, record of {clean(place.found_at)}"
