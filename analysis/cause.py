"""What a cause of a change is, and the words for it.

Selectors, domains, addresses and comments in reports are written by whoever sent the mail or the report, so they
never stand in a sentence: they are a cause's `subject`, cleaned and cut, for the caller to show as such.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

MOST: Final = 0.6


@dataclass(frozen=True, slots=True)
class Cause:
    """The likeliest cause: a stable code ('none_seen' where there is none), and a sentence.

    `subject` is the selector, domain, network or remark it is about: text from reports or DNS, to be shown as
    such and never as part of a sentence. It is at most 120 characters and holds no control characters.
    """

    code: str
    sentence: str
    subject: str = ""

    @property
    def words(self) -> str:
        """Both, for where all text is shown as such: in a terminal's cell, or escaped."""
        return f"{self.sentence.removesuffix('.')}: {self.subject}" if self.subject else self.sentence


@dataclass(frozen=True, slots=True)
class Clue:
    """A cause with the share of the change that it explains, between 0 and 1."""

    cause: Cause
    weight: float


NONE_SEEN = Cause("none_seen", "Nothing else in the reports changed at that time.")


def clue(code: str, weight: float, sentence: str, subject: str = "") -> Clue:
    """A clue about some text from reports, made fit to be shown."""
    return Clue(Cause(code, sentence, shown(subject)), weight)


def outranking(explained: float, rank: float) -> float:
    """The weight of what says more than the failures that follow from it: a `rank` above 1, once it explains most."""
    return rank if explained >= MOST else explained


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


def from_to(before: float, after: float) -> str:
    """Two shares in words."""
    return f"from {percent(before)} to {percent(after)}"


def commonest(rows: pl.DataFrame, column: str) -> str:
    """The text in a column that stands for most messages; "" where there is none."""
    top = rows.drop_nulls(column).group_by(column).agg(pl.col("messages").sum())
    top = top.sort("messages", column, descending=[True, False])
    return str(top[column][0]) if top.height else ""
