"""Where receivers that walk the tree judge otherwise, and what came of asking DNS, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.two_rules import Apart, TwoRules
from analysis.wording import count
from app.render import Screen, clean
from app.two_rules_words import placed, rules_headline

if TYPE_CHECKING:
    from app.looking import Looked

SHOWN = 20
GROUP_WORDS = {
    "legitimate": "legitimate", "forwarded": "forwarded", "undecided": "undecided", "spoofing": "spoofed",
}  # fmt: skip
APART = (
    "Aligned by list only", "by walk only", "Blocked by list only", "by walk only ", "At list receivers", "at walkers",
)  # fmt: skip


def print_rules(screen: Screen, told: TwoRules) -> None:
    """Where the tree walk and the list differ, by name, by what it is, and by source."""
    screen.line("")
    screen.line(f"RFC 9989's tree walk beside the Public Suffix List. {rules_headline(told)}")
    if told.advice:
        screen.line(told.advice)
    if told.names:
        names = [
            (clean(one.name), one.messages, placed(one.psl, one.name), placed(one.treewalk, one.name))
            for one in told.names[:SHOWN]
        ]
        screen.table(("Name", "Messages", "By the list", "By the walk"), names)
    if told.sources:
        rows = [(GROUP_WORDS[one.group], None, *_apart(one)) for one in told.groups]
        rows += [(clean(one.name), one.source_key, *_apart(one)) for one in told.sources[:SHOWN]]
        screen.table(("Messages judged otherwise", "Source", *APART), rows)


def _apart(one: Apart) -> tuple[int, ...]:
    return (
        one.psl_passes, one.treewalk_passes, one.psl_blocks, one.treewalk_blocks, one.at_psl, one.at_treewalk,
    )  # fmt: skip


def print_looked(screen: Screen, looked: Looked) -> None:
    """What came of asking DNS."""
    if looked.unanswered:
        screen.note(
            f"DNS did not answer {count(looked.unanswered, 'question')}: "
            "there, what it said before counts, if anything."
        )
    if looked.unkept:
        screen.note(f"What DNS said could not be kept: {looked.unkept}")
