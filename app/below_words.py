"""What is said of the names below a domain, on the command line and in the app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from analysis.below import Below
from analysis.wording import count
from app.render import clean

RECORDS: Final = {"own": "its own", "between": "of a name between", "none": "of the domain"}


def below_headline(domain: str, found: Sequence[Below]) -> Iterator[str]:
    """What the record does to names without one of their own, and what is left out of that."""
    under = [one for one in found if one.inherits]
    if under:
        asked = " and ".join(f"p={policy}" for policy in sorted({one.asks or "none" for one in under}))
        messages, failing = sum(one.messages for one in under), sum(one.failing for one in under)
        own = sum(one.groups["legitimate"] for one in under)
        names = count(len(under), "name")
        yield (
            f"Below {clean(domain)}, {names} without a record of their own would be under {asked}: "
            f"{messages:,} messages, of which {failing:,} do not align, {own:,} of them yours."
        )
    elsewhere = [one for one in under if one.reported_under != (domain,)]
    if elsewhere:
        messages = sum(one.messages for one in elsewhere)
        yield (
            f"Reports tell of {messages:,} of these messages under the name itself, which had a record: "
            "they are counted here, and not in the ledger above."
        )
    out = [one for one in found if not one.inherits]
    if out:
        names = count(len(out), "name")
        by = "" if all(one.told_by == "dns" for one in out) else ", as far as reports tell (DNS was not asked)"
        yield f"Left out: {names} under records of their own, {count(sum(one.messages for one in out), 'message')}{by}."
